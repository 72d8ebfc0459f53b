//! A child with `mut_parent` is made by a method with `&mut self`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing, mut_parent)]
pub struct Child;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::child_new, fails = null)]
    fn child(&self) -> Result<Owned<Child>>;
}

fn main() {}
