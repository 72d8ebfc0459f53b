//! `warn_unclosed` requires `release`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, part_of = Thing, warn_unclosed)]
pub struct Other;

fn main() {}
