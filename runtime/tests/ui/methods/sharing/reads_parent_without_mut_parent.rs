//! `#[reads_parent]` requires a handle with `mut_parent`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;
    pub struct Thing;
    pub struct Child;
    pub struct Part;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn child_free(_: *mut Child) {}
    pub unsafe extern "C" fn child_new(_: *mut Thing) -> *mut Child {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn thing_data(_: *mut Thing) -> *const c_void {
        std::ptr::null()
    }
    pub unsafe extern "C" fn thing_size(_: *mut Thing) -> usize {
        0
    }
    pub unsafe extern "C" fn thing_meet(_: *mut Thing, _: i32) {}
    pub unsafe extern "C" fn child_work(_: *mut Child) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = Thing)]
pub struct Child;

#[methods(unsafe, rust_only)]
impl Child {
    #[reads_parent]
    #[calls(ffi::child_work)]
    fn work(&mut self);
}

fn main() {}
