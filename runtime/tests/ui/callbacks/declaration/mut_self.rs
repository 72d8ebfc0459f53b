//! A callback takes `&self`: C can call it again while it runs.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (time, data))]
    fn ring(&mut self, time: i32) -> i32 {
        0
    }
}

fn main() {}
