//! `fails = nonzero` requires an integer.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn copy(_: *mut Thing) -> *mut Thing {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::copy, fails = nonzero)]
    fn copy(&self) -> Result<Owned<Thing>>;
}

fn main() {}
