//! C's constants in Python: an `enum.IntEnum` or `enum.IntFlag` of what `#[int_enum]` and `#[int_flag]` list.

use pyo3::exceptions::PyOverflowError;
use pyo3::inspect::{PyClassNameStaticExpr, PyStaticExpr};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyInt};

use super::enter::Context;
use super::handle::no_memory;
use super::module::Export;
use super::take::wrong_type;
use crate::site::Step;

/// Where the class of one enumeration is kept.
#[doc(hidden)]
pub type Cell = PyOnceLock<Py<PyAny>>;

/// What `#[int_enum]` or `#[int_flag]` says.
#[doc(hidden)]
pub trait Enum: Copy + 'static {
    const NAME: &'static str;
    const MODULE: &'static str;
    const ID: &'static str;
    const DOC: &'static str;
    const FLAGS: bool;
    const MEMBERS: &'static [(&'static str, i64)];
    fn cell() -> &'static Cell;
    fn number(self) -> i64;
    fn of_number(number: i64) -> Option<Self>;
}

/// The type in the stubs.
#[doc(hidden)]
pub const fn hint<E: Enum>() -> PyStaticExpr {
    PyStaticExpr::PyClass(PyClassNameStaticExpr::new(
        &PyStaticExpr::Name { id: E::NAME },
        E::ID,
    ))
}

fn class<E: Enum>(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let create = || {
        let base = if E::FLAGS { "IntFlag" } else { "IntEnum" };
        let members = E::MEMBERS.to_vec();
        let options = PyDict::new(py);
        options.set_item(intern!(py, "module"), E::MODULE)?;
        let base = py.import("enum")?.getattr(base)?;
        let class = base.call((E::NAME, members), Some(&options))?;
        class.setattr("__doc__", E::DOC)?;
        PyResult::Ok(class.unbind())
    };
    E::cell()
        .get_or_try_init(py, create)
        .map(|class| class.bind(py))
}

/// How a module gets the class.
#[doc(hidden)]
pub const fn export<E: Enum>() -> Export {
    Export::new(|module| module.add(E::NAME, class::<E>(module.py())?))
}

/// The member, or the flags. A constant that is not listed, perhaps of a newer version of the library, is a plain int.
#[doc(hidden)]
pub fn object<E: Enum>(value: E, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let number = value.number();
    if E::FLAGS || E::MEMBERS.iter().any(|(_, member)| *member == number) {
        class::<E>(py)?.call1((number,))
    } else {
        Ok(number.into_pyobject(py)?.into_any())
    }
}

/// A result of a call.
#[doc(hidden)]
pub fn give<'py, E: Enum>(value: E, context: &Context<'_, 'py>) -> PyResult<Bound<'py, PyAny>> {
    if context.site().fails(Step::Result) {
        return Err(no_memory());
    }
    object(value, context.py())
}

/// From a member, or an `int` that is one: any other is Python's own ValueError.
#[doc(hidden)]
pub fn take<E: Enum>(object: Borrowed<'_, '_, PyAny>) -> PyResult<E> {
    if !object.is_instance_of::<PyInt>() {
        return Err(wrong_type(E::NAME, object));
    }
    let member = class::<E>(object.py())?.call1((object,))?;
    E::of_number(member.extract()?).ok_or_else(|| {
        PyOverflowError::new_err(format!("{member} does not fit C's type of {}", E::NAME))
    })
}
