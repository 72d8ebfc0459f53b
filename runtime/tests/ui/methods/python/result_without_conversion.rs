//! A result has a conversion to Python.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn made(&self) -> std::time::Instant {
        std::time::Instant::now()
    }
}

fn main() {}
