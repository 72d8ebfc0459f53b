//! Arguments from Python: the references that a method takes, and the holders that keep their values during the call.
//!
//! Types that are taken by value use PyO3's `FromPyObject`. A reference needs a holder for its value, and a handle has
//! to be borrowed before it is used. So the macro writes [`RefArg`] and [`MutArg`] for these.

use std::ffi::{CStr, CString};
use std::ops::Deref;
use std::ptr;

use pyo3::Borrowed;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::ffi;
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use pyo3::{PyTypeCheck, PyTypeInfo};

use super::call::{BorrowRequest, BorrowTarget, CallContext, Mode};
use super::into_py::union;
use super::object::PyHandle;
use super::py_box::no_memory;
use crate::convert::to_c::{Buffer, FsPath};
use crate::handle::Handle;
use crate::interpreter::{Hang, new_exception};
use crate::short_text;

/// A type that methods can take by reference.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be taken from Python",
    label = "not a type that a method can take by reference",
    note = "take `&CStr`, `&str`, `&[u8]`, `&FsPath` or a handle by reference; other types by value, with PyO3's \
            `FromPyObject`"
)]
pub trait PyArgument {
    /// The holder, which keeps the value during the call.
    #[doc(hidden)]
    type Holder<'a, 'py>;
    /// The Python type, for the stubs.
    #[doc(hidden)]
    const INPUT_TYPE: PyStaticExpr;

    /// Extracts the holder, without borrowing a handle.
    #[doc(hidden)]
    fn extract<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self::Holder<'a, 'py>>;

    /// Returns the request for the handle; `None` if the value is no handle.
    #[doc(hidden)]
    fn borrow_request<'h>(held: &'h Self::Holder<'_, '_>, mode: Mode) -> Option<BorrowRequest<'h>> {
        let _ = (held, mode);
        None
    }

    /// Returns the value, during the call.
    #[doc(hidden)]
    fn get<'h>(held: &'h Self::Holder<'_, '_>, context: &'h CallContext<'_, '_>) -> &'h Self;
}

/// A `&T` argument from Python; or the error of its conversion, which the call raises. PyO3 would add a note to it, and
/// panic where that finds no memory.
pub struct RefArg<'a, 'py, T: PyArgument + ?Sized + 'a>(PyResult<T::Holder<'a, 'py>>);

impl<'a, 'py, T: PyArgument + ?Sized> FromPyObject<'a, 'py> for RefArg<'a, 'py, T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = T::INPUT_TYPE;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(RefArg(T::extract(object)))
    }
}

impl<T: PyArgument + ?Sized> BorrowTarget for RefArg<'_, '_, T> {
    fn borrow_request(&self) -> Option<BorrowRequest<'_>> {
        T::borrow_request(self.0.as_ref().ok()?, Mode::Shared)
    }

    fn error(&self) -> Option<&PyErr> {
        self.0.as_ref().err()
    }
}

impl<'a, 'py, T: PyArgument + ?Sized> RefArg<'a, 'py, T> {
    fn holder(&self) -> &T::Holder<'a, 'py> {
        converted(&self.0)
    }
}

impl<'a, T: PyArgument + ?Sized> RefArg<'a, '_, T> {
    /// Returns the value, during the call.
    #[doc(hidden)]
    pub fn get<'h>(&'h self, context: &'h CallContext<'_, '_>) -> &'h T {
        T::get(self.holder(), context)
    }
}

impl<T: PyHandle> RefArg<'_, '_, T> {
    /// Returns the handle for as long as the receiver is borrowed: a result that is made of both lives in both.
    #[doc(hidden)]
    pub fn get_in<'c>(&self, context: &CallContext<'c, '_>) -> &'c T {
        let object = self.holder().as_super().get();
        let raw = context.borrowed_ptr(BorrowRequest::new(object, Mode::Shared));
        // SAFETY: guarantee 3: the call holds all its handles for the same time, this one among them (`entered`).
        // trait `PyHandle`: an object of `T`'s class holds a pointer to a `T`.
        unsafe { T::from_raw(raw.cast()) }
    }
}

/// An operand of an operator or a comparison: a [`RefArg`], [`MutArg`] or [`OwnedArg`]. The conversion of an operand of
/// another type fails, and PyO3 then returns `NotImplemented`. The call raises all other errors.
#[doc(hidden)]
pub struct Operand<A>(A);

impl<'a, 'py, A> FromPyObject<'a, 'py> for Operand<A>
where
    A: FromPyObject<'a, 'py, Error = PyErr> + BorrowTarget,
{
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = A::INPUT_TYPE;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        let argument = A::extract(object)?;
        let py = object.py();
        match argument.error() {
            Some(error) if error.is_instance_of::<PyTypeError>(py) => Err(error.clone_ref(py)),
            _ => Ok(Operand(argument)),
        }
    }
}

