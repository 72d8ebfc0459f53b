//! A length that C writes excludes an end.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(
        ffi::explain, args = (self, buffer.ptr, &mut buffer.len, null), buffer = 4, until = null, fails = negative
    )]
    fn explain(&self) -> Result<String>;
}

fn main() {}
