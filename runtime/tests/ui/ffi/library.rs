//! A small C library: a handle, memory and arrays that the handle gives, a struct and a constant.

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
pub unsafe extern "C" fn free(_: *mut c_void) {}

pub unsafe extern "C" fn thing_init(_: *mut Thing) -> c_int {
    unimplemented!()
}
pub unsafe extern "C" fn thing_add(_: *mut Thing, _: *mut Part) -> c_int {
    unimplemented!()
}
pub unsafe extern "C" fn thing_names(_: *mut Thing) -> *mut *mut c_char {
    unimplemented!()
}
pub unsafe extern "C" fn thing_numbers(_: *mut Thing) -> *const f64 {
    unimplemented!()
}
pub unsafe extern "C" fn thing_data(_: *mut Thing) -> *const c_void {
    unimplemented!()
}
pub unsafe extern "C" fn thing_size(_: *mut Thing) -> usize {
    unimplemented!()
}
pub unsafe extern "C" fn thing_dump(_: *mut Thing, _: *mut *mut u8, _: *mut usize) -> c_int {
    unimplemented!()
}