impl<A> Deref for Operand<A> {
    type Target = A;

    fn deref(&self) -> &A {
        &self.0
    }
}

impl<A: BorrowTarget> BorrowTarget for Operand<A> {
    fn borrow_request(&self) -> Option<BorrowRequest<'_>> {
        self.0.borrow_request()
    }

    fn error(&self) -> Option<&PyErr> {
        self.0.error()
    }
}

/// Returns the holder of an argument whose call has begun.
pub(super) fn converted<H>(argument: &PyResult<H>) -> &H {
    match argument {
        Ok(holder) => holder,
        Err(_) => unreachable!("the call raises the errors of its arguments before it begins"),
    }
}

/// A `&mut T` argument from Python: a handle that the call borrows exclusively.
pub struct MutArg<'a, 'py, T: PyHandle>(PyResult<Borrowed<'a, 'py, T::Class>>);

impl<'a, 'py, T: PyHandle> FromPyObject<'a, 'py> for MutArg<'a, 'py, T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = <T::Class as PyTypeInfo>::TYPE_HINT;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        Ok(MutArg(<T as PyArgument>::extract(object)))
    }
}

impl<T: PyHandle> BorrowTarget for MutArg<'_, '_, T> {
    fn borrow_request(&self) -> Option<BorrowRequest<'_>> {
        T::borrow_request(self.0.as_ref().ok()?, Mode::Exclusive)
    }

    fn error(&self) -> Option<&PyErr> {
        self.0.as_ref().err()
    }
}

impl<T: PyHandle> MutArg<'_, '_, T> {
    /// Returns the handle, during the call.
    ///
    /// # Safety
    ///
    /// The caller calls this once, because the reference is exclusive.
    #[doc(hidden)]
    #[expect(
        clippy::mut_from_ref,
        reason = "the handle is entered exclusively, not this borrowed"
    )]
    pub unsafe fn get<'h>(&'h self, context: &'h CallContext<'_, '_>) -> &'h mut T {
        let object = converted(&self.0).as_super().get();
        let raw = context.borrowed_ptr(BorrowRequest::new(object, Mode::Exclusive));
        // SAFETY: guarantee 4: the call holds the handle exclusively (`entered`). the caller's promise: this is the
        // only reference. trait `PyHandle`: an object of `T`'s class holds a pointer to a `T`.
        unsafe { T::from_raw_mut(raw.cast()) }
    }
}

impl<T: BorrowTarget> BorrowTarget for Option<T> {
    fn borrow_request(&self) -> Option<BorrowRequest<'_>> {
        self.as_ref().and_then(BorrowTarget::borrow_request)
    }

    fn error(&self) -> Option<&PyErr> {
        self.as_ref().and_then(BorrowTarget::error)
    }
}

#[diagnostic::do_not_recommend]
impl<T: PyHandle> PyArgument for T {
    type Holder<'a, 'py> = Borrowed<'a, 'py, T::Class>;
    const INPUT_TYPE: PyStaticExpr = <T::Class as PyTypeInfo>::TYPE_HINT;

    fn extract<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self::Holder<'a, 'py>> {
        object
            .cast::<T::Class>()
            .map_err(|_| wrong_type(T::NAME, object))
    }

    fn borrow_request<'h>(held: &'h Self::Holder<'_, '_>, mode: Mode) -> Option<BorrowRequest<'h>> {
        Some(BorrowRequest::of(held.as_super(), mode))
    }

    fn get<'h>(held: &'h Self::Holder<'_, '_>, context: &'h CallContext<'_, '_>) -> &'h Self {
        let raw = context.borrowed_ptr(BorrowRequest::new(held.as_super().get(), Mode::Shared));
        // SAFETY: guarantee 3: the call holds the handle (`entered`). trait `PyHandle`: an object of `T`'s class
        // holds a pointer to a `T`.
        unsafe { <T as Handle>::from_raw(raw.cast()) }
    }
}

#[cold]
pub(super) fn wrong_type(expected: &str, object: Borrowed<'_, '_, PyAny>) -> PyErr {
    let name = object.get_type().qualname();
    let actual = name.as_ref().map_or(Ok("?"), |name| name.to_str());
    let actual = actual.unwrap_or("?");
    match actual == expected {
        true => new_exception::<PyTypeError>(
            object.py(),
            format_args!(
                "{expected} expected, not another class of that name: extension modules do not share handles"
            ),
        ),
        false => new_exception::<PyTypeError>(
            object.py(),
            format_args!("{expected} expected, not {actual}"),
        ),
    }
}

