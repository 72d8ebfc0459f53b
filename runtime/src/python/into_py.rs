//! Results to Python: converts the result of a method while the call's handles are still borrowed.

use std::ffi::CString;
use std::marker::PhantomData;

use pyo3::ffi;
use pyo3::inspect::{PyStaticConstant, PyStaticExpr, PyStaticOperator};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};
use pyo3::{IntoPyObjectExt, PyTypeCheck, PyTypeInfo};

use super::call::CallContext;
use super::direct::{PlainResult, Receiver, Reply, WrappedResult};
use super::exceptions::{instead_of_stop, to_pyerr};
use super::handle_class::SELF_TYPE;
use super::iterator;
use super::new_copy::{NewCopy, new_bytes, new_fs_string, new_string};
use super::object::{PyHandle, owned_into_py};
use super::py_box::no_memory;
use crate::convert::memory::Bytes;
use crate::error::Error;
use crate::fact::Fact;
use crate::failpoint::FailPoint;
use crate::handle::{Borrowed, Owned, Part, Resource};
use crate::interpreter::ReentrancyGuard;
use crate::iter::{Dict, Successors};

/// A result that can be converted to a Python object. A package implements the trait for its own result types by
/// converting their parts.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be given to Python",
    label = "not a type that a method can return to Python",
    note = "return a handle, a number, `bool`, `String`, `CString`, `Vec`, a tuple of up to 12 or `Option` of these, implement \
            `leakproof::IntoPython`, or mark the method `#[rust_only]`"
)]
pub trait IntoPython {
    /// The Python type, for the stubs.
    const TYPE: PyStaticExpr;
    /// The fact that the conversion creates no container, so that it never runs the garbage collector.
    #[doc(hidden)]
    const PLAIN: Fact = Fact::NO;

    /// Returns whether this is the error of a `Result`.
    #[doc(hidden)]
    fn is_error(&self) -> bool {
        false
    }

    /// Converts the result to a Python object.
    ///
    /// # Errors
    ///
    /// A Python exception, such as `MemoryError`.
    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a;
}

/// A Python object that was made from an `R`. Generated methods return it to PyO3.
pub struct TypedResult<'py, R>(Bound<'py, PyAny>, PhantomData<R>);

impl<'py, R> From<Bound<'py, PyAny>> for TypedResult<'py, R> {
    fn from(object: Bound<'py, PyAny>) -> Self {
        TypedResult(object, PhantomData)
    }
}

impl<R> WrappedResult for PyResult<TypedResult<'_, R>> {
    #[inline(always)]
    fn into_reply(self) -> Reply {
        Reply::of(self.map(|result| result.0.into_ptr()))
    }
}

impl<'py, R: IntoPython> IntoPyObject<'py> for TypedResult<'py, R> {
    type Target = PyAny;
    type Output = Bound<'py, PyAny>;
    type Error = std::convert::Infallible;

    const OUTPUT_TYPE: PyStaticExpr = R::TYPE;

    fn into_pyobject(self, _: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(self.0)
    }
}

/// The object that a method was called on, of whichever class: `Self` in the stubs.
#[derive(Debug)]
pub enum SelfType {}

impl IntoPython for SelfType {
    const TYPE: PyStaticExpr = SELF_TYPE;

    fn into_python<'a, 'py>(self, _: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        match self {}
    }
}

impl<'a, 'py> CallContext<'a, 'py> {
    /// Converts the result of this call to a Python object.
    #[doc(hidden)]
    pub fn convert<R: IntoPython + 'a>(&self, result: R) -> PyResult<Bound<'py, PyAny>> {
        let _python = (!R::PLAIN.holds()).then(ReentrancyGuard::begin);
        result.into_python(self)
    }

    /// Converts the next item of an iterator; returns `None` at the end.
    #[doc(hidden)]
    pub fn convert_next<T, R>(&self, result: R) -> PyResult<Option<Bound<'py, PyAny>>>
    where
        T: IntoPython + 'a,
        R: IntoResult<Value = Option<T>>,
    {
        let next = self
            .check_result(result)
            .map_err(|error| instead_of_stop(self.py(), error, self.site().method))?;
        next.map(|next| self.convert(next)).transpose()
    }

    /// Passes the failpoint of the conversion of a result.
    fn check(&self) -> PyResult<()> {
        if self.site().should_fail(FailPoint::Result) {
            Err(no_memory())
        } else {
            Ok(())
        }
    }

