//! `free` frees memory whose length is a number of its own; a struct with both is a handle.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod things;

mod ffi {
    pub use super::things::*;
    use std::ffi::{c_char, c_int, c_void};

    pub struct Buf {
        pub ptr: *mut c_char,
        pub size: usize,
    }
    pub unsafe extern "C" fn dump(_: *mut Thing, _: *mut Buf) -> c_int {
        0
    }
    pub unsafe extern "C" fn release(_: *mut c_void) {}
}

leakproof::byte_slice!(unsafe ffi::Buf { ptr: ptr, len: size });

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::dump, args = (self, out), fails = nonzero, free = ffi::release, on_failure = null)]
    fn dump(&self) -> Result<Bytes>;
}

fn main() {}
