//! The result of a callback has a type that can be passed as C's result.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (time, data))]
    fn ring(&self, time: i32) -> String {
        String::new()
    }
}

fn main() {}
