//! A `#[function]` is a Rust function of its own name, with and without Python.

use leakproof::prelude::*;

use crate::wrapper::{Library, Store};

/// Twice the number.
#[function]
fn double(number: i32) -> i32 {
    2 * number
}

/// The limit of the store, under another name in Python.
#[function]
#[pyo3(name = "store_limit", signature = (store, more = 0))]
pub(crate) fn limit(store: &Store, more: i32) -> i32 {
    store.limit() + more
}

/// A function whose name is a keyword.
#[function]
fn r#yield(number: i32) -> Result<i32> {
    Ok(double(number))
}

/// A function that is in no build.
#[function]
#[cfg(any())]
fn absent() -> undefined::Type {}

#[cfg(feature = "python")]
#[leakproof::module]
mod functions {
    #[pymodule_export]
    use super::{double, limit};
}

#[test]
fn function_is_called_by_its_name() {
    assert_eq!(double(2), 4);
    assert_eq!(r#yield(3).unwrap(), 6);
    let as_pointer: fn(i32) -> i32 = double;
    assert_eq!(as_pointer(1), 2);
}

#[test]
fn function_borrows_a_handle_of_rust() {
    let _library = Library::start();
    let mut store = crate::open();
    store.set_limit(6);
    assert_eq!(limit(&store, 1), 7);
}
