//! A detached method takes no `Python` token.

use leakproof::prelude::*;

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods]
impl Bell {
    #[detach]
    fn work(&self, py: leakproof::pyo3::Python<'_>) {
        let _ = py;
    }
}

fn main() {}
