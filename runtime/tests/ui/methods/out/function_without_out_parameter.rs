//! `out` stands where the C function has a parameter.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_new() -> *mut Thing {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn thing_free(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
struct Thing;

#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_new, args = (out), fails = null, on_failure = null)]
    fn open() -> Result<Owned<Thing>>;
}

fn main() {}
