//! A block of callbacks is written `#[callbacks(unsafe)]`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks]
impl Ring {
    #[callback(ffi::RingFn, args = (time, data))]
    fn ring(&self, time: i32) -> i32 {
        0
    }
}

fn main() {}
