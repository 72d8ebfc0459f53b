//! A call that only reads neither fails nor runs without the GIL.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_ring, fails = negative, pure)]
    fn ring(&self) -> Result<i32>;

    #[calls(ffi::bell_ring, pure, detach)]
    fn ring_detached(&self) -> i32;
}

fn main() {}
