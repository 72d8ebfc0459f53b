//! An object is made from C's text or bytes with the token, for a body.

use leakproof::prelude::*;
use leakproof::pyo3::types::{PyFloat, PyString};
use leakproof::pyo3::{Bound, Python};

#[path = "../../ffi/bell.rs"]
mod ffi;

#[handle(raw = ffi::Bell, release = ffi::bell_free, attachments)]
pub struct Bell;

#[methods(unsafe, utf8 = lossy)]
impl Bell {
    #[field(name)]
    fn name<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyString>>>;

    #[rust_only]
    #[field(name)]
    fn without_result<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>>;

    #[rust_only]
    #[field(name)]
    fn without_token(&self) -> Result<Option<Bound<'_, PyString>>>;

    #[rust_only]
    #[field(most)]
    fn number<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyFloat>>;

    #[rust_only]
    #[field(most)]
    fn most(&self, py: Python<'_>) -> i32;
}

fn main() {}
