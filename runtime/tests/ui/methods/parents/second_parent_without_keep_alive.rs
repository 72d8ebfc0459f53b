//! A child with two parents requires `keep_alive` for the second one.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[handle(raw = ffi::Rope, release(ffi::rope_free, args = (parent, self)), parent = Bell)]
pub struct Rope;

#[handle(raw = std::ffi::c_int, release = ffi::untie, parent = (Bell, Rope))]
pub struct Knot;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_tie, fails = null)]
    fn tie(&self, rope: &Rope) -> Result<Owned<Knot>>;
}

fn main() {}
