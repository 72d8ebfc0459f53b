//! A release function with a second argument needs `args = (…)`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_release(_: *mut Thing, _: i32) {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_release)]
pub struct Other;

fn main() {}
