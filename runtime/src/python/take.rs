//! Arguments from Python: each reference that a method takes, and what holds it during the call.
//!
//! Types that are taken by value use PyO3's `FromPyObject`. A reference needs something that holds what it refers to,
//! and a handle has to be entered before it may be looked at; so the macro writes [`Ref`] and [`Mut`] for these.

use std::ffi::{CStr, CString};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use pyo3::Borrowed;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::inspect::PyStaticExpr;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyString};
use pyo3::{PyTypeCheck, PyTypeInfo};

use super::enter::{Context, Hold, Lock, Mode};
use super::exceptions::to_pyerr;
use super::give::union;
use super::handle::PyHandle;
use super::hang::Hang;
use super::header::Header;
use crate::arguments::{Buffer, FsPath};
use crate::handle::{ByPointer, Consumable, Handle, Owned, Resource};

/// A type that methods can take by reference.
#[diagnostic::on_unimplemented(
    message = "`&{Self}` cannot be taken from Python",
    label = "not a type that a method can take by reference",
    note = "take `&CStr`, `&str`, `&[u8]`, `&FsPath` or a handle by reference; other types by value, with PyO3's \
            `FromPyObject`"
)]
pub trait Take {
    /// What keeps the value during the call.
    #[doc(hidden)]
    type Held<'a, 'py>;
    /// The Python type, for the stubs.
    #[doc(hidden)]
    const INPUT_TYPE: PyStaticExpr;

    /// Convert, without entering.
    #[doc(hidden)]
    fn hold<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self::Held<'a, 'py>>;

    /// The handle to enter, if it is one.
    #[doc(hidden)]
    fn lock<'h>(held: &'h Self::Held<'_, '_>, mode: Mode) -> Option<Hold<'h>> {
        let _ = (held, mode);
        None
    }

    /// The value, during the call.
    #[doc(hidden)]
    fn get<'h>(held: &'h Self::Held<'_, '_>, context: &'h Context<'_, '_>) -> &'h Self;
}

/// `&T` from Python.
pub struct Ref<'a, 'py, T: Take + ?Sized + 'a>(T::Held<'a, 'py>);

impl<'a, 'py, T: Take + ?Sized> FromPyObject<'a, 'py> for Ref<'a, 'py, T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = T::INPUT_TYPE;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        T::hold(object).map(Ref)
    }
}

impl<T: Take + ?Sized> Lock for Ref<'_, '_, T> {
    fn hold(&self) -> Option<Hold<'_>> {
        T::lock(&self.0, Mode::Shared)
    }
}

impl<'a, T: Take + ?Sized> Ref<'a, '_, T> {
    /// The value, during the call.
    #[doc(hidden)]
    pub fn get<'h>(&'h self, context: &'h Context<'_, '_>) -> &'h T {
        T::get(&self.0, context)
    }
}

impl<T: PyHandle> Ref<'_, '_, T> {
    /// The handle, for as long as the receiver is held: what is made of both lives in both.
    #[doc(hidden)]
    pub fn get_in<'c>(&self, context: &Context<'c, '_>) -> &'c T {
        let raw = context.entered(Hold::new(self.0.as_super().get(), Mode::Shared));
        // SAFETY: guarantee 3: the call holds all its handles for the same time, this one among them (`entered`).
        // trait `PyHandle`: an object of `T`'s class holds a pointer to a `T`.
        unsafe { T::from_raw(raw.cast()) }
    }
}

/// `&mut T` from Python: a handle, for this call's use alone.
pub struct Mut<'a, 'py, T: PyHandle>(Borrowed<'a, 'py, T::Class>);

impl<'a, 'py, T: PyHandle> FromPyObject<'a, 'py> for Mut<'a, 'py, T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = <T::Class as PyTypeInfo>::TYPE_HINT;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        <T as Take>::hold(object).map(Mut)
    }
}

impl<T: PyHandle> Lock for Mut<'_, '_, T> {
    fn hold(&self) -> Option<Hold<'_>> {
        T::lock(&self.0, Mode::Exclusive)
    }
}

