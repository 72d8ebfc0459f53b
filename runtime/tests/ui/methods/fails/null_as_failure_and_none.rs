//! NULL is either a failure or `None`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::copy, fails = null)]
    fn copy(&self) -> Result<Option<Owned<Thing>>>;
}

fn main() {}