    /// Returns a result that PyO3 itself converts, such as the result of `__len__`. Converts an error to a Python
    /// exception.
    #[doc(hidden)]
    pub fn check_result<R: IntoResult>(&self, result: R) -> PyResult<R::Value> {
        result.into_result().map_err(|error| {
            let _python = ReentrancyGuard::begin();
            to_pyerr(self.py(), error)
        })
    }
}

/// `T` or `Result<T>`.
#[doc(hidden)]
pub trait IntoResult {
    type Value;
    fn into_result(self) -> Result<Self::Value, Error>;

    /// Returns whether this is the error of a `Result`.
    fn is_error(&self) -> bool {
        false
    }
}

macro_rules! plain_result {
    ($($type:ty)+) => {$(
        impl IntoResult for $type {
            type Value = $type;
            fn into_result(self) -> Result<Self, Error> {
                Ok(self)
            }
        }
    )+};
}

plain_result! { () bool usize isize u64 i64 u32 i32 u16 i16 u8 i8 }

impl<T> IntoResult for Option<T> {
    type Value = Option<T>;
    fn into_result(self) -> Result<Self, Error> {
        Ok(self)
    }
}

impl<T, E: Into<Error>> IntoResult for Result<T, E> {
    type Value = T;
    fn into_result(self) -> Result<T, Error> {
        self.map_err(Into::into)
    }

    fn is_error(&self) -> bool {
        self.is_err()
    }
}

impl<T: IntoPython, E: Into<Error>> IntoPython for Result<T, E> {
    const TYPE: PyStaticExpr = T::TYPE;
    const PLAIN: Fact = T::PLAIN;

    fn is_error(&self) -> bool {
        self.is_err()
    }

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        match self {
            Ok(value) => value.into_python(context),
            Err(error) => {
                // Making an exception may run the garbage collector.
                let _python = ReentrancyGuard::begin();
                Err(to_pyerr(context.py(), error.into()))
            }
        }
    }
}

/// Returns the type `left | right`, for code that `#[derive(IntoPython)]` generates.
#[doc(hidden)]
pub const fn union(left: &'static PyStaticExpr, right: &'static PyStaticExpr) -> PyStaticExpr {
    PyStaticExpr::BinOp {
        left,
        op: PyStaticOperator::BitOr,
        right,
    }
}

const NONE: PyStaticExpr = PyStaticExpr::Constant {
    value: PyStaticConstant::None,
};

impl<T: IntoPython> IntoPython for Option<T> {
    const TYPE: PyStaticExpr = union(&T::TYPE, &NONE);
    const PLAIN: Fact = T::PLAIN;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        match self {
            Some(value) => value.into_python(context),
            None => Ok(context.py().None().into_bound(context.py())),
        }
    }
}

impl<T: IntoPython> IntoPython for Box<T> {
    const TYPE: PyStaticExpr = T::TYPE;
    const PLAIN: Fact = T::PLAIN;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        (*self).into_python(context)
    }
}

impl<T: IntoPython> IntoPython for Vec<T> {
    const TYPE: PyStaticExpr = PyStaticExpr::Subscript {
        value: &PyStaticExpr::Name { id: "list" },
        slice: &T::TYPE,
    };

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        let count = self.len().cast_signed();
        // SAFETY: CPython: `PyList_New` returns a new list, or null with an exception. Until the list is full, the
        // garbage collector shows it to nobody.
        let list = unsafe {
            let list = Bound::from_owned_ptr_or_err(context.py(), ffi::PyList_New(count))?;
            ffi::PyObject_GC_UnTrack(list.as_ptr().cast());
            list
        };
        for (index, item) in (0..count).zip(self) {
            context.check()?;
            let item = item.into_python(context)?.into_ptr();
            // SAFETY: CPython: the list is new and has a place for each item, which is empty. A list with empty places
            // may be dropped.
            unsafe { ffi::PyList_SET_ITEM(list.as_ptr(), index, item) };
        }
        // SAFETY: CPython: the list is not tracked, and is whole.
        unsafe { ffi::PyObject_GC_Track(list.as_ptr().cast()) };
        Ok(list)
    }
}

