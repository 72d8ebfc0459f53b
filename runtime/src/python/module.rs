//! Exports of every extension module besides its own classes: see `#[leakproof::module]`.

use std::collections::BTreeMap;
use std::ffi::{CStr, CString};

use pyo3::ffi;
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyType, PyTypeMethods};

use super::direct::install_functions;
use super::exceptions::{AffinityError, BusyError, ClosedError, Error, Exception, class_of};
use super::handle_class::HandleClass;
use super::iterator::{self, PartIterator};
use super::memoryview;
use super::package::{PACKAGE, package_name};
use super::trace;
use crate::helper_thread::before_python_forks;
use crate::interpreter::{
    count_with_other_packages, new_text, note_main_thread, refuse_subinterpreter,
};

/// Returns the number of live handles of each type: a dict of type name to count.
#[pyfunction]
pub fn live_handles() -> LiveHandles {
    LiveHandles(crate::handle::kind::live_handles())
}

/// The number of live handles of each type, by the type's name.
#[derive(Debug)]
pub struct LiveHandles(BTreeMap<&'static str, isize>);

impl<'py> IntoPyObject<'py> for LiveHandles {
    type Target = PyDict;
    type Output = Bound<'py, PyDict>;
    type Error = PyErr;

    const OUTPUT_TYPE: PyStaticExpr = <BTreeMap<&str, isize> as IntoPyObject<'static>>::OUTPUT_TYPE;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        // PyO3's conversions of names and numbers panic where they find no memory.
        // SAFETY: CPython: this thread is attached, as the token shows. The functions return new objects, or null with
        // an exception.
        unsafe {
            let dict =
                Bound::from_owned_ptr_or_err(py, ffi::PyDict_New())?.cast_into::<PyDict>()?;
            for (name, count) in self.0 {
                let count = Bound::from_owned_ptr_or_err(py, ffi::PyLong_FromSsize_t(count))?;
                dict.set_item(new_text(py, name)?, count)?;
            }
            Ok(dict)
        }
    }
}

/// The handles of a package made with leakproof: how many are alive, and where they were made.
///
/// Each such package has its own attribute `__leakproof__`; packages share nothing. Tools find the packages of a
/// process by this attribute.
///
/// `live_handles()` counts the native handles that were acquired and not yet released. Views, such as nodes of a
/// document, own nothing and are not counted.
///
/// To find out where a handle was made, set `LEAKPROOF_TRACE=1`, or call `trace(True)`: from then on, each handle
/// remembers the Python stack that made it, and `live_report()` returns these stacks. A stack costs tens of
/// microseconds.
///
/// With `LEAKPROOF_TRACE=1`, or under `python -X dev`, the handles that are still alive when the interpreter has ended
/// are reported on stderr. Something held them that Python could not drop:
///
/// - a daemon thread that still had a reference;
/// - an object of another extension module that was leaked, or a reference that C code never gave back;
/// - a handle whose release was deferred to a call that never ended.
///
/// Close such handles in your code, best with `with`.
#[pyclass(name = "__leakproof__", frozen)]
#[derive(Debug)]
pub struct Registry;

#[pymethods]
impl Registry {
    /// Returns the package that the module belongs to.
    #[staticmethod]
    fn package() -> Option<&'static str> {
        PACKAGE.get().map(String::as_str)
    }

    /// Returns the version of leakproof in the module.
    #[staticmethod]
    fn version() -> &'static str {
        env!("CARGO_PKG_VERSION")
    }

    /// Returns the number of live handles of each type: a dict of type name to count.
    #[staticmethod]
    fn live_handles() -> LiveHandles {
        live_handles()
    }

    /// Returns whether tracing is on: new handles record the Python code that makes them.
    #[staticmethod]
    fn tracing() -> bool {
        trace::is_on()
    }

    /// Switches tracing on or off.
    #[staticmethod]
    fn trace(on: bool) {
        trace::switch(on);
    }

    /// Returns the handles that were made while tracing was on and are still alive, oldest first: the type, the age in
    /// seconds, and the Python stack that made the handle.
    #[staticmethod]
    fn live_report() -> Vec<(&'static str, f64, String)> {
        trace::report()
    }
}

