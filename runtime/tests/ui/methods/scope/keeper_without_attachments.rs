//! The keeper of a handle has `attachments`.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_add, scope = until_replaced)]
    fn add(&mut self, part: Owned<Part>) -> i32;
}

fn main() {}
