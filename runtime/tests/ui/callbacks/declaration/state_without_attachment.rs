//! The state of callbacks implements `Attachment`, also where it is passed by reference.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (time, data))]
    fn ring(&self, time: i32) -> i32 {
        time + self.0
    }
}

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_set, args = (self, ring.ring, ring.data))]
    fn each(&self, ring: &Ring);
}

fn main() {}
