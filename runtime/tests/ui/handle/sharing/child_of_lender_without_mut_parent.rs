//! A child of a handle with `lends` declares `mut_parent` or `reads_parent`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, lends)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing)]
pub struct Child;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::child_new, fails = null)]
    fn child(&self) -> Result<Owned<Child>>;
}

fn main() {}
