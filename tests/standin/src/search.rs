//! A search that works until another thread ends it.

use std::ffi::{c_int, c_ulong};

use leakproof::prelude::*;
use leakproof::pyo3::Python;

use crate::ffi;
use crate::store::{Record, StoreErrors};

/// The reports of one call, which are taken while the thread is attached to the interpreter.
#[derive(Debug, Default)]
pub struct SearchErrors(StoreErrors);

impl ErrorSink for SearchErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        Python::attach(|_| self.0.record(record));
    }
}

/// A search, which can be interrupted.
#[handle(raw = ffi::search, release = ffi::search_free, errors(SearchErrors, callback = report), fork_safe)]
pub struct Search;

#[methods(unsafe)]
impl Search {
    /// Makes a search that ends when it was interrupted so often; a stubborn one has found something then.
    #[new]
    #[calls(ffi::search_new, fails = null)]
    #[pyo3(signature = (patience = 1, *, stubborn = false, panics = false))]
    fn new(patience: c_int, stubborn: bool, panics: bool) -> Result<Owned<Search>>;

    /// Searches.
    #[calls(ffi::search_run, fails = null, detach, interrupt = Search::interrupt)]
    fn run(&self) -> Result<Owned<Finding>>;

    /// Searches, alone, and says a number and how long some memory is.
    #[calls(
        ffi::search_measure,
        args = (self, memory.ptr, memory.len, factor * 2),
        fails = negative,
        detach,
        interrupt = Search::interrupt
    )]
    fn measure(&mut self, memory: &[u8], factor: c_int) -> Result<c_int>;

    /// Lets the search end: with 1 it has found something, with 2 it fails.
    #[field(end, atomic)]
    fn finish(&self, end: c_int);

    /// The number of interruptions.
    #[getter]
    #[field(interrupts, atomic)]
    fn interrupts(&self) -> c_int;

    #[rust_only]
    #[field(panics)]
    fn panics(&self) -> bool;

    #[rust_only]
    #[calls(ffi::search_interrupt)]
    fn interrupt_once(&self);

    #[rust_only]
    fn interrupt(&self) {
        self.interrupt_once();
        assert!(!self.panics(), "the method that interrupts panics");
    }
}

impl ErrorSource<Search> for SearchErrors {
    fn into_error(self, _: &CallInfo<'_, Search>) -> Error {
        self.0.error()
    }
}

/// The result of a search.
#[handle(raw = ffi::finding, release = ffi::finding_free, parent = Search)]
pub struct Finding;

#[methods(unsafe)]
impl Finding {
    /// The thread that searched, as `threading.get_ident()` has it.
    #[getter]
    #[field(thread)]
    fn thread(&self) -> c_ulong;
}
