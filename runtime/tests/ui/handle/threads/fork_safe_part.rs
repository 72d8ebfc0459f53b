//! `fork_safe` requires `release`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub struct Part;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn part_free(_: *mut Part) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, part_of = Thing, fork_safe)]
pub struct Part;

fn main() {}
