//! `free` requires a pointer that is not `const`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::name, free = ffi::text_free, utf8 = lossy)]
    fn name(&self) -> Option<String>;
}

fn main() {}
