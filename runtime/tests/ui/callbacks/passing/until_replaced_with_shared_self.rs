//! `scope = until_replaced` requires `&mut self`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (time, data))]
    fn ring(&self, time: i32) -> i32 {
        time
    }
}

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_set, args = (self, ring.ring, ring.data), scope = until_replaced)]
    fn set(&self, ring: Ring);
}

fn main() {}
