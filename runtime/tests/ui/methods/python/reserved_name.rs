//! A method of a Python class is not named as a method that every handle has.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn close(&mut self) {}
}

fn main() {}
