//! `data` stands where C passes the user data pointer.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::RingFn, args = (data, _))]
    fn ring(&self) -> i32 {
        0
    }
}

fn main() {}
