//! A handle struct has no fields: C owns the data.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Other {
    pointer: *mut ffi::Thing,
}

fn main() {}
