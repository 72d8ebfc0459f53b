//! `release(…)` accepts only the listed words.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release(ffi::thing_free, status = nonzero))]
struct Thing;


fn main() {}
