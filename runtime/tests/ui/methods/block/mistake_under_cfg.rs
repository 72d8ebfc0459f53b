//! A mistake is reported in a method that `cfg` leaves, and not in one that `cfg` removes.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[cfg(any())]
    #[calls(ffi::size, free = ffi::text_free)]
    fn removed(&self) -> i32;

    #[cfg(all())]
    #[calls(ffi::size, free = ffi::text_free)]
    fn size(&self) -> i32;
}

fn main() {}
