//! A reference-counted handle lends no borrowed results: another owner could release them.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, fork_safe, retain = ffi::thing_ref, independent, lends)]
pub struct Thing;

#[handle(raw = ffi::Part, part_of = Thing)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_ref)]
    fn other(&self) -> Option<Borrowed<Thing>>;

    #[calls(ffi::first)]
    fn part(&self) -> Option<Borrowed<Part>>;

    #[calls(ffi::thing_data, len = ffi::thing_size)]
    fn data(&self) -> Option<&[u8]>;
}

fn main() {}
