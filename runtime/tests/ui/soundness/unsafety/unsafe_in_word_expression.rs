//! An expression in an annotation is not inside an `unsafe` block.

#![allow(non_camel_case_types, unused)]

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_int;

    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> c_int {
        unimplemented!()
    }
    pub unsafe extern "C" fn thing_go(_: *mut Thing, _: c_int) -> c_int {
        unimplemented!()
    }
    pub unsafe fn peek() -> c_int {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release(ffi::thing_free, fails = when(|status| status == ffi::peek())))]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_go, args = (self, ffi::peek()))]
    fn go(&self) -> i32;

    #[calls(ffi::thing_go, args = (self, 1), fails = when(|status| status == ffi::peek()))]
    fn go_on(&self) -> Result<i32>;
}

fn main() {}
