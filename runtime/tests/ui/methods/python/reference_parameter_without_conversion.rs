//! A reference parameter has a conversion from Python.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[methods]
impl Thing {
    fn take(&self, path: &std::path::Path) -> bool {
        path.exists()
    }
}

fn main() {}
