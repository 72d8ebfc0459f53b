//! `#[callback]` requires `args`.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn)]
    fn ring(&self, time: i32) -> i32 {
        0
    }
}

fn main() {}
