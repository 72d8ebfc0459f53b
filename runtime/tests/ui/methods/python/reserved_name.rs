//! A method of a Python class is not named as a method that every handle has.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn close(&mut self) {}

    fn __clear__(&mut self) {}
}

fn main() {}
