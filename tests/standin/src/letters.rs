//! Letters: results that are copies of text and bytes.

use std::ffi::{c_char, c_int};

use leakproof::prelude::*;
use leakproof::pyo3::types::{PyBytes, PyString};
use leakproof::pyo3::{Bound, Python};

use crate::ffi;

/// A letter.
#[handle(raw = ffi::letter, release = ffi::letter_free, fork_safe)]
pub struct Letter;

#[methods(unsafe)]
impl Letter {
    /// Write one.
    #[new]
    #[calls(ffi::letter_new, args = (text.ptr, text.len), fails = null)]
    fn new(text: Option<&[u8]>) -> Result<Owned<Letter>>;

    /// The text, which has to be there.
    #[calls(ffi::letter_text, fails = null)]
    fn text(&self) -> Result<String>;

    /// The text, if there is one.
    #[calls(ffi::letter_text)]
    fn perhaps_text(&self) -> Result<Option<String>>;

    /// The text, with replacements.
    #[calls(ffi::letter_text, utf8 = lossy)]
    fn lossy_text(&self) -> Option<String>;

    /// The text, as one object.
    #[calls(ffi::letter_text, utf8 = lossy, interned)]
    fn interned_text(&self) -> Option<String>;

    /// The text that the letter points to, as one object.
    #[getter]
    #[field(text, interned)]
    fn interned_body(&self) -> Result<Option<String>>;

    /// The text, as `os.fsdecode` decodes it.
    #[calls(ffi::letter_text)]
    fn data(&self) -> Option<CString>;

    /// The bytes.
    #[calls(ffi::letter_bytes, args = (self, len))]
    fn content(&self) -> Option<Bytes>;

    /// All of the text, with the NULs in it.
    #[calls(ffi::letter_bytes, args = (self, len))]
    fn whole_text(&self) -> Result<Option<String>>;

    /// A copy.
    #[calls(ffi::letter_copy, free = ffi::copy_free)]
    fn copy(&self) -> Result<Option<String>>;

    /// A copy, with replacements.
    #[calls(ffi::letter_copy, free = ffi::copy_free, utf8 = lossy)]
    fn lossy_copy(&self) -> Option<String>;

    /// A copy of the bytes.
    #[calls(ffi::letter_copy_bytes, args = (self, len), free = ffi::copy_free)]
    fn copied_bytes(&self) -> Option<Bytes>;

    /// The first eight bytes, in the letter itself.
    #[getter]
    #[field(title)]
    fn title(&self) -> Result<Option<String>>;

    /// The first eight bytes, as `os.fsdecode` decodes them.
    #[getter]
    #[field(title)]
    fn title_data(&self) -> Option<CString>;

    /// The text that the letter points to.
    #[getter]
    #[field(text)]
    fn body(&self) -> Result<Option<String>>;

    #[rust_only]
    #[calls(ffi::letter_text)]
    fn text_object<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyString>>>;

    #[rust_only]
    #[calls(ffi::letter_copy, free = ffi::copy_free, fails = null)]
    fn copy_object<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyString>>;

    #[rust_only]
    #[calls(ffi::letter_copy_bytes, args = (self, len), free = ffi::copy_free)]
    fn bytes_object<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyBytes>>>;

    #[rust_only]
    #[field(text, utf8 = lossy, interned)]
    fn body_object<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyString>>>;

    /// The text, as an object that a body returns.
    fn object_of_text<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyString>>> {
        self.text_object(py)
    }

    /// A copy, as an object that a body returns.
    fn object_of_copy<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyString>> {
        self.copy_object(py)
    }

    /// A copy of the bytes, as an object that a body returns.
    fn object_of_bytes<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyBytes>>> {
        self.bytes_object(py)
    }

    /// The text that the letter points to, with replacements, as an object that a body returns.
    fn object_of_body<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyString>>> {
        self.body_object(py)
    }

    /// The text of another letter.
    #[staticmethod]
    #[calls(ffi::letter_text)]
    fn text_of(letter: &Letter) -> Result<Option<String>>;

    /// A name that the letter has in no place.
    #[staticmethod]
    #[calls(ffi::letter_nowhere, args = (which))]
    #[pyo3(signature = (which = 0))]
    fn nowhere(which: c_char) -> Option<CString>;

    /// The number of places for stamps.
    #[staticmethod]
    #[calls(ffi::letter_places)]
    #[pyo3(signature = (columns = 1, rows = 6))]
    fn places(columns: c_int, rows: c_int) -> c_int;

    /// The number of places for stamps, by name.
    #[staticmethod]
    #[calls(ffi::letter_places)]
    #[pyo3(signature = (columns = 1, *, rows = 6))]
    fn places_by_name(columns: c_int, rows: c_int) -> c_int;
}