macro_rules! tuples {
    ($($(($type:ident $index:tt))+;)+) => {$(
        impl<$($type: IntoPython),+> IntoPython for ($($type,)+) {
            const TYPE: PyStaticExpr = PyStaticExpr::Subscript {
                value: &PyStaticExpr::Name { id: "tuple" },
                slice: &PyStaticExpr::Tuple {
                    elts: &[$($type::TYPE),+],
                },
            };

            fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
            where
                Self: 'a,
            {
                let items = [$(self.$index.into_python(context)?),+];
                let count = items.len().cast_signed();
                // SAFETY: CPython: `PyTuple_New` returns a new tuple, or null with an exception.
                let tuple = unsafe {
                    let tuple = ffi::PyTuple_New(count);
                    Bound::from_owned_ptr_or_err(context.py(), tuple)?
                };
                for (index, item) in (0..count).zip(items) {
                    // SAFETY: CPython: `PyTuple_SetItem` takes the item, and the tuple has a place for each; nobody
                    // else has seen the tuple.
                    let status = unsafe {
                        ffi::PyTuple_SetItem(tuple.as_ptr(), index, item.into_ptr())
                    };
                    if status != 0 {
                        return Err(PyErr::fetch(context.py()));
                    }
                }
                Ok(tuple)
            }
        }
    )+};
}

tuples! {
    (A 0) (B 1);
    (A 0) (B 1) (C 2);
    (A 0) (B 1) (C 2) (D 3);
    (A 0) (B 1) (C 2) (D 3) (E 4);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7) (I 8);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7) (I 8) (J 9);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7) (I 8) (J 9) (K 10);
    (A 0) (B 1) (C 2) (D 3) (E 4) (F 5) (G 6) (H 7) (I 8) (J 9) (K 10) (L 11);
}

impl<K: IntoPython, V: IntoPython> IntoPython for Dict<K, V> {
    const TYPE: PyStaticExpr = PyStaticExpr::Subscript {
        value: &PyStaticExpr::Name { id: "dict" },
        slice: &PyStaticExpr::Tuple {
            elts: &[K::TYPE, V::TYPE],
        },
    };

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        // SAFETY: CPython: `PyDict_New` returns a new dict, or null with an exception.
        let dict = unsafe { Bound::from_owned_ptr_or_err(context.py(), ffi::PyDict_New()) }?;
        let dict = dict.cast_into::<PyDict>()?;
        for (key, value) in self.0 {
            context.check()?;
            dict.set_item(key.into_python(context)?, value.into_python(context)?)?;
        }
        Ok(dict.into_any())
    }
}

macro_rules! through_pyo3 {
    ($($type:ty)+) => {$(
        impl IntoPython for $type {
            const TYPE: PyStaticExpr = <$type as IntoPyObject<'static>>::OUTPUT_TYPE;
            const PLAIN: Fact = Fact::YES;

            fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
                context.check()?;
                self.into_bound_py_any(context.py())
            }
        }
    )+};
}

through_pyo3! { i128 u128 bool }

/// Implements [`IntoPython`] with CPython's constructors: a number or a string that finds no memory raises
/// `MemoryError`, where PyO3 would panic.
macro_rules! through_python {
    ($($type:ty, $value:ident => $new:expr;)+) => {$(
        impl IntoPython for $type {
            const TYPE: PyStaticExpr = <$type as IntoPyObject<'static>>::OUTPUT_TYPE;
            const PLAIN: Fact = Fact::YES;

            fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
            where
                Self: 'a,
            {
                context.check()?;
                // SAFETY: CPython: the function returns a new object, or null with an exception.
                unsafe { Bound::from_owned_ptr_or_err(context.py(), self.into_object(&Receiver::none(context.py()))) }
            }
        }

        impl PlainResult for $type {
            #[inline]
            fn into_object(self, _: &Receiver<'_>) -> *mut ffi::PyObject {
                let $value = self;
                // SAFETY: CPython: this thread is attached, as the token shows.
                unsafe { $new }
            }
        }
    )+};
}

through_python! {
    i8, n => ffi::PyLong_FromLong(n.into());
    u8, n => ffi::PyLong_FromLong(n.into());
    i16, n => ffi::PyLong_FromLong(n.into());
    u16, n => ffi::PyLong_FromLong(n.into());
    i32, n => ffi::PyLong_FromLong(n.into());
    u32, n => ffi::PyLong_FromUnsignedLongLong(n.into());
    i64, n => ffi::PyLong_FromLongLong(n);
    u64, n => ffi::PyLong_FromUnsignedLongLong(n);
    isize, n => ffi::PyLong_FromSsize_t(n);
    usize, n => ffi::PyLong_FromSize_t(n);
    f32, n => ffi::PyFloat_FromDouble(n.into());
    f64, n => ffi::PyFloat_FromDouble(n);
    String, text => new_string(&text);
    &str, text => new_string(text);
}

