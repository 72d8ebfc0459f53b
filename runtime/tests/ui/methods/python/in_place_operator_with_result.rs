//! An in-place operator returns nothing, because its value in Python is the handle itself.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    fn __iadd__(&mut self, other: i32) -> i32 {
        other
    }

    #[pyo3(name = "__setattr__")]
    fn set(&mut self, name: &str, value: i32) -> Result<bool> {
        Ok(name.is_empty() && value == 0)
    }

    #[rust_only]
    fn __isub__(&mut self, other: i32) -> i32 {
        other
    }
}

fn main() {}
