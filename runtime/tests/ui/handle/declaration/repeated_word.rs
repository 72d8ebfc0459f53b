//! A word of `#[handle]` is given once.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, raw = ffi::Thing)]
pub struct Other;

fn main() {}
