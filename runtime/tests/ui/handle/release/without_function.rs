//! The C function stands first in `release(…)`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release(fails = nonzero))]
struct Thing;


fn main() {}
