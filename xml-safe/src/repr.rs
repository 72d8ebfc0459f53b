//! The `repr` of a node, which says what the node is. As for all handles, it raises nothing for a closed one.

use leakproof::pyo3::exceptions::PyException;
use leakproof::pyo3::prelude::{Bound, PyAny, PyAnyMethods, PyResult};
use leakproof::pyo3::pymethods;
use leakproof::pyo3::types::PyString;

use crate::node::NodeClass;
use crate::serialize::python::name;

/// The types of nodes that have a name of their own.
const NAMED: [&str; 5] = ["element", "attribute", "pi", "entity_ref", "dtd"];

#[pymethods(crate = "leakproof::pyo3")]
impl NodeClass {
    fn __repr__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let plain = slf.py_super()?.call_method0(name(py, "__repr__")?)?;
        let described = match description(slf) {
            Ok(described) => described,
            Err(error) if error.is_instance_of::<PyException>(py) => return Ok(plain),
            Err(error) => return Err(error),
        };
        let text: String = plain.extract()?;
        let Some((class, place)) = text.split_once(' ') else {
            return Ok(plain);
        };
        let text = format!("{class} {described} {place}");
        PyString::from_bytes(py, text.as_bytes()).map(Bound::into_any)
    }
}

/// Returns the type of a node, and its name if it has one of its own.
fn description(node: &Bound<'_, NodeClass>) -> PyResult<String> {
    let py = node.py();
    let kind: String = node.getattr(name(py, "type")?)?.extract()?;
    if !NAMED.contains(&&*kind) {
        return Ok(kind);
    }
    let named = node.getattr(name(py, "name")?)?.repr()?;
    let named: String = named.extract()?;
    Ok(format!("{kind} {named}"))
}
