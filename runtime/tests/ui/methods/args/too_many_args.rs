//! `args` lists no more arguments than C takes.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::size, args = (self, 1))]
    fn size(&self) -> i32;
}

fn main() {}
