//! `#[methods]` is for inherent `impl` blocks.

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

pub trait Sized2 {
    fn size(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Sized2 for Thing {
    #[calls(ffi::size)]
    fn size(&self) -> i32;
}

fn main() {}
