//! Values from and to Python's own objects.
//!
//! Nothing here recurses: containers are made empty, and filled one after the other.

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyRecursionError, PyTypeError, PyValueError};
use leakproof::pyo3::types::{
    PyAnyMethods, PyBool, PyDict, PyDictMethods, PyFloat, PyInt, PyList, PyString, PyTuple,
};
use leakproof::pyo3::{Bound, IntoPyObjectExt, PyAny, PyResult, Python};

use crate::value::{DEPTH, Kind, Value};

/// Returns a value without its contents. The second result says whether there are contents.
fn empty(object: &Bound<'_, PyAny>) -> Result<(Owned<'static, Value>, bool)> {
    if object.is_instance_of::<PyDict>() {
        return Ok((Value::object()?, true));
    }
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        return Ok((Value::array()?, true));
    }
    let value = if object.is_none() {
        Value::null()
    } else if object.is_instance_of::<PyBool>() {
        Value::boolean(object.extract()?)
    } else if object.is_instance_of::<PyInt>() {
        Value::integer(object.extract()?)
    } else if object.is_instance_of::<PyFloat>() {
        let number: f64 = object.extract()?;
        if !number.is_finite() {
            return Err(PyValueError::new_err(format!("{number} is no number in JSON")).into());
        }
        Value::real(number)
    } else if object.is_instance_of::<PyString>() {
        Value::string(&object.extract::<String>()?)
    } else {
        let class = object.get_type();
        let message =
            format!("None, bool, int, float, str, list, tuple or dict expected, not {class}");
        return Err(PyTypeError::new_err(message).into());
    };
    Ok((value?, false))
}

/// Makes a value of None, bool, int, float, str, list, tuple or dict.
pub(crate) fn from_python<'py>(object: Bound<'py, PyAny>) -> Result<Owned<'static, Value>> {
    let (root, nested) = empty(&object)?;
    let mut todo = Vec::new();
    if nested {
        todo.push((object, root.clone(), 1));
    }
    while let Some((object, mut value, depth)) = todo.pop() {
        if depth > DEPTH {
            return Err(PyRecursionError::new_err(
                "an object is nested too deep, or contains itself",
            )
            .into());
        }
        let mut fill = |name: Option<&CStr>, item: Bound<'py, PyAny>| -> Result<()> {
            let (child, nested) = empty(&item)?;
            if nested {
                todo.push((item, child.clone(), depth + 1));
            }
            match name {
                Some(name) => value.object_give(name, child),
                None => value.array_give(child),
            }
        };
        if let Ok(dict) = object.cast::<PyDict>() {
            for pair in dict.items() {
                let (name, item): (Bound<'_, PyString>, _) = pair.extract()?;
                fill(Some(&name.extract::<CString>()?), item)?;
            }
        } else {
            for item in object.try_iter()? {
                fill(None, item?)?;
            }
        }
    }
    Ok(root)
}

/// Returns a value as a Python object without its contents. The second result says whether there are contents.
fn shell<'py>(value: &Value, py: Python<'py>) -> Result<(Bound<'py, PyAny>, bool)> {
    let object: PyResult<_> = match value.kind() {
        Kind::OBJECT => return Ok((PyDict::new(py).into_any(), true)),
        Kind::ARRAY => return Ok((PyList::empty(py).into_any(), true)),
        Kind::STRING => value.text()?.into_bound_py_any(py),
        Kind::INTEGER => value.integer_value().into_bound_py_any(py),
        Kind::REAL => value.real_value().into_bound_py_any(py),
        Kind::TRUE => true.into_bound_py_any(py),
        Kind::FALSE => false.into_bound_py_any(py),
        _ => Ok(py.None().into_bound(py)),
    };
    Ok((object?, false))
}

/// Makes None, bool, int, float, str, list or dict of a value.
pub(crate) fn to_python<'py>(value: &Value, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
    let (root, nested) = shell(value, py)?;
    let mut todo = Vec::new();
    if nested {
        todo.push((Borrowed::from(value).retain(), root.clone()));
    }
    while let Some((value, object)) = todo.pop() {
        for (name, child) in value.contents() {
            let (item, nested) = shell(&child, py)?;
            match name {
                Some(name) => object.set_item(name.to_string_lossy(), &item)?,
                None => object.call_method1("append", (&item,)).map(drop)?,
            }
            if nested {
                todo.push((child, item));
            }
        }
    }
    Ok(root)
}
