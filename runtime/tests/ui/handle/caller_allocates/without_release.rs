//! `caller_allocates` requires `release`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(caller_allocates = ffi::Thing)]
struct Thing;


fn main() {}
