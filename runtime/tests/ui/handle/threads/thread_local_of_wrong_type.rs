//! The value in `thread_locals` has the type of the C variable.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_int;

    pub struct Raw;
    pub unsafe extern "C" fn thing_free(_: *mut Raw) {}
    pub unsafe extern "C" fn strict() -> *mut c_int {
        std::ptr::null_mut()
    }
}

#[handle(raw = ffi::Raw, release = ffi::thing_free, thread_locals(ffi::strict = true))]
struct Thing;

fn main() {}
