//! `raw` and `caller_allocates` exclude each other.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, caller_allocates = ffi::Thing, release = ffi::thing_free)]
struct Thing;


fn main() {}
