//! A reference-counted handle has no parent.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_ref(_: *mut Thing) -> *mut Thing {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[handle(raw = ffi::Thing, retain = ffi::thing_ref, independent, release = ffi::thing_free, parent = Thing)]
struct Child;


fn main() {}
