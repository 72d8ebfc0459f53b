//! `on_failure` of a release requires `fails`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release(ffi::thing_free, on_failure = kept))]
struct Thing;


fn main() {}
