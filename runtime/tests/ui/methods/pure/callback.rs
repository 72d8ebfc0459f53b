//! A call that only reads calls nothing back.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[derive(Attachment)]
pub struct R;

#[callbacks(unsafe)]
impl R {
    #[callback(ffi::RingFn, args = (times, data), on_error = -1)]
    fn ring(&self, times: i32) -> Result<i32> {
        Ok(times)
    }
}

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_ring_by, args = (self, ringer.ring, ringer.data), pure)]
    fn ring_by(&self, ringer: &R) -> i32;
}

fn main() {}
