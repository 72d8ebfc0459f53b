//! The expression of `len` stands outside of `unsafe`, sees no variable of the generated code, and does not leave it.

use leakproof::prelude::*;

mod ffi {
    pub struct Thing;

    pub unsafe extern "C" fn thing_free(_: *mut Thing) {}

    pub unsafe extern "C" fn thing_memory(_: *const Thing, _: *mut u32) -> *const u8 {
        std::ptr::null()
    }
}

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_memory, args = (self, len), len = |n| n.unchecked_add(1))]
    fn without_unsafe(&self) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = |n| { drop(memory); n })]
    fn memory(&self) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = |n| { drop(ret); n })]
    fn returned(&self) -> Option<Bytes>;

    #[calls(ffi::thing_memory, args = (self, len), len = |n| if n == 0 { return None } else { n })]
    fn left(&self) -> Option<Bytes>;
}

fn main() {}
