//! `#[callback]` names a C function type.

use leakproof::prelude::*;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(i32, args = (time, data))]
    fn ring(&self, time: i32) -> i32 {
        0
    }
}

fn main() {}
