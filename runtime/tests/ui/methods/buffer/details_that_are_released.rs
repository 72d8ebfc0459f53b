//! C may explain each of several failures: no explanation has to be released.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe)]
impl Thing {
    #[calls(
        ffi::explain, args = (self, buffer.ptr, &mut buffer.len, details), buffer = 4, fails = nonzero,
        details(String, free = ffi::text_free)
    )]
    fn text(&self) -> Result<Bytes>;

    #[calls(
        ffi::explain, args = (self, buffer.ptr, &mut buffer.len, details), buffer = 4, fails = nonzero,
        details = Option<Owned<Thing>>
    )]
    fn handle(&self) -> Result<Bytes>;
}

fn main() {}
