//! A callback that visits records, with a view of their bytes.

use std::ffi::{c_int, c_void};

pub type VisitFn = unsafe extern "C" fn(*mut Record, *const u8, c_int, *mut c_void) -> c_int;

pub struct Record;

/// Not a C function: a Rust function that only `unsafe` code calls.
pub unsafe fn peek(_: *mut Record) -> c_int {
    unimplemented!()
}
