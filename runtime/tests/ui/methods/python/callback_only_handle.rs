//! A `callback_only` handle has no Python class.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, callback_only)]
pub struct Lent;

#[methods]
impl Lent {
    fn size(&self) -> i32 {
        1
    }
}

fn main() {}