impl<T: PyHandle> Mut<'_, '_, T> {
    /// The handle, during the call.
    ///
    /// # Safety
    ///
    /// Called once: the reference is exclusive.
    #[doc(hidden)]
    #[expect(
        clippy::mut_from_ref,
        reason = "the handle is entered exclusively, not this borrowed"
    )]
    pub unsafe fn get<'h>(&'h self, context: &'h Context<'_, '_>) -> &'h mut T {
        let raw = context.entered(Hold::new(self.0.as_super().get(), Mode::Exclusive));
        // SAFETY: guarantee 4: the call holds the handle exclusively (`entered`). the caller's promise: this is the
        // only reference. trait `PyHandle`: an object of `T`'s class holds a pointer to a `T`.
        unsafe { T::from_raw_mut(raw.cast()) }
    }
}

/// `Owned<T>` from Python: a handle that the call gets for good.
pub struct Give<'a, 'py, T: PyHandle>(Borrowed<'a, 'py, T::Class>);

impl<'a, 'py, T: PyHandle> FromPyObject<'a, 'py> for Give<'a, 'py, T> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = <T::Class as PyTypeInfo>::TYPE_HINT;

    fn extract(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self> {
        <T as Take>::hold(object).map(Give)
    }
}

impl<'a, 'py, T: PyHandle> Give<'a, 'py, T> {
    /// The object that a method was called on.
    #[doc(hidden)]
    pub fn of(object: &'a Bound<'py, T::Class>) -> Self {
        Give(object.as_borrowed())
    }
}

impl<T: PyHandle> Lock for Give<'_, '_, T> {
    fn hold(&self) -> Option<Hold<'_>> {
        T::lock(&self.0, Mode::Exclusive)
    }
}

impl<T: PyHandle + Resource + ByPointer> Give<'_, '_, T> {
    /// Take it from its Python object, after what lives in it was closed.
    ///
    /// # Errors
    ///
    /// What went wrong with that; then the object keeps it.
    ///
    /// # Safety
    ///
    /// The result goes to the method of this very call alone.
    #[doc(hidden)]
    pub unsafe fn take<'h>(&'h self, context: &'h Context<'_, '_>) -> PyResult<Given<'h, T>> {
        let header = self.0.as_super().get().header();
        context.entered(Hold::new(self.0.as_super().get(), Mode::Exclusive));
        let raw = header.give_away();
        let raw = raw.map_err(|error| to_pyerr(context.py(), error))?;
        Ok(Given {
            // SAFETY: guarantee 7: the object just gave its pointer up (`give_away`), and the call holds its parent.
            // trait `PyHandle`: an object of `T`'s class holds a pointer to a `T`.
            place: Some(Consumable::new(unsafe { Owned::<T>::again(raw.cast()) })),
            raw,
            header,
        })
    }
}

/// What a Python object gave away: it gets back what is still here in the end.
#[doc(hidden)]
pub struct Given<'h, T: Resource> {
    place: Option<Consumable<'h, T>>,
    raw: NonNull<()>,
    header: &'h Header,
}

impl<'h, T: Resource> Given<'h, T> {
    /// For good.
    pub fn into_owned(mut self) -> Owned<'h, T> {
        match self.place.take() {
            Some(handle) => handle.leave(),
            None => unreachable!("it was not given yet"),
        }
        // SAFETY: guarantee 7: the pointer was just taken out of its place.
        unsafe { Owned::again(self.raw.cast()) }
    }
}

impl<'h, T: Resource> Deref for Given<'h, T> {
    type Target = Option<Consumable<'h, T>>;

    fn deref(&self) -> &Self::Target {
        &self.place
    }
}

impl<T: Resource> DerefMut for Given<'_, T> {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.place
    }
}

impl<T: Resource> Drop for Given<'_, T> {
    fn drop(&mut self) {
        match self.place.take() {
            Some(handle) => {
                handle.leave();
                self.header.take_back(self.raw);
            }
            None => self.header.given(self.raw),
        }
    }
}

impl<T: Lock> Lock for Option<T> {
    fn hold(&self) -> Option<Hold<'_>> {
        self.as_ref().and_then(Lock::hold)
    }
}

