//! A child is made by a method of its parent.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing)]
pub struct Child;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Pool;

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::child_new, args = (thing), fails = null)]
    fn child(&self, thing: &Thing) -> Result<Owned<Child>>;
}

fn main() {}
