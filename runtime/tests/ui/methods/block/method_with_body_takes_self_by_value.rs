//! A method with a body takes `&self` or `&mut self`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(rust_only)]
impl Thing {
    fn size(self) -> i32 {
        1
    }
}

fn main() {}
