//! Bytes whose length may not fit C's integer require a `Result`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn write(_: *mut Thing, _: *const u8, _: i32) -> i32 {
        unimplemented!()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::write, args = (self, bytes.ptr, bytes.len))]
    fn write(&self, bytes: &[u8]) -> i32;
}

fn main() {}
