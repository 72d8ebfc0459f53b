//! `__next__` returns an `Option`, whose `None` ends the iteration.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    fn __next__(&mut self) -> i32 {
        1
    }
}

fn main() {}
