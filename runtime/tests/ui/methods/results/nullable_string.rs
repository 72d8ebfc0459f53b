//! A `String` result that can be NULL requires an `Option` or `fails = null`.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_char;

    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn name(_: *mut Thing) -> *const c_char {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::name, utf8 = lossy)]
    fn name(&self) -> String;
}

fn main() {}
