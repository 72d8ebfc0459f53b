//! `out` stands where the C function has a parameter.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_new, args = (out), fails = null, on_failure = null)]
    fn open() -> Result<Owned<Thing>>;
}

fn main() {}
