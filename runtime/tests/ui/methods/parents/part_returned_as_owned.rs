//! A part is returned as `Borrowed`, not as `Owned`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, part_of = Thing)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::first, fails = null)]
    fn first(&self) -> Result<Owned<Part>>;
}

fn main() {}
