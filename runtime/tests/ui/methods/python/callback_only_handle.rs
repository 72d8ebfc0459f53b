//! A `callback_only` handle has no Python class.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, callback_only)]
pub struct Lent;

#[methods]
impl Lent {
    fn size(&self) -> i32 {
        1
    }
}

fn main() {}
