//! A `Borrowed` result that can be NULL requires an `Option` or `fails = null`.

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
    #[calls(ffi::copy)]
    fn copy(&self) -> Borrowed<Thing>;
}

fn main() {}
