//! A C struct with a field for a callback that reports errors.

use std::ffi::c_void;

pub struct Record;

pub struct Reporting {
    pub report: Option<unsafe extern "C" fn(*mut c_void, *mut Record)>,
    /// A callback that is passed no `Record`.
    pub count: Option<unsafe extern "C" fn(*mut c_void, i32)>,
}

pub unsafe extern "C" fn reporting_free(_: *mut Reporting) {}
