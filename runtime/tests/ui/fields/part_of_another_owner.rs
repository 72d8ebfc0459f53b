//! A part in a field belongs to the handle that has the field.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing {
        pub part: *mut Part,
    }
    pub struct Other;
    pub struct Part;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn other_free(_: *mut Other) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Other, release = ffi::other_free)]
pub struct Other;

#[handle(raw = ffi::Part, part_of = Other)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[field(part)]
    fn part(&self) -> Option<Borrowed<Part>>;
}

fn main() {}
