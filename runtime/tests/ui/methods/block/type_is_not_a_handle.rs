//! `#[methods]` is for handle types.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn size(_: *mut Thing) -> i32 {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

pub struct Plain;

#[methods(unsafe, rust_only)]
impl Plain {
    #[calls(ffi::size)]
    fn size(&self) -> i32;
}

fn main() {}
