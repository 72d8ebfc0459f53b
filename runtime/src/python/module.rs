//! What every extension module exports besides its own classes: see `#[leakproof::module]`.

use std::collections::BTreeMap;

use pyo3::prelude::*;

use super::exceptions::{BusyError, ClosedError, Error};
use super::handle::HandleClass;

/// How many handles of each type are alive: a dict of type name to count.
#[pyfunction]
pub fn live_handles() -> BTreeMap<&'static str, isize> {
    crate::ledger::live_handles()
}

/// What `__leakproof__` of a module is: how tools find every such module of a process.
#[pyclass(name = "Registry", frozen)]
#[derive(Debug)]
pub struct Registry {
    /// The module's name.
    #[pyo3(get)]
    module: String,
    /// The version of leakproof in it.
    #[pyo3(get)]
    version: &'static str,
}

#[pymethods]
impl Registry {
    /// How many handles of each type are alive: a dict of type name to count.
    #[staticmethod]
    fn live_handles() -> BTreeMap<&'static str, isize> {
        crate::ledger::live_handles()
    }

    fn __repr__(&self) -> String {
        format!("<leakproof {} in {}>", self.version, self.module)
    }
}

/// The exports as one item: PyO3's module calls `add_to_module` on it.
#[doc(hidden)]
#[derive(Debug)]
pub struct Export(fn(&Bound<'_, PyModule>) -> PyResult<()>);

impl Export {
    /// Called while the module is initialised.
    ///
    /// # Errors
    ///
    /// What Python raises.
    pub fn add_to_module(&self, module: &Bound<'_, PyModule>) -> PyResult<()> {
        (self.0)(module)
    }
}

/// The package that a module belongs to: `xml_safe` for `xml_safe._native`.
fn package(module: &Bound<'_, PyModule>) -> PyResult<String> {
    let name = module.name()?.to_string();
    Ok(match name.rsplit_once("._") {
        Some((package, _)) => package.to_owned(),
        None => name,
    })
}

/// `__leakproof__`, and the right module name for the classes that every package has its own copy of.
#[derive(Debug)]
pub struct Register;

impl Register {
    #[doc(hidden)]
    pub const _PYO3_DEF: Export = Export(|module| {
        let py = module.py();
        let package = package(module)?;
        py.get_type::<HandleClass>().setattr("__module__", &package)?;
        py.get_type::<Error>().setattr("__module__", &package)?;
        module.add("__leakproof__", Registry { module: package, version: env!("CARGO_PKG_VERSION") })
    });
    #[doc(hidden)]
    pub const _PYO3_INTROSPECTION_ID: &'static str = "leakproof-register";
}

impl ClosedError {
    #[doc(hidden)]
    pub const _PYO3_DEF: Export = Export(|module| module.add("ClosedError", ClosedError::class(module.py())?));
    #[doc(hidden)]
    pub const _PYO3_INTROSPECTION_ID: &'static str = "leakproof-ClosedError";
}

impl BusyError {
    #[doc(hidden)]
    pub const _PYO3_DEF: Export = Export(|module| module.add("BusyError", BusyError::class(module.py())?));
    #[doc(hidden)]
    pub const _PYO3_INTROSPECTION_ID: &'static str = "leakproof-BusyError";
}
