//! Every field of a derived `Attachment` implements `Attachment`.

use leakproof::prelude::*;

#[path = "../ffi/bell.rs"]
mod ffi;

#[derive(Debug)]
pub struct Other;

#[derive(Debug, Attachment)]
pub struct Ring(Other);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (time, data))]
    fn ring(&self, time: i32) -> i32 {
        0
    }
}

fn main() {}
