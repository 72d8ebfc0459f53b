//! A constructor of a caller-allocated handle writes to the struct itself.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(caller_allocates = ffi::Thing, release = ffi::thing_free)]
struct Thing;
#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_open, args = (n, out), fails = nonzero, on_failure = null)]
    fn open(n: i32) -> Result<Owned<Thing>>;
}

fn main() {}
