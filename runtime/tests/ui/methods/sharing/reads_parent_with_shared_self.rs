//! `#[reads_parent]` requires `&mut self`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing, mut_parent)]
pub struct Child;

#[methods(unsafe, rust_only)]
impl Child {
    #[reads_parent]
    #[calls(ffi::child_work)]
    fn work(&self);
}

fn main() {}
