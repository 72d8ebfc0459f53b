//! The release function takes a pointer to the handle's C type.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub struct Other;
    pub unsafe extern "C" fn other_free(_: *mut Other) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::other_free)]
pub struct Other;

fn main() {}
