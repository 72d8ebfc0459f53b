//! `fields` names fields that exist.

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
    #[calls(ffi::work, args = (self), fields(start = data.ptr, count = data.len), fails = nonzero)]
    fn work(&mut self, data: &[u8]) -> Result<()>;
}

fn main() {}
