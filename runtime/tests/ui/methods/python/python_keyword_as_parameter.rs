//! A parameter that Python passes by name is not a Python keyword.

use leakproof::prelude::*;

#[path = "../../ffi/library.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free)]
pub struct Part;

#[methods(unsafe)]
impl Thing {
    #[pyo3(signature = (from))]
    fn go(&self, from: i32) -> i32 {
        from
    }
}

fn main() {}
