//! `args` of a callback lists every argument that C passes.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (data))]
    fn ring(&self) -> i32 {
        0
    }
}

fn main() {}
