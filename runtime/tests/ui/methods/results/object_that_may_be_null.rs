//! A text that becomes a Python object is an `Option` where C may return NULL.

use leakproof::prelude::*;
use leakproof::pyo3::types::{PyBytes, PyString};
use leakproof::pyo3::{Bound, Python};

#[allow(non_camel_case_types, clippy::undocumented_unsafe_blocks)]
mod ffi {
    use std::ffi::c_char;
    pub struct note;
    pub unsafe extern "C" fn note_free(_: *mut note) {}
    pub unsafe extern "C" fn note_text(_: *mut note) -> *const c_char {
        std::ptr::null()
    }
}

#[handle(raw = ffi::note, release = ffi::note_free)]
pub struct Note;

#[methods(unsafe, rust_only)]
impl Note {
    #[calls(ffi::note_text)]
    fn text<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyString>>;

    #[calls(ffi::note_text)]
    fn bytes<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyBytes>>;
}

fn main() {}
