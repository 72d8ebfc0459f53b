//! The owner of a part is a handle type.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, part_of = String)]
pub struct Other;

fn main() {}
