//! `owner_field` names a field that points to the owner.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub struct Part {
        pub size: i32,
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, part_of = Thing, owner_field = size)]
pub struct Other;

fn main() {}
