//! A borrowed result cannot live in a handle that the call consumes.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_of_part, consumes = always)]
    fn of_part(part: Owned<Part>) -> Option<Borrowed<Thing>>;
}

fn main() {}
