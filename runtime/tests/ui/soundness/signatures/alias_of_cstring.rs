//! A type alias does not hide text in a result.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_char;

    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_name(_: *mut Thing) -> *mut c_char {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

type Name = CString;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_name)]
    fn name(&self) -> Option<Name>;
}

fn main() {}
