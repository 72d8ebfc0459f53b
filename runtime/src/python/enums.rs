//! Enumerations: C's constants as a Python `enum.IntEnum` or `enum.IntFlag`, from `#[int_enum]` and `#[int_flag]`.

use std::ffi::CStr;

use pyo3::PyTypeInfo;
use pyo3::exceptions::{PyOverflowError, PyValueError};
use pyo3::inspect::{PyClassNameStaticExpr, PyStaticExpr};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyInt};

use super::call::CallContext;
use super::extract::wrong_type;
use super::module::Export;
use super::py_box::no_memory;
use crate::enumeration::{Member, name_of};
use crate::failpoint::FailPoint;
use crate::interpreter::new_exception;

/// The cell that keeps the Python class of one enumeration.
#[doc(hidden)]
pub type Cell = PyOnceLock<Py<PyAny>>;

/// An enumeration that `#[int_enum]` or `#[int_flag]` declares.
#[doc(hidden)]
pub trait Enum: Copy + 'static {
    const NAME: &'static str;
    const MODULE: &'static str;
    const ID: &'static str;
    const DOC: &'static str;
    const FLAGS: bool;
    const BOUNDARY: Boundary;
    const MEMBERS: &'static [Member];
    /// The documentation of the members that have one.
    const MEMBER_DOCS: &'static [(&'static str, &'static str)];
    fn cell() -> &'static Cell;
    fn number(self) -> i128;
    fn of_number(number: i128) -> Option<Self>;
}

/// The places where Python may see a value that is not listed.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Boundary {
    /// Results alone.
    Results,
    /// Results and parameters.
    Keep,
    /// None.
    Strict,
}

/// Returns the type for the stubs.
#[doc(hidden)]
pub const fn hint<E: Enum>() -> PyStaticExpr {
    PyStaticExpr::PyClass(PyClassNameStaticExpr::new(
        &PyStaticExpr::Name { id: E::NAME },
        E::ID,
    ))
}

/// Returns the type of a parameter for the stubs. A type that keeps numbers without a name takes any `int`.
#[doc(hidden)]
pub const fn hint_of_parameter<E: Enum>() -> PyStaticExpr {
    match (E::FLAGS, E::BOUNDARY) {
        (false, Boundary::Keep) => INT,
        _ => hint::<E>(),
    }
}

const INT: PyStaticExpr = <PyInt as PyTypeInfo>::TYPE_HINT;

fn class<E: Enum>(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    let create = || {
        let base = if E::FLAGS { "IntFlag" } else { "IntEnum" };
        let members = E::MEMBERS.to_vec();
        let options = PyDict::new(py);
        options.set_item(intern!(py, "module"), E::MODULE)?;
        let base = py.import("enum")?.getattr(base)?;
        let class = base.call((E::NAME, members), Some(&options))?;
        if !E::DOC.is_empty() {
            class.setattr("__doc__", E::DOC)?;
        }
        for (name, doc) in E::MEMBER_DOCS {
            let member = class.getattr(name)?;
            // A second name of a number is the member of the first name.
            if member.getattr(intern!(py, "name"))?.eq(name)? {
                member.setattr("__doc__", doc)?;
            }
        }
        if E::FLAGS {
            class.setattr("__invert__", invert::<E>(py)?)?;
        }
        PyResult::Ok(class.unbind())
    };
    E::cell()
        .get_or_try_init(py, create)
        .map(|class| class.bind(py))
}

/// Makes the method for `~`. The method of `enum.IntFlag` also sets the bits between the listed flags.
fn invert<E: Enum>(py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    const METHOD: &CStr = c"def __invert__(self):\n    return type(self)(LISTED & ~int(self))";
    let namespace = PyDict::new(py);
    namespace.set_item("LISTED", listed::<E>())?;
    py.run(METHOD, Some(&namespace), None)?;
    namespace.as_any().get_item("__invert__")
}

/// Combines all listed flags.
fn listed<E: Enum>() -> i128 {
    E::MEMBERS.iter().fold(0, |all, (_, flag)| all | flag)
}

/// Returns the export that adds the class to a module.
#[doc(hidden)]
pub const fn export<E: Enum>() -> Export {
    Export::new(|module| module.add(E::NAME, class::<E>(module.py())?))
}

/// Returns the member, or the combination of flags. A constant that is not listed, perhaps of a newer version of the
/// library, becomes a plain `int`, or an error if the type is strict.
#[doc(hidden)]
pub fn object<E: Enum>(value: E, py: Python<'_>) -> PyResult<Bound<'_, PyAny>> {
    let number = value.number();
    let is_listed = match E::FLAGS {
        true => number & !listed::<E>() == 0,
        false => name_of(E::MEMBERS, number).is_some(),
    };
    if !is_listed && E::BOUNDARY == Boundary::Strict {
        return Err(new_exception::<PyValueError>(
            py,
            format_args!(
                "C returned {number}, which is not a valid {}: the annotation lists all values, so this version of the \
                 library is another one than the package was made for",
                E::NAME
            ),
        ));
    }
    if E::FLAGS || is_listed {
        class::<E>(py)?.call1((number,))
    } else {
        Ok(number.into_pyobject(py)?.into_any())
    }
}

/// Converts a result of a call.
#[doc(hidden)]
pub fn into_py<'py, E: Enum>(
    value: E,
    context: &CallContext<'_, 'py>,
) -> PyResult<Bound<'py, PyAny>> {
    if context.site().should_fail(FailPoint::Result) {
        return Err(no_memory());
    }
    object(value, context.py())
}

/// Extracts a constant from a member, or from an `int` with the value of a member. Another `int` is a `ValueError`,
/// unless the type keeps it.
#[doc(hidden)]
pub fn extract<E: Enum>(object: Borrowed<'_, '_, PyAny>) -> PyResult<E> {
    if !object.is_instance_of::<PyInt>() {
        return Err(wrong_type(E::NAME, object));
    }
    let number = match E::FLAGS {
        true => flags::<E>(object)?,
        false if E::BOUNDARY == Boundary::Keep => number_of::<E>(object)?,
        false => class::<E>(object.py())?.call1((object,))?.extract()?,
    };
    E::of_number(number).ok_or_else(|| unfit::<E>(object))
}

/// Returns the error for a number that C's type does not have.
fn unfit<E: Enum>(object: Borrowed<'_, '_, PyAny>) -> PyErr {
    let object = object.as_any();
    new_exception::<PyOverflowError>(
        object.py(),
        format_args!("{object} does not fit C's type of {}", E::NAME),
    )
}

/// Extracts a number that need not be listed.
fn number_of<E: Enum>(object: Borrowed<'_, '_, PyAny>) -> PyResult<i128> {
    object.extract().map_err(|_| unfit::<E>(object))
}

/// Extracts a combination of flags. A negative number, such as a `~` of an `int`, is all listed flags but some.
fn flags<E: Enum>(object: Borrowed<'_, '_, PyAny>) -> PyResult<i128> {
    let listed = listed::<E>();
    let number = number_of::<E>(object)?;
    let named = if number < 0 { !number } else { number };
    let unlisted = named & !listed;
    if unlisted != 0 && E::BOUNDARY != Boundary::Keep {
        return Err(new_exception::<PyValueError>(
            object.py(),
            format_args!(
                "{number} is not a valid {}: no flag is {unlisted:#x}",
                E::NAME
            ),
        ));
    }
    Ok(if number < 0 { listed & number } else { number })
}
