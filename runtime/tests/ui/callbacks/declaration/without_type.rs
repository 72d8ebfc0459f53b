//! The C function type stands first in `#[callback(…)]`.

use leakproof::prelude::*;

#[derive(Debug, Attachment)]
pub struct Ring(i32);

#[callbacks(unsafe)]
impl Ring {
    #[callback(args = (time, data))]
    fn ring(&self, time: i32) -> i32 {
        0
    }
}

fn main() {}
