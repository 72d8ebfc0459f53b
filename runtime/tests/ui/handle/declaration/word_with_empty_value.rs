//! A value follows each `=`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = , release = ffi::thing_free)]
pub struct Other;

fn main() {}
