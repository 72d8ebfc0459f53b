//! `len` excludes `CString`, which ends with NUL.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::data, len = ffi::size)]
    fn data(&self) -> Option<CString>;
}

fn main() {}
