//! The retain function takes a pointer to the handle's C type.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_new() -> *mut Thing {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, retain = ffi::thing_new, independent, release = ffi::thing_free)]
struct Thing;


fn main() {}
