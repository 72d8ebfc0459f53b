//! `process_bound` is the default and is not written.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub struct Part;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn part_free(_: *mut Part) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free, process_bound)]
pub struct Thing;

fn main() {}
