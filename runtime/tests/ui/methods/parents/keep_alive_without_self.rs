//! `keep_alive` is for a method of the first parent.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

#[handle(raw = ffi::Rope, release(ffi::rope_free, args = (parent, self)), parent = Bell)]
pub struct Rope;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_rope, keep_alive = (bell), fails = null)]
    fn rope(bell: &Bell) -> Result<Owned<Rope>>;
}

fn main() {}
