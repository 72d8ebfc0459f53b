//! Parameters of statements, and column values.

use leakproof::prelude::*;
use leakproof::pyo3;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::types::{PyAnyMethods, PyBytes, PyFloat, PyInt, PyString};
use leakproof::pyo3::{FromPyObject, IntoPyObject, PyAny, PyErr, PyResult, PyTypeInfo};

/// A value of a parameter.
#[derive(Debug)]
pub(crate) enum Parameter {
    /// INTEGER
    Integer(i64),
    /// REAL
    Real(f64),
    /// TEXT
    Text(String),
    /// BLOB
    Blob(Vec<u8>),
}

impl<'py> FromPyObject<'_, 'py> for Parameter {
    type Error = PyErr;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        // The object's type decides, not its conversions: no digit and no byte is lost.
        if PyInt::is_type_of(&object) {
            object.extract().map(Parameter::Integer)
        } else if PyFloat::is_type_of(&object) {
            object.extract().map(Parameter::Real)
        } else if PyString::is_type_of(&object) {
            object.extract().map(Parameter::Text)
        } else if PyBytes::is_type_of(&object) {
            object.extract().map(Parameter::Blob)
        } else {
            let class = object.get_type();
            let message = format!("None, int, float, str or bytes expected, not {class}");
            Err(PyTypeError::new_err(message))
        }
    }
}

/// A value of a row.
#[derive(Debug, IntoPython, IntoPyObject)]
#[pyo3(crate = "leakproof::pyo3")]
pub(crate) enum Value {
    /// INTEGER
    Integer(i64),
    /// REAL
    Real(f64),
    /// TEXT
    Text(String),
    /// BLOB
    Blob(Bytes),
}
