//! `__next__` returns an `Option`, whose `None` ends the iteration.

use leakproof::prelude::*;

#[path = "../../ffi/status.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    fn __next__(&mut self) -> i32 {
        1
    }
}

fn main() {}
