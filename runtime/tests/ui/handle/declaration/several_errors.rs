//! Every mistake in one `#[handle]` is reported in one compilation.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(part_of = Thing, callback_only, parent = Thing, raws = ffi::Thing)]
pub struct Other(i32);

fn main() {}
