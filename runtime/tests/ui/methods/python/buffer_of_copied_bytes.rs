//! `__buffer__` exports memory of the handle, and a copy is none.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, lends)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    fn __buffer__(&self) -> Bytes {
        Bytes(Vec::new())
    }
}

#[handle(raw = ffi::Other, release = ffi::other_free, lends)]
pub struct Other;

#[methods(unsafe)]
impl Other {
    fn __buffer__(&self, flags: i32) -> &[u8] {
        let _ = flags;
        &[]
    }
}

fn main() {}
