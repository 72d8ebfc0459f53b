//! A parameter of a callback has a type that C's argument converts to.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (time, data))]
    fn ring(&self, time: String) -> i32 {
        0
    }
}

fn main() {}