impl PyArgument for str {
    type Holder<'a, 'py> = &'a str;
    const INPUT_TYPE: PyStaticExpr = STR;

    fn extract<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<&'a str> {
        object
            .cast::<PyString>()
            .map_err(|_| wrong_type("str", object))?;
        object.extract()
    }

    fn get<'h>(held: &'h &str, _: &'h CallContext<'_, '_>) -> &'h str {
        held
    }
}

impl PyArgument for CStr {
    type Holder<'a, 'py> = &'a CStr;
    const INPUT_TYPE: PyStaticExpr = STR;

    fn extract<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<&'a CStr> {
        object
            .cast::<PyString>()
            .map_err(|_| wrong_type("str", object))?;
        let mut count = 0;
        // SAFETY: CPython: the object is a `str`, as was just asked; null comes with an exception.
        let start = unsafe { pyo3::ffi::PyUnicode_AsUTF8AndSize(object.as_ptr(), &raw mut count) };
        if start.is_null() {
            return Err(PyErr::fetch(object.py()));
        }
        // SAFETY: CPython: the UTF-8 form of a `str` ends with a NUL that its length does not count, and stays as long
        // as the object, which outlives `'a`.
        let with_end =
            unsafe { std::slice::from_raw_parts(start.cast(), count.cast_unsigned() + 1) };
        short_text::c_str(with_end)
            .ok_or_else(|| new_exception::<PyValueError>(object.py(), "embedded null character"))
    }

    fn get<'h>(held: &'h &CStr, _: &'h CallContext<'_, '_>) -> &'h CStr {
        held
    }
}

impl PyArgument for [u8] {
    type Holder<'a, 'py> = &'a [u8];
    const INPUT_TYPE: PyStaticExpr = BYTES;

    fn extract<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<&'a [u8]> {
        // Only `bytes`: what it holds can't change under C's feet.
        object.extract().map_err(|_| wrong_type("bytes", object))
    }

    fn get<'h>(held: &'h &[u8], _: &'h CallContext<'_, '_>) -> &'h [u8] {
        held
    }
}

const STR: PyStaticExpr = <PyString as PyTypeCheck>::TYPE_HINT;
const BYTES: PyStaticExpr = <PyBytes as PyTypeCheck>::TYPE_HINT;
const PATH_LIKE: PyStaticExpr = PyStaticExpr::Attribute {
    value: &PyStaticExpr::Name { id: "os" },
    attr: "PathLike",
};
const PATH_OF_STR: PyStaticExpr = PyStaticExpr::Subscript {
    value: &PATH_LIKE,
    slice: &STR,
};
const PATH_OF_BYTES: PyStaticExpr = PyStaticExpr::Subscript {
    value: &PATH_LIKE,
    slice: &BYTES,
};

impl PyArgument for FsPath {
    type Holder<'a, 'py> = CString;
    const INPUT_TYPE: PyStaticExpr =
        union(&STR, &union(&BYTES, &union(&PATH_OF_STR, &PATH_OF_BYTES)));

    fn extract<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<CString> {
        // `__fspath__` is Python code.
        let _hang = Hang::begin();
        let mut encoded: *mut ffi::PyObject = ptr::null_mut();
        // SAFETY: CPython: the function stores a new `bytes` object without NULs and returns 1, or raises and returns
        // 0.
        let encoded = unsafe {
            if ffi::PyUnicode_FSConverter(object.as_ptr(), (&raw mut encoded).cast()) == 0 {
                return Err(PyErr::fetch(object.py()));
            }
            Bound::from_owned_ptr(object.py(), encoded).cast_into_unchecked::<PyBytes>()
        };
        let mut path = Vec::new();
        path.try_reserve_exact(encoded.as_bytes().len() + 1)
            .map_err(|_| no_memory())?;
        path.extend_from_slice(encoded.as_bytes());
        CString::new(path)
            .map_err(|_| new_exception::<PyValueError>(object.py(), "embedded null byte"))
    }

    fn get<'h>(held: &'h CString, _: &'h CallContext<'_, '_>) -> &'h FsPath {
        FsPath::new(held)
    }
}

impl<'py> FromPyObject<'_, 'py> for Buffer<'_> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr =
        <pyo3::buffer::PyBuffer<u8> as FromPyObject<'static, 'py>>::INPUT_TYPE;

    fn extract(object: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Buffer::try_from(pyo3::buffer::PyBuffer::<u8>::get(&object)?)
    }
}
