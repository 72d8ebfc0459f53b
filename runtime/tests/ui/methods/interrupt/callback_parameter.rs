//! `interrupt` excludes callbacks.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free)]
pub struct Bell;

#[derive(Attachment)]
pub struct Ringer(i32);

#[callbacks(unsafe)]
impl Ringer {
    #[callback(ffi::RingFn, args = (number, data))]
    fn ring(&self, number: i32) -> i32 {
        number + self.0
    }
}

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_ring_by, args = (self, ringer.ring, ringer.data), fails = nonzero, detach, interrupt = Bell::stop)]
    fn ring(&self, ringer: &Ringer) -> Result<()>;

    #[calls(ffi::bell_stop)]
    fn stop(&self);
}

fn main() {}
