//! The release of a reference-counted handle cannot be refused.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, retain = ffi::thing_ref, independent, release(ffi::thing_free, fails = nonzero, on_failure = kept))]
struct Thing;

fn main() {}
