//! A handle is returned from a pointer to its own C type.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub struct Other;
    pub unsafe extern "C" fn copy(_: *mut Thing) -> *mut Other {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::copy, fails = null)]
    fn copy(&self) -> Result<Owned<Thing>>;
}

fn main() {}
