//! A type alias with the name of the token of the interpreter does not hide a handle.

#![allow(non_camel_case_types, unused)]

use leakproof::prelude::*;

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
    #[calls(ffi::thing_merge)]
    fn merge(&mut self, other: py::Python<'_>);
}

fn main() {}
