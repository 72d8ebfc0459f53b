//! A caller-allocated handle is not returned by pointer.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(caller_allocates = ffi::Thing, release = ffi::thing_free)]
struct Thing;
#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_new, fails = null)]
    fn open() -> Result<Owned<Thing>>;
}

fn main() {}
