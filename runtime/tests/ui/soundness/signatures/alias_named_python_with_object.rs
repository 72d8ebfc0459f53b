//! A type alias with the name of the token of the interpreter is no token for a text that becomes a Python object.

#![allow(non_camel_case_types, unused)]

use leakproof::prelude::*;
use leakproof::pyo3::Bound;
use leakproof::pyo3::types::PyString;

mod ffi {
    pub struct thing;
    pub unsafe extern "C" fn thing_free(_: *mut thing) {}
    pub unsafe extern "C" fn thing_ref(this: *mut thing) -> *mut thing {
        this
    }
    pub unsafe extern "C" fn thing_merge(_: *mut thing, _: *mut thing) {}
    pub unsafe extern "C" fn thing_text(_: *mut thing) -> *const std::ffi::c_char {
        std::ptr::null()
    }
}

#[handle(raw = ffi::thing, release = ffi::thing_free, fork_safe, retain = ffi::thing_ref, independent)]
pub struct Thing;

mod py {
    pub type Python<'a> = &'a super::Thing;
}

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_text)]
    fn text<'py>(&self, other: py::Python<'py>) -> Result<Option<Bound<'py, PyString>>>;
}

fn main() {}