// A block of its own: PyO3 lists the methods of a block in the stubs without regard to a `cfg` on one of them.
#[cfg(feature = "fault-injection")]
#[pymethods]
impl Registry {
    /// Returns every call site: the method, the C function behind it (empty where Python enters) and whether the site
    /// was reached.
    #[staticmethod]
    fn call_sites() -> Vec<(&'static str, &'static str, bool)> {
        let sites = crate::failpoint::sites();
        sites
            .map(|site| (site.method, site.function, site.reached()))
            .collect()
    }

    /// Makes the n-th failpoint that this thread reaches from now on fail, once. Failpoints are counted from 1.
    #[staticmethod]
    fn arm_fault(n: u64) {
        crate::failpoint::arm(n);
    }

    /// Disarms the failpoint. Returns the method, the C function and the step that failed, or None if nothing failed.
    #[staticmethod]
    fn disarm_fault() -> Option<(&'static str, &'static str, &'static str)> {
        let (site, step) = crate::failpoint::disarm()?;
        Some((site.method, site.function, step.name()))
    }
}

/// An export that PyO3 has no form for: its module calls `add_to_module`.
#[doc(hidden)]
#[derive(Debug)]
pub struct Export(fn(&Bound<'_, PyModule>) -> PyResult<()>);

impl Export {
    /// Returns the export that `add` adds to a module.
    pub(super) const fn new(add: fn(&Bound<'_, PyModule>) -> PyResult<()>) -> Self {
        Export(add)
    }

    /// Adds the export to `module`, which is being initialized.
    ///
    /// # Errors
    ///
    /// A Python exception.
    pub fn add_to_module(&self, module: &Bound<'_, PyModule>) -> PyResult<()> {
        note_main_thread(module.py())?;
        (self.0)(module)
    }
}

/// Returns the export of an exception that is also a built-in one.
pub const fn export_exception<T: Exception>() -> Export {
    Export::new(|module| {
        let class = class_of::<T>(module.py())?;
        module.add(class.name()?, class)
    })
}

/// Returns the package that a module belongs to: `xml_safe` for `xml_safe._native`, and `counter` for the
/// `counter.counter` that maturin makes of a package without Python files.
fn package(module: &Bound<'_, PyModule>) -> PyResult<String> {
    let name = module.name()?.to_string();
    Ok(match name.rsplit_once('.') {
        Some((package, last)) if last.starts_with('_') || package.ends_with(last) => {
            package.to_owned()
        }
        _ => name,
    })
}

/// Moves a class of this crate, which PyO3 takes for a builtin, into the package: sets `__module__`, and the name that
/// CPython uses in its own messages.
///
/// `setattr` cannot do that: the base class of all handles is immutable, because a base of immutable classes has to be.
fn move_into_package(class: &Bound<'_, PyType>) -> PyResult<()> {
    let module = PyString::new(class.py(), package_name());
    let name = CString::new(format!("{}.{}", package_name(), class.name()?))?;
    let class = class.as_type_ptr();
    // SAFETY: CPython: PyO3 has made this class, on the heap: it has a dict, and a name that is a text. Only the
    // initialization of the module changes them, which has the GIL or the lock of the import. `PyType_Modified` drops
    // what CPython may have cached of the dict. CPython reads `tp_name` and never frees it; the text that is put there
    // is never freed either.
    unsafe {
        // A module that was forgotten and is imported anew has the same classes.
        if CStr::from_ptr((*class).tp_name) == name.as_c_str() {
            return Ok(());
        }
        if ffi::PyDict_SetItemString((*class).tp_dict, c"__module__".as_ptr(), module.as_ptr()) < 0
        {
            return Err(PyErr::fetch(module.py()));
        }
        ffi::PyType_Modified(class);
        (*class).tp_name = name.into_raw();
    }
    Ok(())
}

/// The export of `__leakproof__`. Also moves the classes that every package has its own copy of into the package.
#[derive(Debug)]
pub struct Register;

impl Register {
    #[doc(hidden)]
    pub const _PYO3_DEF: Export = Export(|module| {
        refuse_subinterpreter(module)?;
        let py = module.py();
        count_with_other_packages(py)?;
        before_python_forks(py)?;
        PACKAGE.get_or_init(|| package(module).unwrap_or_default());
        for class in [
            py.get_type::<HandleClass>(),
            py.get_type::<Error>(),
            py.get_type::<Registry>(),
            py.get_type::<PartIterator>(),
            py.get_type::<memoryview::Export>(),
        ] {
            move_into_package(&class)?;
        }
        install_functions(py)?;
        iterator::install(py);
        trace::start(py)?;
        module.add_class::<Registry>()
    });
    #[doc(hidden)]
    pub const _PYO3_INTROSPECTION_ID: &'static str = Registry::_PYO3_INTROSPECTION_ID;
}

impl ClosedError {
    #[doc(hidden)]
    pub const _PYO3_DEF: Export =
        Export(|module| module.add("ClosedError", ClosedError::class(module.py())?));
    #[doc(hidden)]
    pub const _PYO3_INTROSPECTION_ID: &'static str = "leakproof-ClosedError";
}

impl BusyError {
    #[doc(hidden)]
    pub const _PYO3_DEF: Export =
        Export(|module| module.add("BusyError", BusyError::class(module.py())?));
    #[doc(hidden)]
    pub const _PYO3_INTROSPECTION_ID: &'static str = "leakproof-BusyError";
}

impl AffinityError {
    #[doc(hidden)]
    pub const _PYO3_DEF: Export =
        Export(|module| module.add("AffinityError", AffinityError::class(module.py())?));
    #[doc(hidden)]
    pub const _PYO3_INTROSPECTION_ID: &'static str = "leakproof-AffinityError";
}

/// An entry of the stubs, in the form that PyO3's own macros leave in the binary: JSON, in pieces.
#[doc(hidden)]
#[macro_export]
macro_rules! __stub {
    ($symbol:ident, $($piece:expr),+) => {
        const _: () = {
            const PIECES: &[&[$crate::__private::python::module::Byte]] = &[$($piece.as_bytes()),+];
            const LENGTH: $crate::__private::python::module::Length = $crate::pyo3::impl_::concat::combined_len(PIECES);

            #[used]
            // SAFETY: the name is ours; the section is only read by the tool that writes the stubs.
            #[unsafe(no_mangle)]
            static $symbol: $crate::pyo3::impl_::introspection::SerializedIntrospectionFragment<LENGTH> =
                $crate::pyo3::impl_::introspection::SerializedIntrospectionFragment {
                    length: LENGTH as _,
                    fragment: $crate::pyo3::impl_::concat::combine_to_array::<LENGTH>(PIECES),
                };
        };
    };
}

#[doc(hidden)]
pub type Byte = u8;
#[doc(hidden)]
pub type Length = usize;

/// Writes the stub entry of an exception of this crate.
macro_rules! stub {
    ($symbol:ident, $name:literal, $doc:expr, $more_bases:literal) => {
        __stub!(
            $symbol,
            r#"{"bases":[{"type":"id","id":""#,
            Error::_PYO3_INTROSPECTION_ID,
            r#""}"#,
            $more_bases,
            r#"],"decorators":[],"doc":""#,
            $doc,
            concat!(
                "\",\"id\":\"leakproof-",
                $name,
                "\",\"name\":\"",
                $name,
                "\",\"type\":\"class\"}"
            )
        );
    };
}

stub!(
    PYO3_INTROSPECTION_1_LEAKPROOF_CLOSED_ERROR,
    "ClosedError",
    ClosedError::DOC,
    r#",{"type":"attribute","value":{"type":"name","id":"builtins"},"attr":"ValueError"}"#
);
stub!(
    PYO3_INTROSPECTION_1_LEAKPROOF_BUSY_ERROR,
    "BusyError",
    BusyError::DOC,
    ""
);
stub!(
    PYO3_INTROSPECTION_1_LEAKPROOF_OWNER_ERROR,
    "AffinityError",
    AffinityError::DOC,
    r#",{"type":"attribute","value":{"type":"name","id":"builtins"},"attr":"RuntimeError"}"#
);
