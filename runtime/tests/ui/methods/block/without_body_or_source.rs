//! A method without a body requires `#[calls]` or `#[field]`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    fn size(&self) -> i32;
}

fn main() {}
