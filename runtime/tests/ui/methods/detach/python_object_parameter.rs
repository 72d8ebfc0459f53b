//! A detached method takes no Python objects.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods]
impl Bell {
    #[detach]
    fn work(&self, object: leakproof::pyo3::Bound<'_, leakproof::pyo3::PyAny>) {
        let _ = object;
    }
}

fn main() {}
