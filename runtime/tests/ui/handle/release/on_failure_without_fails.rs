//! `on_failure` of a release requires `fails`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release(ffi::thing_free, on_failure = kept))]
struct Thing;


fn main() {}
