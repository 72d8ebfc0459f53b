//! A child that is released with its parent is made by a method of that parent.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[handle(raw = ffi::Rope, release(ffi::rope_free, args = (parent, self)), parent = Bell)]
pub struct Rope;

#[methods(unsafe, rust_only)]
impl Rope {
    #[calls(ffi::rope_split, fails = null)]
    fn split(&self) -> Result<Owned<Rope>>;
}

fn main() {}
