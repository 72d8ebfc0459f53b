//! `on_failure` of a call requires `out` in `args`.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_new, fails = null, on_failure = owned)]
    fn open() -> Result<Owned<Thing>>;
}

fn main() {}
