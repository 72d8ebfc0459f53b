//! `keep_alive` names no more handles than the child has parents.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[handle(raw = ffi::Rope, release(ffi::rope_free, args = (parent, self)), parent = Bell)]
pub struct Rope;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_copy, args = (self, rope), keep_alive = (rope), fails = null)]
    fn tie(&self, rope: &Rope) -> Result<Owned<Rope>>;
}

fn main() {}
