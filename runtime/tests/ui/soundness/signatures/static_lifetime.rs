//! A result does not have the lifetime `'static`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, part_of = Thing)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::first)]
    fn first(&self) -> Option<Borrowed<'static, Part>>;
}

fn main() {}
