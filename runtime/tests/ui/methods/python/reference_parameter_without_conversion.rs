//! A reference parameter has a conversion from Python.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn take(&self, path: &std::path::Path) -> bool {
        path.exists()
    }
}

fn main() {}
