//! `fails = nonzero` requires an integer.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::copy, fails = nonzero)]
    fn copy(&self) -> Result<Owned<Thing>>;
}

fn main() {}
