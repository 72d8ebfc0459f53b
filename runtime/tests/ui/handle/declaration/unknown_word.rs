//! `#[handle]` accepts only the listed words.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, releases = ffi::thing_free, release = ffi::thing_free)]
pub struct Other;

fn main() {}
