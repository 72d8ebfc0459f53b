//! `#[handle]` needs the C type of the handle.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(release = ffi::thing_free)]
pub struct Other;

fn main() {}
