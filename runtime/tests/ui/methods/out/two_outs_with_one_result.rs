//! Each `out` in `args` is one value of the result.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing(pub i32);
    pub unsafe extern "C" fn thing_pair(_: *mut i32, _: *mut *mut Thing) -> i32 {
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
    #[calls(ffi::thing_pair, args = (out, out), fails = nonzero, on_failure = null)]
    fn pair() -> Result<Owned<Thing>>;
}

fn main() {}
