//! A `Borrowed` result that can be NULL requires an `Option` or `fails = null`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::copy)]
    fn copy(&self) -> Borrowed<Thing>;
}

fn main() {}
