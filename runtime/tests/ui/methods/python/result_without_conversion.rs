//! A result has a conversion to Python.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn made(&self) -> std::time::Instant {
        std::time::Instant::now()
    }
}

fn main() {}
