//! A parent is a handle type.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, parent = String)]
pub struct Other;

fn main() {}
