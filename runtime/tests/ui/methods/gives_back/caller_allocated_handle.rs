//! `gives_back` is not for handles that are made in place, which C is never given.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(caller_allocates = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_init, args = (out), fails = nonzero, on_failure = null, gives_back)]
    fn new() -> Result<Owned<Thing>>;
}

fn main() {}
