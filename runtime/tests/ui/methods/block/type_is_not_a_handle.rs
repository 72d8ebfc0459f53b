//! `#[methods]` is for handle types.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

pub struct Plain;

#[methods(unsafe, rust_only)]
impl Plain {
    #[calls(ffi::size)]
    fn size(&self) -> i32;
}

fn main() {}
