//! `free` frees the one result of a call.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::size, args = (self, out, out), free = ffi::text_free)]
    fn size(&self) -> (CString, i32);
}

fn main() {}
