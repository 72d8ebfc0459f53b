//! `retain` requires `release`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, retain = ffi::thing_ref, independent)]
struct Thing;


fn main() {}
