//! `on_failure` of a call requires `fails`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_open, args = (n, out), on_failure = owned)]
    fn open(n: i32) -> Option<Owned<Thing>>;
}

fn main() {}
