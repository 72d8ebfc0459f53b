//! The closure of `len` gets the arguments of the C function, or what C writes to `len` in `args`.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;

    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}

    pub unsafe extern "C" fn thing_bytes(_: *const Thing, _: i32) -> *const u8 {
        std::ptr::null()
    }

    pub unsafe extern "C" fn thing_memory(_: *const Thing, _: *mut i32) -> *const u8 {
        std::ptr::null()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_bytes, len = |it| 2)]
    fn bytes(&self, from: i32) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = |it, n| n)]
    fn memory(&self) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = 4)]
    fn more_memory(&self) -> Option<Bytes>;
}

fn main() {}
