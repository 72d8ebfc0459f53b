//! What C has filled is there, unless `none` says that it is not.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(ffi::write, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn pair(&self) -> Result<Option<(i32, Bytes)>>;

    #[calls(ffi::write, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn half(&self) -> Result<(i32, Option<Bytes>)>;
}

fn main() {}
