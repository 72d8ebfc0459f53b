//! `integer` names an integer type.

use std::ffi::c_int;

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_int;
    pub unsafe extern "C" fn open() -> c_int {
        0
    }
    pub unsafe extern "C" fn close(_: c_int) -> c_int {
        0
    }
    pub unsafe extern "C" fn free(_: *mut c_int) {}
}

#[handle(integer = f64, invalid = 0.0, release = ffi::close)]
pub struct File;

fn main() {}
