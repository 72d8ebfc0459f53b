//! A `fork_safe` child requires a `fork_safe` parent.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub struct Part;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn part_free(_: *mut Part) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, release = ffi::part_free, parent = Thing, fork_safe)]
pub struct Part;

fn main() {}
