//! `on_failure` of a release is `kept` or `released`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release(ffi::thing_free, fails = nonzero, on_failure = lost))]
struct Thing;


fn main() {}
