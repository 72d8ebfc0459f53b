//! The release of a reference-counted handle cannot be refused.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_ref(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, retain = ffi::thing_ref, independent, release(ffi::thing_free, fails = nonzero, on_failure = kept))]
struct Thing;

fn main() {}
