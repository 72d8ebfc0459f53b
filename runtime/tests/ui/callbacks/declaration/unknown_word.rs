//! `#[callback]` accepts only the listed words.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (time, data), abort = 1)]
    fn ring(&self, time: i32) -> i32 {
        0
    }
}

fn main() {}
