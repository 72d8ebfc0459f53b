//! A slice of C memory requires a handle with `lends`.

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
    pub unsafe extern "C" fn thing_view(_: *mut Thing, _: *mut View, _: *mut i32) {}
    pub unsafe extern "C" fn thing_views(_: *mut Thing, _: *mut i32) -> *const View {
        std::ptr::null()
    }
    #[derive(Clone, Copy)]
    pub struct View {
        pub start: *const u8,
        pub size: usize,
    }
    pub unsafe extern "C" fn thing_meet(_: *mut Thing, _: i32) {}
    pub unsafe extern "C" fn child_work(_: *mut Child) {}
}

leakproof::byte_slice!(unsafe ffi::View { ptr: start, len: size });

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_data, len = ffi::thing_size)]
    fn data(&self) -> Option<&[u8]>;

    #[calls(ffi::thing_view, args = (self, out, out))]
    fn view(&self) -> (&[u8], i32);

    #[calls(ffi::thing_views, args = (self, len))]
    fn views(&self) -> Vec<&[u8]>;
}

fn main() {}
