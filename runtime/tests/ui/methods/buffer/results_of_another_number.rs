//! The results are the memory, each `out`, and perhaps the value that C returns.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::write, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn three(&self) -> Result<(i32, Bytes, i32)>;

    #[calls(ffi::receive, args = (self, out, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn one(&self) -> Result<Bytes>;

    #[calls(ffi::receive, args = (self, out, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn in_another_order(&self) -> Result<(Bytes, i32)>;
}

fn main() {}
