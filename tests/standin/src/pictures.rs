//! Pictures: lengths in other units, and fields that are never NULL, or are after all.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::ffi;

/// A picture.
#[handle(raw = ffi::picture, release = ffi::picture_free)]
pub struct Picture;

/// The frame of a picture.
#[handle(raw = ffi::picture, part_of = Picture)]
pub struct Frame;

#[methods(unsafe)]
impl Picture {
    /// Makes a picture. Without rows, all its pointers are NULL.
    #[new]
    #[calls(ffi::picture_new, fails = null)]
    fn new(rows: c_int, columns: c_int) -> Result<Owned<Picture>>;

    /// Sets numbers that say nothing about the memory.
    #[calls(ffi::picture_set_size)]
    fn set_size(&mut self, rows: c_int, columns: c_int);

    /// Returns all bytes from one on.
    #[calls(ffi::picture_bytes, len = |it, start| ffi::picture_rows(it) * (*it).columns * ffi::DEPTH - start, fails = null)]
    fn bytes_from(&self, start: c_int) -> Result<Bytes>;

    /// Returns all bytes, of which C gives the number of pixels.
    #[calls(ffi::picture_pixels, args = (self, len), len = |pixels| pixels * ffi::DEPTH)]
    fn pixels(&self) -> Option<Bytes>;

    /// Returns zeros, of which C gives the number of pixels.
    #[calls(
        ffi::picture_copy, args = (self, out, len), len = |pixels| pixels * 2, free = ffi::picture_free_bytes,
        fails = nonzero, on_failure = undefined
    )]
    fn copied(&self) -> Result<Bytes>;

    /// Returns all bytes, of which C tells the start by a pointer.
    #[calls(
        ffi::picture_info, args = (self, ffi::BYTES, out as *mut *const u8),
        len = |it, _| (*it).rows * (*it).columns * ffi::DEPTH, fails = nonzero
    )]
    fn all_bytes(&self) -> Result<Bytes>;

    /// All bytes.
    #[getter]
    #[field(bytes, len = |it| (*it).rows * (*it).columns * ffi::DEPTH)]
    fn memory(&self) -> Option<Bytes>;

    /// All words.
    #[getter]
    #[field(words, len = size)]
    fn words(&self) -> Option<Vec<u16>>;

    /// Other names.
    #[getter]
    #[field(aliases, until = null)]
    fn aliases(&self) -> Vec<CString>;

    /// Other names, without a list if C has none.
    #[getter]
    #[field(aliases, until = null)]
    fn optional_aliases(&self) -> Result<Option<Vec<String>>>;

    /// The years in which it was in the news, if there is a row.
    #[getter]
    #[field(years, until = null, when(rows, 1..))]
    fn years(&self) -> Option<Vec<c_int>>;

    /// The name.
    #[getter]
    #[field(name)]
    fn name(&self) -> Result<String>;

    /// The name.
    #[getter]
    #[field(name)]
    fn c_name(&self) -> CString;

    /// The frame.
    #[getter]
    #[field(frame)]
    fn frame(&self) -> Borrowed<Frame>;
}

#[methods(unsafe)]
impl Frame {
    /// The number of rows.
    #[getter]
    #[field(rows)]
    fn rows(&self) -> c_int;
}
