//! A store with items, and the errors that it reports by a callback.

use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::types::PyAnyMethods;
use leakproof::pyo3::{Bound, Py, PyAny, Python};

use crate::ffi;

/// The error of a call, as the library reported it.
#[exception]
pub(crate) struct StoreError {
    /// All reports, in one line.
    pub message: String,
    /// The single reports.
    pub reports: Vec<String>,
}

/// The error of a call on one shelf.
#[exception(extends = StoreError)]
pub(crate) struct ShelfError {
    /// The error of the store.
    pub base: StoreError,
    /// The number of the shelf.
    pub shelf: c_int,
}

/// A report.
#[handle(raw = ffi::record, callback_only)]
pub struct Record;

#[methods(unsafe, rust_only)]
impl Record {
    #[field(message, utf8 = lossy)]
    fn message(&self) -> Option<String>;
}

/// The reports of one call.
#[derive(Debug, Default)]
pub struct StoreErrors(Vec<String>);

impl ErrorSink for StoreErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        self.0.extend(record.message());
    }
}

impl StoreErrors {
    pub(crate) fn error(self) -> Error {
        StoreError {
            message: self.0.join(", "),
            reports: self.0,
        }
        .into()
    }
}

impl ErrorSource<Store> for StoreErrors {
    fn into_error(self, _: &CallInfo<'_, Store>) -> Error {
        self.error()
    }
}

/// A store, in which items live.
#[handle(raw = ffi::store, release = ffi::store_free, errors(StoreErrors, callback = report), fork_safe)]
pub struct Store;

#[methods(unsafe)]
impl Store {
    /// Makes a store.
    #[new]
    #[calls(ffi::store_new, fails = null)]
    fn new() -> Result<Owned<Store>>;

    /// Works by an exclusive borrow.
    #[calls(ffi::store_work, detach)]
    #[pyo3(signature = (milliseconds = 0))]
    fn work(&mut self, milliseconds: u32);

    /// Works by a shared borrow.
    #[calls(ffi::store_work, detach)]
    #[pyo3(signature = (milliseconds = 0))]
    fn work_beside(&self, milliseconds: u32);

    /// Fails, with a shared borrow.
    #[calls(ffi::store_fail, fails = nonzero, detach)]
    fn fail(&self, text: &CStr) -> Result<()>;

    /// Fails, with text that Rust copies for C.
    #[calls(ffi::store_fail, fails = nonzero)]
    fn fail_by_copy(&self, text: &str) -> Result<()>;

    /// True if a callback for reports is set.
    #[getter]
    #[field(report)]
    fn hooked(&self) -> bool;

    /// Calls `call` with a shared borrow.
    fn tell(&self, py: Python<'_>, call: Py<PyAny>) -> Result<Py<PyAny>> {
        Ok(call.call0(py)?)
    }

    /// Calls `call`, which is an argument with a named lifetime, with a shared borrow.
    fn tell_named<'a>(&self, call: Bound<'a, PyAny>) -> Result<bool> {
        Ok(call.call0()?.is_none())
    }

    /// Calls `call` with an exclusive borrow.
    fn tell_alone(&mut self, py: Python<'_>, call: Py<PyAny>) -> Result<Py<PyAny>> {
        Ok(call.call0(py)?)
    }

    /// Makes an item.
    #[calls(ffi::item_new, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;
}

// What a package adds to a handle may stand in another block.
#[methods]
impl Store {
    /// Works twice.
    fn work_twice(&mut self) {
        self.work(0);
        self.work(0);
    }
}

/// An item, which needs its store.
#[handle(raw = ffi::item, release = ffi::item_free, parent = Store, lends)]
pub struct Item;

#[methods(unsafe)]
impl Item {
    /// Works by an exclusive borrow.
    #[calls(ffi::item_work, detach)]
    fn work(&mut self);

    /// Works by a shared borrow of the item.
    #[calls(ffi::item_work, args = (self), detach)]
    fn work_beside(&self);

    /// The memory of the item.
    #[getter]
    #[calls(ffi::item_memory, len = ffi::item_memory_size)]
    fn memory(&self) -> Option<&[u8]>;

    /// Writes to the memory of the item. The annotation is wrong: the call needs `&mut self`.
    #[calls(ffi::item_overwrite, fails = nonzero)]
    fn overwrite_beside(&self, byte: u8) -> Result<()>;

    /// An item that lives in this one.
    #[calls(ffi::item_of_item, fails = null)]
    fn part(&self) -> Result<Owned<SubItem>>;
}

/// An item that lives in an item.
#[handle(raw = ffi::item, release = ffi::item_free, parent = Item, reads_parent)]
pub struct SubItem;

#[methods(unsafe)]
impl SubItem {
    /// Works by an exclusive borrow.
    #[calls(ffi::item_work, detach)]
    fn work(&mut self);
}
