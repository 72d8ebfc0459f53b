//! The length of an array has one source.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::{c_char, c_int, c_void};
    #[derive(Debug, Clone, Copy, Default)]
    pub struct Point {
        pub x: c_int,
        pub y: c_int,
        pub name: usize,
    }
    pub const RED: c_int = 1;
    pub struct Thing;
    pub struct Part;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn part_free(_: *mut Part) {}
    pub unsafe extern "C" fn thing_add(_: *mut Thing, _: *mut Part) -> c_int {
        0
    }
    pub unsafe extern "C" fn thing_names(_: *mut Thing) -> *mut *mut c_char {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn thing_data(_: *mut Thing) -> *const c_void {
        std::ptr::null()
    }
    pub unsafe extern "C" fn thing_size(_: *mut Thing) -> usize {
        0
    }
    pub unsafe extern "C" fn thing_dump(_: *mut Thing, _: *mut *mut u8, _: *mut usize) -> c_int {
        0
    }
    pub unsafe extern "C" fn thing_numbers(_: *mut Thing) -> *const f64 {
        std::ptr::null()
    }
    pub unsafe extern "C" fn thing_init(_: *mut Thing) -> c_int {
        0
    }
    pub unsafe extern "C" fn thing_move(_: *mut Thing, _: *const Point) {}
    pub unsafe extern "C" fn free(_: *mut c_void) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_names, until = null, len = ffi::thing_size, utf8 = lossy)]
    fn names(&self) -> Vec<String>;
}

fn main() {}
