//! A memoryview excludes a method without a receiver: it keeps its receiver open.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_data(_: *mut Thing) -> *const c_void {
        std::ptr::null()
    }
    pub unsafe extern "C" fn thing_size(_: *mut Thing) -> usize {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, lends)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[staticmethod]
    #[calls(ffi::thing_data, len = ffi::thing_size)]
    fn data_of(thing: &Thing) -> Option<&[u8]>;
}

fn main() {}
