//! A method of a Python class has no type parameters.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn size<T: Into<i32>>(&self, size: T) -> i32 {
        size.into()
    }
}

fn main() {}
