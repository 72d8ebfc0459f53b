//! An `Owned` result requires a pointer that is not `const`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn thing_default() -> *const Thing {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_default)]
    fn default() -> Option<Owned<Thing>>;

    #[calls(ffi::thing_default, owned)]
    fn made() -> Option<Owned<Thing>>;
}

fn main() {}
