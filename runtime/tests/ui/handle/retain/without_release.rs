//! `retain` requires `release`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_ref(_: *mut Thing) -> *mut Thing {
        std::ptr::null_mut()
    }
}

#[handle(raw = ffi::Thing, retain = ffi::thing_ref, independent)]
struct Thing;


fn main() {}
