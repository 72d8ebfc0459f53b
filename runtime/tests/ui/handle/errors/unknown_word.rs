//! `errors(…)` accepts only the listed words.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, errors(Wrong, slot = report))]
pub struct Other;

fn main() {}
