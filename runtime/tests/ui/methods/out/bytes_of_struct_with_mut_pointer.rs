//! Bytes that are copied from a struct whose pointer is not `const` belong to C or to the caller: the method says so.

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
    pub struct View {
        pub ptr: *const c_char,
        pub size: usize,
    }
    pub unsafe extern "C" fn dump(_: *mut Thing, _: *mut Buf) -> c_int {
        0
    }
    pub unsafe extern "C" fn show(_: *mut Thing, _: *mut View) -> c_int {
        0
    }
    pub unsafe extern "C" fn pair(_: *mut Thing, _: *mut c_int, _: *mut Buf) -> c_int {
        0
    }
    pub unsafe extern "C" fn release(_: *mut c_void) {}
}

leakproof::byte_slice!(unsafe ffi::Buf { ptr: ptr, len: size });
leakproof::byte_slice!(unsafe ffi::View { ptr: ptr, len: size });

#[handle(raw = ffi::Thing, release = ffi::thing_free, lends)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::show, args = (self, out), fails = nonzero)]
    fn constant(&self) -> Result<Bytes>;

    #[calls(ffi::dump, args = (self, out), fails = nonzero, borrowed)]
    fn borrowed(&self) -> Result<Bytes>;

    #[calls(ffi::dump, args = (self, out), fails = nonzero)]
    fn lent(&self) -> Result<&[u8]>;

    #[calls(ffi::dump, args = (self, out), fails = nonzero)]
    fn leaks(&self) -> Result<Bytes>;

    #[calls(ffi::dump, args = (self, out), fails = nonzero)]
    fn leaks_perhaps(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::pair, args = (self, out, out), fails = nonzero)]
    fn leaks_beside(&self) -> Result<(i32, Bytes)>;
}

fn main() {}
