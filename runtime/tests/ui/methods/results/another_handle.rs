//! A handle is returned from a pointer to its own C type.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::other, fails = null)]
    fn copy(&self) -> Result<Owned<Thing>>;
}

fn main() {}
