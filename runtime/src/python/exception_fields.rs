//! The fields of exceptions, in the `__dict__` of their objects: for `#[exception]`.

use std::any::Any;
use std::marker::PhantomData;

use pyo3::exceptions::{PyAttributeError, PyTypeError};
use pyo3::ffi;
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use pyo3::{Borrowed, PyClass};

use crate::interpreter::{new_exception, new_text};

/// Returns the `__dict__` of an exception, which holds its fields.
pub(super) fn fields_of<'py>(exception: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyDict>> {
    let name = new_text(exception.py(), "__dict__")?;
    Ok(exception.getattr(name)?.cast_into()?)
}

/// Puts one field into the `__dict__` of an exception.
#[doc(hidden)]
pub fn set_field<'py, T: IntoPyObject<'py> + 'static>(
    fields: &Bound<'py, PyDict>,
    name: &'static str,
    value: T,
) -> PyResult<()> {
    let py = fields.py();
    let name = new_text(py, name)?;
    match without_pyo3(py, &value) {
        Some(object) => fields.set_item(name, object?),
        None => fields.set_item(name, value),
    }
}

/// Converts a text or a number. Returns `None` for a value of another type: PyO3 converts it, and panics where it finds
/// no memory.
fn without_pyo3<'py>(py: Python<'py>, value: &dyn Any) -> Option<PyResult<Bound<'py, PyAny>>> {
    macro_rules! numbers {
        ($($type:ty)+) => {$(
            let number = value.downcast_ref::<$type>().copied();
            if let Some(number) = number.or_else(|| *value.downcast_ref::<Option<$type>>()?) {
                // SAFETY: CPython: this thread is attached, as the token shows. The function returns a new object, or
                // null with an exception.
                return Some(unsafe {
                    let number = ffi::PyLong_FromLongLong(number.into());
                    Bound::from_owned_ptr_or_err(py, number)
                });
            }
        )+};
    }
    numbers! { i32 u32 i64 }
    let text = value.downcast_ref::<String>();
    let text = text.or_else(|| value.downcast_ref::<Option<String>>()?.as_ref())?;
    Some(new_text(py, text).map(Bound::into_any))
}

/// A field's value, with the type that the stubs give it.
#[doc(hidden)]
pub struct FieldOf<'py, T>(Bound<'py, PyAny>, PhantomData<T>);

impl<'py, T: IntoPyObject<'py>> IntoPyObject<'py> for FieldOf<'py, T> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = std::convert::Infallible;

    const OUTPUT_TYPE: PyStaticExpr = T::OUTPUT_TYPE;

    fn into_pyobject(self, _: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(self.0)
    }
}

/// Returns the value of a field, for the field's Python property.
///
/// # Errors
///
/// `AttributeError` if `__init__` was not called, for example by the `__init__` of a subclass.
#[doc(hidden)]
pub fn field<'py, T>(
    exception: &Bound<'py, PyAny>,
    name: &'static str,
) -> PyResult<FieldOf<'py, T>> {
    match fields_of(exception)?.get_item(name)? {
        Some(value) => Ok(FieldOf(value, PhantomData)),
        None => {
            let class = exception.get_type().qualname()?;
            let message =
                format!("'{class}' object has no attribute '{name}': its __init__ was not called");
            Err(new_exception::<PyAttributeError>(exception.py(), message))
        }
    }
}

/// An argument of an exception's `__init__`: the value of a field, or a missing argument.
#[doc(hidden)]
pub struct FieldArgument<'py, T>(Option<Bound<'py, PyAny>>, PhantomData<T>);

impl<'py, T: IntoPyObject<'py>> FieldArgument<'py, T> {
    /// Returns a missing argument.
    pub fn missing() -> Self {
        FieldArgument(None, PhantomData)
    }

    /// Stores the argument as the field's value, or the default if the argument is missing.
    ///
    /// # Errors
    ///
    /// `TypeError` if there is no default.
    pub fn store(
        self,
        fields: &Bound<'py, PyDict>,
        name: &'static str,
        default: impl FnOnce() -> Option<T>,
    ) -> PyResult<()> {
        match self.0 {
            Some(value) => fields.set_item(name, value),
            None => match default() {
                Some(value) => fields.set_item(name, value),
                None => Err(new_exception::<PyTypeError>(
                    fields.py(),
                    format!("missing a required argument: '{name}'"),
                )),
            },
        }
    }
}

impl<'py, T: IntoPyObject<'py>> FromPyObject<'_, 'py> for FieldArgument<'py, T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = T::OUTPUT_TYPE;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(FieldArgument(Some(object.to_owned()), PhantomData))
    }
}

/// The default of a field's type: the inherent method `value` if the type is [`Default`], else the one of
/// [`NoDefault`].
#[doc(hidden)]
pub struct DefaultOf<T>(PhantomData<T>);

impl<T> DefaultOf<T> {
    #[expect(clippy::new_without_default, reason = "named by the macro alone")]
    pub const fn new() -> Self {
        DefaultOf(PhantomData)
    }
}

impl<T: Default> DefaultOf<T> {
    pub fn value(self) -> Option<T> {
        Some(T::default())
    }
}

/// The missing default of other types. See [`DefaultOf`].
#[doc(hidden)]
pub trait NoDefault<T>: Sized {
    fn value(self) -> Option<T> {
        None
    }
}

impl<T> NoDefault<T> for DefaultOf<T> {}

/// Begins the `__init__` of an exception: sets the message, which `str()` shows. Returns the `__dict__`.
#[doc(hidden)]
pub fn init<'py, T>(
    exception: &Bound<'py, PyAny>,
    message: &FieldArgument<'py, T>,
) -> PyResult<Bound<'py, PyDict>> {
    exception.setattr("args", (&message.0,))?;
    fields_of(exception)
}

/// Begins the `__init__` of an exception that extends another one: calls the base's `__init__` with these arguments.
/// Returns the `__dict__`.
#[doc(hidden)]
pub fn init_base<'py, B: PyClass>(
    exception: &Bound<'py, PyAny>,
    args: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let base = exception.py().get_type::<B>();
    let args = [exception.clone()].into_iter().chain(args.iter());
    let args = PyTuple::new(exception.py(), args.collect::<Vec<_>>())?;
    base.getattr("__init__")?.call(args, kwargs)?;
    fields_of(exception)
}
