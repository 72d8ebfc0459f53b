//! An integer handle, as a file descriptor.

use std::ffi::c_int;

pub unsafe extern "C" fn open() -> c_int {
    unimplemented!()
}
pub unsafe extern "C" fn close(_: c_int) -> c_int {
    unimplemented!()
}
pub unsafe extern "C" fn free(_: *mut c_int) {}
