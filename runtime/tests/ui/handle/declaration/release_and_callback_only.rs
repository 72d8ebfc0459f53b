//! `release` and `callback_only` exclude each other.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, callback_only, release = ffi::thing_free)]
pub struct Other;

fn main() {}