#[diagnostic::do_not_recommend]
impl<T: PyHandle> Take for T {
    type Held<'a, 'py> = Borrowed<'a, 'py, T::Class>;
    const INPUT_TYPE: PyStaticExpr = <T::Class as PyTypeInfo>::TYPE_HINT;

    fn hold<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<Self::Held<'a, 'py>> {
        object
            .cast::<T::Class>()
            .map_err(|_| wrong_type(T::NAME, object))
    }

    fn lock<'h>(held: &'h Self::Held<'_, '_>, mode: Mode) -> Option<Hold<'h>> {
        Some(Hold::of(held.as_super(), mode))
    }

    fn get<'h>(held: &'h Self::Held<'_, '_>, context: &'h Context<'_, '_>) -> &'h Self {
        let raw = context.entered(Hold::new(held.as_super().get(), Mode::Shared));
        // SAFETY: guarantee 3: the call holds the handle (`entered`). trait `PyHandle`: an object of `T`'s class
        // holds a pointer to a `T`.
        unsafe { <T as Handle>::from_raw(raw.cast()) }
    }
}

#[cold]
pub(super) fn wrong_type(expected: &str, object: Borrowed<'_, '_, PyAny>) -> PyErr {
    let actual = object
        .get_type()
        .qualname()
        .map_or_else(|_| "?".into(), |name| name.to_string());
    PyTypeError::new_err(format!("{expected} expected, not {actual}"))
}

impl Take for str {
    type Held<'a, 'py> = &'a str;
    const INPUT_TYPE: PyStaticExpr = STR;

    fn hold<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<&'a str> {
        object
            .cast::<PyString>()
            .map_err(|_| wrong_type("str", object))?;
        object.extract()
    }

    fn get<'h>(held: &'h &str, _: &'h Context<'_, '_>) -> &'h str {
        held
    }
}

impl Take for CStr {
    type Held<'a, 'py> = &'a CStr;
    const INPUT_TYPE: PyStaticExpr = STR;

    fn hold<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<&'a CStr> {
        object
            .cast::<PyString>()
            .map_err(|_| wrong_type("str", object))?;
        let mut count = 0;
        // SAFETY: CPython: the object is a `str`, as was just asked; null comes with an exception.
        let start = unsafe { pyo3::ffi::PyUnicode_AsUTF8AndSize(object.as_ptr(), &raw mut count) };
        if start.is_null() {
            return Err(PyErr::fetch(object.py()));
        }
        // SAFETY: CPython: the UTF-8 form of a `str` ends with a NUL that its length does not count, and stays as long as the
        // object, which outlives `'a`.
        let with_end =
            unsafe { std::slice::from_raw_parts(start.cast(), count.cast_unsigned() + 1) };
        CStr::from_bytes_with_nul(with_end)
            .map_err(|_| PyValueError::new_err("embedded null character"))
    }

    fn get<'h>(held: &'h &CStr, _: &'h Context<'_, '_>) -> &'h CStr {
        held
    }
}

impl Take for [u8] {
    type Held<'a, 'py> = &'a [u8];
    const INPUT_TYPE: PyStaticExpr = BYTES;

    fn hold<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<&'a [u8]> {
        // Only `bytes`: what it holds can't change under C's feet.
        object.extract().map_err(|_| wrong_type("bytes", object))
    }

    fn get<'h>(held: &'h &[u8], _: &'h Context<'_, '_>) -> &'h [u8] {
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

impl Take for FsPath {
    type Held<'a, 'py> = CString;
    const INPUT_TYPE: PyStaticExpr =
        union(&STR, &union(&BYTES, &union(&PATH_OF_STR, &PATH_OF_BYTES)));

    fn hold<'a, 'py>(object: Borrowed<'a, 'py, PyAny>) -> PyResult<CString> {
        // `__fspath__` is Python code.
        let _hang = Hang::begin();
        let encode = object.py().import("os")?.getattr("fsencode")?;
        let bytes: Vec<u8> = encode.call1((object,))?.extract()?;
        CString::new(bytes).map_err(|_| PyValueError::new_err("embedded null byte"))
    }

    fn get<'h>(held: &'h CString, _: &'h Context<'_, '_>) -> &'h FsPath {
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
