//! A variable argument stands behind `...`.

use leakproof::prelude::*;

#[path = "../../ffi/options.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods(unsafe, rust_only)]
impl Thing {
    #[calls(ffi::thing_set, args = (self, 1, name), fails = nonzero)]
    fn set(&self, name: &CStr) -> Result<()>;
}

fn main() {}