impl IntoPython for () {
    const TYPE: PyStaticExpr = NONE;
    const PLAIN: Fact = Fact::YES;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        Ok(context.py().None().into_bound(context.py()))
    }
}

/// Decodes the text as `os.fsdecode` does: bytes that are not UTF-8 become lone surrogates, so no byte is lost.
impl IntoPython for CString {
    const TYPE: PyStaticExpr = <PyString as PyTypeInfo>::TYPE_HINT;
    const PLAIN: Fact = Fact::YES;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        context.check()?;
        // SAFETY: CPython: the function returns a new object, or null with an exception.
        unsafe {
            Bound::from_owned_ptr_or_err(
                context.py(),
                self.into_object(&Receiver::none(context.py())),
            )
        }
    }
}

impl PlainResult for CString {
    #[inline]
    fn into_object(self, _: &Receiver<'_>) -> *mut ffi::PyObject {
        // SAFETY: CPython: this thread is attached, as the token shows.
        unsafe { new_fs_string(self.to_bytes()) }
    }
}

impl PlainResult for Bytes {
    #[inline]
    fn into_object(self, _: &Receiver<'_>) -> *mut ffi::PyObject {
        // SAFETY: CPython: this thread is attached, as the token shows.
        unsafe { new_bytes(&self.0) }
    }
}

impl<'py> IntoPyObject<'py> for Bytes {
    type Target = PyBytes;
    type Output = Bound<'py, PyBytes>;
    type Error = std::convert::Infallible;

    const OUTPUT_TYPE: PyStaticExpr = <PyBytes as pyo3::PyTypeCheck>::TYPE_HINT;

    fn into_pyobject(self, py: Python<'py>) -> Result<Self::Output, Self::Error> {
        Ok(PyBytes::new(py, &self.0))
    }
}

impl IntoPython for Bytes {
    const TYPE: PyStaticExpr = <PyBytes as PyTypeInfo>::TYPE_HINT;
    const PLAIN: Fact = Fact::YES;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        context.check()?;
        // SAFETY: CPython: the function returns a new object, or null with an exception.
        unsafe {
            Bound::from_owned_ptr_or_err(
                context.py(),
                self.into_object(&Receiver::none(context.py())),
            )
        }
    }
}

/// Passes on an object that was made from C's memory.
impl<T: IntoPython> IntoPython for NewCopy<'_, T> {
    const TYPE: PyStaticExpr = T::TYPE;
    const PLAIN: Fact = Fact::YES;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        context.check()?;
        // SAFETY: CPython: the result is a new object, or null with an exception.
        unsafe {
            Bound::from_owned_ptr_or_err(
                context.py(),
                self.into_object(&Receiver::none(context.py())),
            )
        }
    }
}

/// Passes on a Python object that the method's body made.
impl<T> IntoPython for Py<T> {
    const TYPE: PyStaticExpr = <PyAny as PyTypeInfo>::TYPE_HINT;
    const PLAIN: Fact = Fact::YES;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        Ok(self.into_bound(context.py()).into_any())
    }
}

/// Passes on a Python object that the method's body made.
impl<T: PyTypeCheck> IntoPython for Bound<'_, T> {
    const TYPE: PyStaticExpr = T::TYPE_HINT;
    const PLAIN: Fact = Fact::YES;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        Ok(self.unbind().into_bound(context.py()).into_any())
    }
}

impl<T: PyHandle + Resource> IntoPython for Owned<'_, T> {
    const TYPE: PyStaticExpr = <T::Class as PyTypeInfo>::TYPE_HINT;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        owned_into_py(self, context)
    }
}

impl<T: PyHandle> IntoPython for Borrowed<'_, T> {
    const TYPE: PyStaticExpr = <T::Class as PyTypeInfo>::TYPE_HINT;
    // The garbage collector does not run while an object is made.
    const PLAIN: Fact = Fact::of(T::SPEC.is_view());

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        T::wrap_borrowed(self, context)
    }
}

impl<T: PyHandle + Part> IntoPython for Successors<'_, T> {
    const TYPE: PyStaticExpr = PyStaticExpr::Subscript {
        value: &PyStaticExpr::Attribute {
            value: &PyStaticExpr::Attribute {
                value: &PyStaticExpr::Name { id: "collections" },
                attr: "abc",
            },
            attr: "Iterator",
        },
        slice: &<T::Class as PyTypeInfo>::TYPE_HINT,
    };

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        iterator::iterator_into_py(self, context)
    }
}
