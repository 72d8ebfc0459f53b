//! Bytes that C returns require their length.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn data(_: *mut Thing) -> *const c_void {
        std::ptr::null()
    }
    pub unsafe extern "C" fn size(_: *mut Thing) -> i32 {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::data)]
    fn data(&self) -> Option<Bytes>;
}

fn main() {}
