//! `interrupt` of a handle requires `release`.

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

#[handle(raw = c_int, callback_only, interrupt = wake)]
pub struct File;

fn wake(_: &File) {}

fn main() {}
