//! `release(…)` accepts only the listed words.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release(ffi::thing_free, status = nonzero))]
struct Thing;


fn main() {}
