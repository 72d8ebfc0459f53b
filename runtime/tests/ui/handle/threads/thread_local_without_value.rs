//! `thread_locals` lists variables with their values.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_int;

    pub struct Raw;
    pub unsafe extern "C" fn thing_free(_: *mut Raw) {}
    pub unsafe extern "C" fn strict() -> *mut c_int {
        std::ptr::null_mut()
    }
}

#[handle(raw = ffi::Raw, release = ffi::thing_free, thread_locals(ffi::strict))]
struct Thing;

#[handle(raw = ffi::Raw, release = ffi::thing_free, thread_locals = ffi::strict)]
struct Other;

fn main() {}
