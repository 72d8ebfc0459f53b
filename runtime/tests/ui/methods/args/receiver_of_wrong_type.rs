//! The receiver is passed where C takes a pointer to its own C type.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub struct Other;
    pub unsafe extern "C" fn size(_: *mut Other) -> i32 {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::size)]
    fn size(&self) -> i32;
}

fn main() {}
