//! The entries of `args` stand in the order of the C parameters.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn add(_: *mut Thing, _: i32) -> i32 {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::add, args = (number, self))]
    fn add(&self, number: i32) -> i32;
}

fn main() {}
