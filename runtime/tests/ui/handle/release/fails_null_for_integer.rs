//! `fails = null` of a release requires a function that returns a pointer.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release(ffi::thing_free, fails = null))]
struct Thing;


fn main() {}
