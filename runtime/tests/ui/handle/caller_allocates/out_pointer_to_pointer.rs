//! A constructor of a caller-allocated handle writes to the struct itself.

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

#[handle(caller_allocates = ffi::Thing, release = ffi::thing_free)]
struct Thing;
#[methods(unsafe)]
impl Thing {
    #[rust_only]
    #[calls(ffi::thing_open, args = (n, out), fails = nonzero, on_failure = null)]
    fn open(n: i32) -> Result<Owned<Thing>>;
}

fn main() {}
