//! What stands beside the memory is a plain value.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::receive, args = (self, out, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn handle(&self) -> Result<(Owned<Thing>, Bytes)>;

    #[calls(ffi::write, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn text(&self) -> Result<(CString, Bytes)>;
}

fn main() {}
