//! A C struct with fields.

use std::ffi::c_char;

pub struct Box {
    pub size: i32,
    pub tag: i32,
    pub count: i32,
    pub items: *mut i32,
    pub name: *const c_char,
    pub next: *mut Box,
}

pub unsafe extern "C" fn box_free(_: *mut Box) {
    unimplemented!()
}
