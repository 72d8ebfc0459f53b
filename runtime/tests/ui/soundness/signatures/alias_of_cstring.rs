//! A type alias does not hide text in a result.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

type Name = CString;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::name_mut)]
    fn name(&self) -> Option<Name>;
}

fn main() {}
