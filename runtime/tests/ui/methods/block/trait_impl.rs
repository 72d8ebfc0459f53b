//! `#[methods]` is for inherent `impl` blocks.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

pub trait Sized2 {
    fn size(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Sized2 for Thing {
    #[calls(ffi::size)]
    fn size(&self) -> i32;
}

fn main() {}
