//! Handles whose classes Python classes may derive from.

use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::{Py, PyAny, Python};

use crate::ffi;

/// An album: a folder whose paper is a page.
#[handle(raw = ffi::folder, release = ffi::folder_free, fork_safe, subclass)]
pub struct Album;

#[methods(unsafe)]
impl Album {
    /// Makes an album whose page has this number.
    #[new]
    #[calls(ffi::folder_new, fails = null)]
    fn new(number: c_int) -> Result<Owned<Album>>;

    /// Makes an album whose page has the number 0.
    #[staticmethod]
    fn blank() -> Result<Owned<'static, Album>> {
        Album::new(0)
    }

    /// The page.
    #[getter]
    #[calls(ffi::folder_paper)]
    fn page(&self) -> Option<Borrowed<Page>>;

    /// The pages, of which there is one.
    fn __iter__(&self) -> Successors<'_, Page> {
        Successors::new(self.page(), |_| None)
    }

    /// Makes a ring on the album.
    #[calls(ffi::clip_new, fails = null)]
    fn ring(&self, number: c_int) -> Result<Owned<Ring>>;

    /// Returns the number of the page of another album.
    fn peek(&self, other: &Album) -> c_int {
        other.page().map_or(0, |page| page.number())
    }

    /// Calls `call` with an exclusive borrow.
    fn tell_alone(&mut self, py: Python<'_>, call: Py<PyAny>) -> Result<Py<PyAny>> {
        Ok(call.call0(py)?)
    }
}

/// A page, which knows its album.
#[handle(raw = ffi::paper, part_of = Album, owner_field = folder)]
pub struct Page;

#[methods(unsafe)]
impl Page {
    /// The number on it.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;
}

/// A ring on an album.
#[handle(raw = ffi::clip, release = ffi::clip_free, parent = Album, fork_safe)]
pub struct Ring;

/// A casket: a parcel that lends its memory.
#[handle(raw = ffi::parcel, release = ffi::parcel_free, fork_safe, lends, subclass)]
pub struct Casket;

#[methods(unsafe)]
impl Casket {
    /// Makes a casket of this weight. The constructor has a body.
    #[new]
    #[pyo3(signature = (weight = 1))]
    fn new(weight: c_int) -> Result<Owned<'static, Casket>> {
        match weight {
            0 => Err(Error::Value("it weighs nothing".into())),
            _ => Casket::of_weight(weight),
        }
    }

    #[rust_only]
    #[calls(ffi::parcel_new, fails = null)]
    fn of_weight(weight: c_int) -> Result<Owned<Casket>>;

    /// The weight.
    #[getter]
    #[field(weight)]
    fn weight(&self) -> c_int;

    /// Sets the weight.
    #[setter]
    #[field(weight)]
    fn set_weight(&mut self, weight: c_int);

    /// The bytes of the weight.
    #[getter]
    #[calls(ffi::parcel_memory, len = ffi::parcel_memory_size)]
    fn memory(&self) -> Option<&[u8]>;
}

/// A lease: a session whose close can be refused.
#[handle(
    raw = ffi::session,
    release(ffi::session_close, fails = nonzero, on_failure = kept),
    warn_unclosed,
    subclass
)]
pub struct Lease;

#[methods(unsafe)]
impl Lease {
    /// Opens a session. Fails for a negative number.
    #[new]
    #[calls(ffi::session_open, args = (busy, out), fails = nonzero, on_failure = owned)]
    fn new(busy: c_int) -> Result<Owned<Lease>>;

    /// The status that the close returns.
    #[getter]
    #[field(busy)]
    fn busy(&self) -> c_int;

    /// Sets the status that the close returns.
    #[setter]
    #[field(busy)]
    fn set_busy(&mut self, busy: c_int);

    /// Commits and ends the session. Fails without an effect if `busy` is 7.
    #[calls(ffi::session_commit, fails = negative, consumes = on_success)]
    fn commit(this: Owned<Lease>) -> Result<c_int>;
}

/// A figure: a shape, whose owners C counts.
#[handle(raw = ffi::shape, retain = ffi::shape_ref, independent, release = ffi::shape_unref, fork_safe, subclass)]
pub struct Figure;

#[methods(unsafe)]
impl Figure {
    /// Makes a figure, around another one if there is a `child`.
    #[new]
    #[pyo3(signature = (child = None))]
    #[calls(ffi::shape_new, fails = null)]
    fn new(child: Option<&Figure>) -> Result<Owned<Figure>>;

    /// The figure inside.
    #[getter]
    #[calls(ffi::shape_child, retain)]
    fn child(&self) -> Option<Owned<Figure>>;
}
