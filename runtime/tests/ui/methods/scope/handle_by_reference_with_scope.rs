//! A handle that C keeps is given up by its owner.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, attachments)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_add, scope = handle)]
    fn add(&mut self, part: &Part) -> i32;
}

fn main() {}
