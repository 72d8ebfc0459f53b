//! `owner_field` requires `part_of`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, owner_field = next)]
pub struct Other;

fn main() {}
