//! A memoryview excludes `keep_alive`: it keeps only its receiver open.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;
    pub struct Thing;
    pub struct Other;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn other_free(_: *mut Other) {}
    pub unsafe extern "C" fn thing_data(_: *mut Thing, _: *mut Other) -> *const c_void {
        std::ptr::null()
    }
    pub unsafe extern "C" fn thing_size(_: *mut Thing, _: *mut Other) -> usize {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, lends)]
pub struct Thing;

#[handle(raw = ffi::Other, release = ffi::other_free)]
pub struct Other;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::thing_data, len = ffi::thing_size, keep_alive = (other))]
    fn data(&self, other: &Other) -> Option<&[u8]>;
}

fn main() {}
