//! A child does not outlive its second parent.

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
    #[calls(ffi::bell_rope, fails = null)]
    fn rope(&self) -> Result<Owned<Rope>>;

    #[calls(ffi::bell_tie, keep_alive = (rope), fails = null)]
    fn tie(&self, rope: &Rope) -> Result<Owned<Knot>>;
}

fn outlive(bell: &Bell) -> Result<Owned<'_, Knot>> {
    let rope = bell.rope()?;
    bell.tie(&rope)
}

fn main() {}
