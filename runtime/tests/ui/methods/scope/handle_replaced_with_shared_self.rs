//! A handle that C keeps is not replaced beside other calls.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, attachments)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_add, scope = until_replaced)]
    fn add(&self, part: Option<Owned<Part>>) -> i32;
}

fn main() {}
