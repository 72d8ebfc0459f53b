//! `#[methods]` accepts only the listed words.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, privat)]
impl Thing {
    #[calls(ffi::size)]
    fn size(&self) -> i32;
}

fn main() {}
