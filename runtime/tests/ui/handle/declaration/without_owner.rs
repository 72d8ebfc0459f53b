//! A handle has one owner: `release`, `part_of` or `callback_only`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing)]
pub struct Other;

fn main() {}
