//! A method of a Python class has no type parameters.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn size<T: Into<i32>>(&self, size: T) -> i32 {
        size.into()
    }
}

fn main() {}
