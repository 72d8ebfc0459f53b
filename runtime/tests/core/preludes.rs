//! A file that imports both preludes: `Borrowed` in signatures is this crate's.

use leakproof::prelude::*;
use leakproof::pyo3::prelude::*;

use crate::wrapper::{Library, ffi};

/// A store.
#[handle(raw = ffi::store, release = ffi::store_free, fork_safe)]
pub(crate) struct Shelf;

/// An item of a store.
#[handle(raw = ffi::page, part_of = Shelf)]
pub(crate) struct Book;

#[methods(unsafe)]
impl Shelf {
    /// Opens a store.
    #[rust_only]
    #[calls(ffi::store_open, fails = null)]
    fn open(title: &str) -> Result<Owned<Self>>;

    /// Returns the last item.
    #[rust_only]
    #[calls(ffi::store_last)]
    fn last(&self) -> Option<Borrowed<Book>>;

    /// Returns `true` if there is an item. The signature has types of PyO3.
    fn is_filled(&self, _py: Python<'_>) -> PyResult<bool> {
        Ok(self.last().is_some())
    }
}

#[test]
fn borrowed_in_a_signature_is_this_crates() {
    let _library = Library::start();
    let shelf = Shelf::open("books").unwrap();
    assert!(shelf.last().is_some());
}
