//! Options with variable arguments, and behind `void *`.

use std::ffi::{c_int, c_void};

pub struct Thing;

unsafe extern "C" {
    pub fn thing_free(_: *mut Thing);
    pub fn thing_set(_: *mut Thing, option: c_int, ...) -> c_int;
    pub fn thing_info(_: *mut Thing, option: c_int, _: *mut c_void) -> c_int;
    pub fn thing_level(_: *mut Thing, level: c_int) -> c_int;
}
