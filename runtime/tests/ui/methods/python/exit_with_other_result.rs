//! An own `__exit__` returns nothing, or whether it handled the exception.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods]
impl Thing {
    fn __exit__(
        &self,
        _kind: Option<bool>,
        _error: Option<bool>,
        _traceback: Option<bool>,
    ) -> Result<i32> {
        Ok(0)
    }
}

fn main() {}
