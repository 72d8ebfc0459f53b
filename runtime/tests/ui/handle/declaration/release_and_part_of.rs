//! `release` and `part_of` exclude each other.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, release = ffi::thing_free, part_of = Thing)]
pub struct Other;

fn main() {}
