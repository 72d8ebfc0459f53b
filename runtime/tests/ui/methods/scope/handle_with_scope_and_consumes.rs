//! Either the caller releases a handle, or C does.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, attachments)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_add, fails = nonzero, scope = handle, consumes = on_success)]
    fn add(&mut self, part: Owned<Part>) -> Result<()>;
}

fn main() {}
