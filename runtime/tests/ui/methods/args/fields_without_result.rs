//! Bytes in `fields` whose length may not fit C's integer require a `Result`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing {
        pub data: *const u8,
        pub count: u32,
    }
    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}
    pub unsafe extern "C" fn work(_: *mut Thing) -> i32 {
        0
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::work, args = (self), fields(data = data.ptr, count = data.len))]
    fn work(&mut self, data: &[u8]) -> i32;
}

fn main() {}
