//! `borrowed_with` requires `retain`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;
    pub struct Thing;
    pub struct Part;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_ref(this: *mut Thing) -> *mut Thing {
        this
    }
    pub unsafe extern "C" fn thing_part(_: *mut Thing) -> *mut Part {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn thing_data(_: *mut Thing) -> *const c_void {
        std::ptr::null()
    }
    pub unsafe extern "C" fn thing_size(_: *mut Thing) -> usize {
        0
    }
    pub unsafe extern "C" fn thing_count(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, fork_safe, borrowed_with = Self)]
pub struct Thing;

fn main() {}
