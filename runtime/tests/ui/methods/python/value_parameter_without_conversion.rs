//! A parameter that is passed by value has a conversion from Python.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn take(&self, when: std::time::Instant) -> bool {
        when.elapsed().is_zero()
    }
}

fn main() {}
