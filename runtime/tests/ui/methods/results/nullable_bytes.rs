//! A `Bytes` result that can be NULL requires an `Option` or `fails = null`.

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
    #[calls(ffi::data, len = ffi::size)]
    fn data(&self) -> Bytes;
}

fn main() {}
