//! What C writes again is a plain value, also under another name.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

type Made = Owned<'static, Thing>;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(
        ffi::make, args = (self, out, buffer.ptr, &mut buffer.len), buffer = 4, fails = nonzero,
        too_small = negative
    )]
    fn handle(&self) -> Result<(Made, Bytes)>;
}

fn main() {}
