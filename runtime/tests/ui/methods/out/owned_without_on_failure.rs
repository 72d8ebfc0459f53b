//! An owned handle in `out` of a fallible call requires `on_failure`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_open(_: i32, _: *mut *mut Thing) -> i32 {
        0
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
    #[calls(ffi::thing_open, args = (n, out), fails = nonzero)]
    fn open(n: i32) -> Result<Owned<Thing>>;
}

fn main() {}
