//! An owned handle in `out` of a fallible call requires `on_failure`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_open, args = (n, out), fails = nonzero)]
    fn open(n: i32) -> Result<Owned<Thing>>;
}

fn main() {}
