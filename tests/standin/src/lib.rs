//! A library that does what C libraries do at the worst moment, for the tests of the runtime's Python half.

use leakproof::prelude::*;

mod ffi;

/// What the library reported about a call.
#[exception]
pub struct StoreError {
    /// All of it, in one line.
    pub message: String,
    /// Each report.
    pub reports: Vec<String>,
}

/// A report.
#[handle(raw = ffi::record, lent)]
pub struct Record;

#[methods(unsafe, private)]
impl Record {
    #[field(message)]
    fn message(&self) -> Option<String>;
}

/// Collects what is reported.
#[derive(Debug, Default)]
pub struct StoreErrors(Vec<String>);

impl Collect for StoreErrors {
    type Record = Record;

    fn collect(&mut self, record: &Record) {
        self.0.extend(record.message());
    }
}

impl Errors<Store> for StoreErrors {
    fn failed(self, _: &Call<'_, Store>) -> Error {
        StoreError {
            message: self.0.join(", "),
            reports: self.0,
        }
        .into()
    }
}

/// A store: what items live in.
#[handle(raw = ffi::store, release = ffi::store_free, errors(StoreErrors, callback = report))]
pub struct Store;

#[methods(unsafe)]
impl Store {
    /// Make one.
    #[new]
    #[calls(ffi::store_new, fails = null)]
    fn new() -> Result<Owned<Store>>;

    /// Work, alone.
    #[calls(ffi::store_work, detach)]
    #[pyo3(signature = (milliseconds = 0))]
    fn work(&mut self, milliseconds: u32);

    /// Work, beside others.
    #[calls(ffi::store_work, detach)]
    #[pyo3(signature = (milliseconds = 0))]
    fn work_beside(&self, milliseconds: u32);

    /// Fail, beside others.
    #[calls(ffi::store_fail, fails = nonzero, detach)]
    fn fail(&self, text: &CStr) -> Result<()>;

    /// Whether something hangs where the library reports to.
    #[getter]
    #[field(report)]
    fn hooked(&self) -> bool;

    /// Make an item.
    #[calls(ffi::item_new, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;
}

/// An item, which needs its store.
#[handle(raw = ffi::item, release = ffi::item_free, parent = Store)]
pub struct Item;

#[methods(unsafe)]
impl Item {
    /// Work, alone.
    #[calls(ffi::item_work, detach)]
    fn work(&mut self);

    /// Work, with a store.
    #[calls(ffi::item_work, args = (self), detach)]
    fn work_beside(&self);

    /// An item that lives in this one.
    #[calls(ffi::item_of_item, fails = null)]
    fn part(&self) -> Result<Owned<SubItem>>;
}

/// An item of an item.
#[handle(raw = ffi::item, release = ffi::item_free, parent = Item)]
pub struct SubItem;

#[methods(unsafe)]
impl SubItem {
    /// Work, alone.
    #[calls(ffi::item_work, detach)]
    fn work(&mut self);
}

/// Have every call wait at the gate.
#[leakproof::function]
fn close_gate() {
    ffi::set_gate(true);
}

/// Let go on what waits there.
#[leakproof::function]
fn open_gate() {
    ffi::set_gate(false);
}

/// How many calls wait at the gate.
#[leakproof::function]
fn at_gate() -> usize {
    ffi::at_gate()
}

/// What the library did since this was last asked.
#[leakproof::function]
fn take_log() -> Vec<String> {
    ffi::take_log()
}

/// A library made for tests.
#[leakproof::module]
mod standin_safe {
    #[pymodule_export]
    use super::{Item, Store, StoreError, SubItem, at_gate, close_gate, open_gate, take_log};
}
