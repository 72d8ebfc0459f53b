//! Direct entries: the C functions by which CPython calls generated methods, in place of PyO3's.
//!
//! PyO3's wrapper of a method does its work for every call: it counts the attachment of the thread, collects keywords,
//! and converts arguments through `FromPyObject`. A direct entry does none of that. It makes the common call only: all
//! arguments by position and of the exact Python type, on a handle that nothing bars. Any other call goes to PyO3's
//! function, before anything has happened. So signatures, keywords, defaults and error messages are PyO3's, and the
//! classes, their stubs and their docs do not change.
//!
//! An entry borrows the handle as [`call`](super::call) does. It is installed in the method table of the class when the
//! module is initialized. The methods whose arguments and results are plain values have one: see [`PlainArgument`] and
//! [`PlainResult`]. Free-threaded Python always calls PyO3's function, as does a thread with an armed failpoint.

use std::any::TypeId;
use std::cell::Cell;
use std::ffi::{CStr, c_int, c_void};
use std::hint::assert_unchecked;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

use pyo3::Borrowed;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;

use super::exceptions::to_pyerr;
use super::object::{HandleClass, PyHandle, no_memory};
use super::state::{HandleState, QuickBorrow};
use crate::error::Error;
use crate::fallible_copy::OutOfMemory;
use crate::panics::Payload;

/// The function of PyO3's that an entry replaces.
#[derive(Debug)]
pub struct Replaced {
    function: AtomicPtr<c_void>,
    /// Set once PyO3's function was called, which notes that its call site was reached.
    #[cfg(feature = "fault-injection")]
    is_noted: std::sync::atomic::AtomicBool,
}

impl Replaced {
    /// No function: the entry is not installed.
    #[expect(clippy::new_without_default, reason = "each is a static")]
    pub const fn new() -> Self {
        Replaced {
            function: AtomicPtr::new(ptr::null_mut()),
            #[cfg(feature = "fault-injection")]
            is_noted: std::sync::atomic::AtomicBool::new(false),
        }
    }

    /// Returns whether PyO3's function has to make the call, so that failpoints fail and call sites are noted.
    #[cfg(feature = "fault-injection")]
    fn has_failpoints(&self) -> bool {
        crate::failpoint::is_armed() || !self.is_noted.swap(true, Ordering::Relaxed)
    }

    /// Returns false: without the feature `fault-injection` there are no failpoints.
    #[cfg(not(feature = "fault-injection"))]
    #[inline(always)]
    #[expect(clippy::unused_self, reason = "as with the feature")]
    fn has_failpoints(&self) -> bool {
        false
    }
}

/// A method with a direct entry. Implemented by [`__direct!`](crate::__direct).
///
/// # Safety
///
/// `NAME` is the Python name of the method of that handle's class.
pub unsafe trait DirectMethod: 'static {
    /// The type of the receiver.
    type Handle: PyHandle;
    /// The name in Python.
    const NAME: &'static CStr;
    /// The number of arguments besides the receiver.
    const ARGUMENTS: usize;

    /// The function of PyO3's.
    fn replaced() -> &'static Replaced;

    /// Calls the method. Returns `None` before the call if PyO3's function has to make it.
    fn call(receiver: Receiver<'_>, arguments: Arguments<'_>) -> Option<Reply>;
}

/// The object that a method is called on.
pub struct Receiver<'a> {
    state: &'a HandleState,
    py: Python<'a>,
}

impl<'a> Receiver<'a> {
    /// The interpreter.
    #[inline(always)]
    pub fn py(&self) -> Python<'a> {
        self.py
    }

    /// Borrows the handle shared; `None` if that takes more than a glance.
    #[inline(always)]
    pub fn shared<T: PyHandle>(&self) -> Option<Entered<'a, T, false>> {
        self.state.enter_quick::<false>().map(Entered::of)
    }

    /// Borrows the handle exclusively; `None` if that takes more than a glance.
    #[inline(always)]
    pub fn exclusive<T: PyHandle>(&self) -> Option<Entered<'a, T, true>> {
        self.state.enter_quick::<true>().map(Entered::of)
    }
}

/// A borrowed handle, until this is dropped.
pub struct Entered<'a, T: PyHandle, const EXCLUSIVE: bool>(
    QuickBorrow<'a, EXCLUSIVE>,
    PhantomData<T>,
);

impl<'a, T: PyHandle, const EXCLUSIVE: bool> Entered<'a, T, EXCLUSIVE> {
    #[inline(always)]
    fn of(borrow: QuickBorrow<'a, EXCLUSIVE>) -> Self {
        Entered(borrow, PhantomData)
    }
}

impl<T: PyHandle> Entered<'_, T, false> {
    /// The handle.
    #[inline(always)]
    pub fn get(&mut self) -> &T {
        // SAFETY: guarantee 3: `enter_quick` has borrowed the handle. trait `DirectMethod`: CPython checks that the receiver is
        // an object of `T`'s class. trait `PyHandle`: such an object holds a pointer to a `T`.
        unsafe { T::from_raw(self.0.raw().cast()) }
    }
}

impl<T: PyHandle> Entered<'_, T, true> {
    /// The handle.
    #[inline(always)]
    pub fn get(&mut self) -> &mut T {
        // SAFETY: guarantee 4: `enter_quick` has borrowed the handle exclusively. trait `DirectMethod`: CPython checks that the receiver is
        // an object of `T`'s class. trait `PyHandle`: such an object holds a pointer to a `T`.
        unsafe { T::from_raw_mut(self.0.raw().cast()) }
    }
}

/// The positional arguments of a call.
#[derive(Debug, Clone, Copy)]
pub struct Arguments<'a> {
    next: *const *mut ffi::PyObject,
    objects: PhantomData<&'a ()>,
}

impl<'a> Arguments<'a> {
    /// Takes the next argument.
    ///
    /// # Safety
    ///
    /// There is one.
    #[inline(always)]
    pub unsafe fn next(&mut self) -> Argument<'a> {
        // SAFETY: the caller's promise.
        unsafe {
            let object = *self.next;
            self.next = self.next.add(1);
            Argument(object, PhantomData)
        }
    }
}

/// One argument of a call: a Python object that lives as long as the call.
#[derive(Debug, Clone, Copy)]
pub struct Argument<'a>(*mut ffi::PyObject, PhantomData<&'a ()>);

/// The result of a call: a new reference, or null with an exception set.
#[derive(Debug)]
pub struct Reply(*mut ffi::PyObject);

/// A value that an entry reads from a Python object of the one type that holds such values. It runs no Python code.
pub trait PlainArgument<'a>: Sized {
    /// Returns the value; `None` if PyO3 has to convert the object.
    fn read(argument: Argument<'a>) -> Option<Self>;
}

macro_rules! integer_arguments {
    ($($type:ty)+) => {$(
        impl PlainArgument<'_> for $type {
            #[inline(always)]
            fn read(Argument(object, _): Argument<'_>) -> Option<Self> {
                let mut overflow: c_int = 0;
                // SAFETY: CPython: the object is an `int`, so that the function calls nothing and sets no exception.
                let value = unsafe {
                    if ffi::PyLong_CheckExact(object) == 0 {
                        return None;
                    }
                    ffi::PyLong_AsLongAndOverflow(object, &raw mut overflow)
                };
                match overflow {
                    0 => value.try_into().ok(),
                    _ => None,
                }
            }
        }
    )+};
}

integer_arguments! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

impl PlainArgument<'_> for f64 {
    #[inline(always)]
    fn read(Argument(object, _): Argument<'_>) -> Option<Self> {
        // SAFETY: CPython: the object is a `float`, whose value is read.
        unsafe { (ffi::PyFloat_CheckExact(object) != 0).then(|| ffi::PyFloat_AS_DOUBLE(object)) }
    }
}

impl PlainArgument<'_> for bool {
    #[inline(always)]
    fn read(Argument(object, _): Argument<'_>) -> Option<Self> {
        // SAFETY: CPython: the two objects live as long as the interpreter.
        let (yes, no) = unsafe { (ffi::Py_True(), ffi::Py_False()) };
        match object {
            object if ptr::eq(object, yes) => Some(true),
            object if ptr::eq(object, no) => Some(false),
            _ => None,
        }
    }
}

/// Text as Python keeps it: UTF-8 with a NUL behind it, which stays as long as the `str`.
impl<'a> PlainArgument<'a> for &'a CStr {
    #[inline(always)]
    fn read(argument: Argument<'a>) -> Option<Self> {
        let bytes = utf8_with_end(argument)?;
        CStr::from_bytes_with_nul(bytes).ok()
    }
}

impl<'a> PlainArgument<'a> for &'a str {
    #[inline(always)]
    fn read(argument: Argument<'a>) -> Option<Self> {
        let (_end, text) = utf8_with_end(argument)?.split_last()?;
        // SAFETY: CPython: the UTF-8 form of a `str` is valid UTF-8.
        Some(unsafe { std::str::from_utf8_unchecked(text) })
    }
}

/// The UTF-8 form of a `str`, with the NUL behind it.
#[inline(always)]
fn utf8_with_end<'a>(Argument(object, _): Argument<'a>) -> Option<&'a [u8]> {
    let mut count = 0;
    // SAFETY: CPython: the object is a `str`, as is asked first. Its UTF-8 form ends with a NUL that the length does not
    // count, and stays as long as the object, which the caller holds during the call. For text that has no UTF-8 form the
    // result is null, with an exception, which PyO3's function will raise again.
    unsafe {
        if ffi::PyUnicode_CheckExact(object) == 0 {
            return None;
        }
        let start = ffi::PyUnicode_AsUTF8AndSize(object, &raw mut count);
        if start.is_null() {
            ffi::PyErr_Clear();
            return None;
        }
        Some(std::slice::from_raw_parts(
            start.cast(),
            count.cast_unsigned() + 1,
        ))
    }
}

/// A result that becomes a Python object without a container, so that no Python code runs.
pub trait PlainResult: Sized {
    /// Returns a new reference, or null with an exception set.
    fn into_object(self, py: Python<'_>) -> *mut ffi::PyObject;
}

impl PlainResult for () {
    #[inline(always)]
    fn into_object(self, _: Python<'_>) -> *mut ffi::PyObject {
        // SAFETY: CPython: the object lives as long as the interpreter, and is given out as a new reference.
        unsafe { ffi::Py_NewRef(ffi::Py_None()) }
    }
}

impl PlainResult for bool {
    #[inline(always)]
    fn into_object(self, _: Python<'_>) -> *mut ffi::PyObject {
        // SAFETY: CPython: the object lives as long as the interpreter, and is given out as a new reference.
        unsafe {
            ffi::Py_NewRef(match self {
                true => ffi::Py_True(),
                false => ffi::Py_False(),
            })
        }
    }
}

impl<T: PlainResult> PlainResult for Option<T> {
    #[inline(always)]
    fn into_object(self, py: Python<'_>) -> *mut ffi::PyObject {
        match self {
            Some(value) => value.into_object(py),
            None => ().into_object(py),
        }
    }
}

impl<T: PlainResult> PlainResult for Result<T, Error> {
    #[inline(always)]
    fn into_object(self, py: Python<'_>) -> *mut ffi::PyObject {
        match self {
            Ok(value) => value.into_object(py),
            Err(error) => raise(py, error),
        }
    }
}

/// Sets the exception of an error. Returns null.
#[cold]
fn raise(_: Python<'_>, error: Error) -> *mut ffi::PyObject {
    // PyO3 has to know that the thread is attached.
    Python::attach(|py| to_pyerr(py, error).restore(py));
    ptr::null_mut()
}

/// Sets the exception of a panic. Returns null.
#[cold]
fn raise_panic(py: Python<'_>, payload: Payload) -> *mut ffi::PyObject {
    if payload.is::<OutOfMemory>() {
        Python::attach(|py| no_memory().restore(py));
        return ptr::null_mut();
    }
    raise(py, Error::panic(payload))
}

/// The conversion of an argument of type `T`, if there is one: `(&&Take::new()).read_argument(argument)`.
#[derive(Debug)]
pub struct Take<T>(PhantomData<T>);

impl<T> Take<T> {
    /// The conversion.
    #[inline(always)]
    #[expect(
        clippy::new_without_default,
        reason = "the type is written where it is made"
    )]
    pub const fn new() -> Self {
        Take(PhantomData)
    }
}

/// The conversion to a type that is read directly.
pub trait TakePlain<'a> {
    /// The type.
    type Value;
    /// Returns the value; `None` if PyO3 has to convert the object.
    fn read_argument(&self, argument: Argument<'a>) -> Option<Self::Value>;
}

impl<'a, T: PlainArgument<'a>> TakePlain<'a> for &Take<T> {
    type Value = T;

    #[inline(always)]
    fn read_argument(&self, argument: Argument<'a>) -> Option<T> {
        T::read(argument)
    }
}

/// The answer for any other type. The compiler prefers [`TakePlain`], which needs one reference more.
pub trait TakeOther {
    /// The type.
    type Value;
    /// Returns `None`.
    fn read_argument(&self, _: Argument<'_>) -> Option<Self::Value>;
}

impl<T> TakeOther for Take<T> {
    type Value = T;

    #[inline(always)]
    fn read_argument(&self, _: Argument<'_>) -> Option<T> {
        None
    }
}

/// A result, to be converted: `(&&Give::of(result)).reply(py)`.
pub struct Give<T>(Cell<Option<T>>);

impl<T> Give<T> {
    /// The result.
    #[inline(always)]
    pub const fn of(result: T) -> Self {
        Give(Cell::new(Some(result)))
    }
}

/// The conversion of a plain result.
pub trait GivePlain {
    /// Converts the result.
    fn reply(&self, py: Python<'_>) -> Option<Reply>;
}

impl<T: PlainResult> GivePlain for &Give<T> {
    #[inline(always)]
    fn reply(&self, py: Python<'_>) -> Option<Reply> {
        self.0.take().map(|result| Reply(result.into_object(py)))
    }
}

/// The answer for any other type. The compiler prefers [`GivePlain`], which needs one reference more.
pub trait GiveOther {
    /// Never called: the method has no entry.
    fn reply(&self, _: Python<'_>) -> Option<Reply> {
        unreachable!("a method whose result is not plain has no direct entry")
    }
}

impl<T> GiveOther for Give<T> {}

/// Tells whether a type is read or made directly: `Probe::<T>::IS_READ`, `Probe::<T>::IS_MADE`.
#[derive(Debug)]
pub struct Probe<T>(PhantomData<T>);

impl<'a, T: PlainArgument<'a>> Probe<T> {
    /// There is a [`PlainArgument`].
    pub const IS_READ: bool = true;
}

impl<T: PlainResult> Probe<T> {
    /// There is a [`PlainResult`].
    pub const IS_MADE: bool = true;
}

/// The answer for any other type. The compiler prefers the constants of [`Probe`] itself.
pub trait IsOther {
    /// There is no [`PlainArgument`].
    const IS_READ: bool = false;
    /// There is no [`PlainResult`].
    const IS_MADE: bool = false;
}

impl<T> IsOther for Probe<T> {}

/// The entries of one `#[methods]` block.
#[derive(Debug)]
pub struct Entries {
    /// The type of the handle.
    pub handle: fn() -> TypeId,
    /// The entries.
    pub entries: &'static [Entry],
}

inventory::collect!(Entries);

/// A direct entry, to be installed.
#[derive(Debug)]
pub struct Entry {
    /// Set if all arguments and the result are plain. Else PyO3's function stays.
    is_plain: bool,
    name: &'static CStr,
    function: Function,
    replaced: fn() -> &'static Replaced,
}

/// The C function of an entry, by the calling convention of CPython's.
#[derive(Debug)]
enum Function {
    NoArguments(ffi::PyCFunction),
    Positional(ffi::PyCFunctionFastWithKeywords),
    Getter(ffi::getter),
}

impl Entry {
    /// The entry of a method.
    pub const fn method<M: DirectMethod>(is_plain: bool) -> Self {
        Entry {
            is_plain,
            name: M::NAME,
            function: match M::ARGUMENTS {
                0 => Function::NoArguments(without_arguments::<M>),
                _ => Function::Positional(with_arguments::<M>),
            },
            replaced: M::replaced,
        }
    }

    /// The entry of a property.
    pub const fn getter<M: DirectMethod>(is_plain: bool) -> Self {
        Entry {
            is_plain,
            name: M::NAME,
            function: Function::Getter(getter::<M>),
            replaced: M::replaced,
        }
    }

    /// Puts the entry into the method table of `class`, where PyO3 has put a method of that name and convention. Does
    /// nothing the second time: a module that is imported anew has the same classes.
    fn install(&self, class: &Bound<'_, PyType>) {
        if !(self.replaced)().function.load(Ordering::Acquire).is_null() {
            return;
        }
        let class = class.as_type_ptr();
        // SAFETY: CPython: PyO3 has made this class, on the heap, for the module that is being initialized. Its dict
        // holds the descriptors, which point into the tables that PyO3 has allocated for this class and never frees.
        // The replaced function is stored before the new one can be called.
        unsafe {
            let object = ffi::PyDict_GetItemString((*class).tp_dict, self.name.as_ptr());
            if object.is_null() {
                return;
            }
            match self.function {
                Function::Getter(function)
                    if ffi::Py_IS_TYPE(object, &raw mut ffi::PyGetSetDescr_Type) != 0 =>
                {
                    let table = (*object.cast::<ffi::PyGetSetDescrObject>()).d_getset;
                    if let Some(replaced) = (*table).get {
                        (self.replaced)()
                            .function
                            .store(replaced as *mut c_void, Ordering::Release);
                        (*table).get = Some(function);
                    }
                }
                Function::NoArguments(function) => {
                    let new = ffi::PyMethodDefPointer {
                        PyCFunction: function,
                    };
                    self.install_method(object, ffi::METH_NOARGS, new);
                }
                Function::Positional(function) => {
                    let new = ffi::PyMethodDefPointer {
                        PyCFunctionFastWithKeywords: function,
                    };
                    self.install_method(object, ffi::METH_FASTCALL | ffi::METH_KEYWORDS, new);
                }
                Function::Getter(_) => {}
            }
        }
    }

    /// Puts `new` into the method table behind a descriptor, if that has the convention of `flags`.
    ///
    /// # Safety
    ///
    /// As in [`Entry::install`]; `new` has the convention of `flags`.
    unsafe fn install_method(
        &self,
        object: *mut ffi::PyObject,
        flags: c_int,
        new: ffi::PyMethodDefPointer,
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            if ffi::Py_IS_TYPE(object, &raw mut ffi::PyMethodDescr_Type) == 0 {
                return;
            }
            let table = (*object.cast::<ffi::PyMethodDescrObject>()).d_method;
            if (*table).ml_flags == flags {
                // All members of the union are function pointers.
                let replaced = (*table).ml_meth.PyCFunction as *mut c_void;
                (self.replaced)()
                    .function
                    .store(replaced, Ordering::Release);
                (*table).ml_meth = new;
            }
        }
    }
}

/// Calls the method, or returns `None` before the call.
///
/// # Safety
///
/// CPython calls a method of `M`'s class on `receiver`, with [`DirectMethod::ARGUMENTS`] objects at `arguments`.
#[inline(always)]
unsafe fn call<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
) -> Option<*mut ffi::PyObject> {
    if cfg!(Py_GIL_DISABLED) || M::replaced().has_failpoints() {
        return None;
    }
    // SAFETY: the caller's promise: CPython calls, so this thread is attached, and the caller holds the receiver.
    let (py, object): (_, Borrowed<'_, '_, HandleClass>) = unsafe {
        let py = Python::assume_attached();
        assert_unchecked(!receiver.is_null());
        (py, Borrowed::from_ptr(py, receiver).cast_unchecked())
    };
    let state = object.get().state();
    let receiver = Receiver { state, py };
    let arguments = Arguments {
        next: arguments,
        objects: PhantomData,
    };
    match catch_unwind(AssertUnwindSafe(|| M::call(receiver, arguments))) {
        Ok(reply) => reply.map(|Reply(object)| object),
        Err(payload) => Some(raise_panic(py, payload)),
    }
}

/// The function of PyO3's.
#[cold]
fn replaced<M: DirectMethod>() -> *mut c_void {
    M::replaced().function.load(Ordering::Acquire)
}

unsafe extern "C" fn without_arguments<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    nothing: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it calls a method without arguments. `install` has replaced a function of this type.
    unsafe {
        match call::<M>(receiver, ptr::null()) {
            Some(result) => result,
            None => {
                let pyo3: ffi::PyCFunction = std::mem::transmute(replaced::<M>());
                pyo3(receiver, nothing)
            }
        }
    }
}

unsafe extern "C" fn with_arguments<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it passes `count` arguments, all by position if there are no keywords. `install` has replaced a
    // function of this type.
    unsafe {
        if keywords.is_null()
            && count == M::ARGUMENTS.cast_signed()
            && let Some(result) = call::<M>(receiver, arguments)
        {
            return result;
        }
        let pyo3: ffi::PyCFunctionFastWithKeywords = std::mem::transmute(replaced::<M>());
        pyo3(receiver, arguments, count, keywords)
    }
}

unsafe extern "C" fn getter<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    closure: *mut c_void,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it reads a property. `install` has replaced a function of this type.
    unsafe {
        match call::<M>(receiver, ptr::null()) {
            Some(result) => result,
            None => {
                let pyo3: ffi::getter = std::mem::transmute(replaced::<M>());
                pyo3(receiver, closure)
            }
        }
    }
}

/// The export of the class of a handle: adds the class to a module, and installs the direct entries.
#[derive(Debug)]
pub struct ExportHandle<T>(PhantomData<T>);

impl<T: PyHandle> ExportHandle<T> {
    /// The export.
    #[expect(clippy::new_without_default, reason = "each is a constant")]
    pub const fn new() -> Self {
        ExportHandle(PhantomData)
    }

    /// Adds the class to `module`, which is being initialized.
    ///
    /// # Errors
    ///
    /// A Python exception.
    pub fn add_to_module(&self, module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add_class::<T::Class>()?;
        let class = module.py().get_type::<T::Class>();
        inventory::iter::<Entries>
            .into_iter()
            .filter(|entries| (entries.handle)() == TypeId::of::<T>())
            .flat_map(|entries| entries.entries)
            .filter(|entry| entry.is_plain)
            .for_each(|entry| entry.install(&class));
        Ok(())
    }
}

/// The direct entry of a method: its kind, the handle, the borrow, the name in Python, and the call.
#[doc(hidden)]
#[macro_export]
macro_rules! __direct {
    ($kind:ident, $handle:ty, $borrow:ident, $name:expr, |$this:ident $(, $argument:ident: $type:ty)*| -> $result:ty $call:block) => {{
        struct Method;

        // SAFETY: annotation `methods`: the expansion exports the method of this handle by this name.
        unsafe impl $crate::__private::python::direct::DirectMethod for Method {
            type Handle = $handle;
            const NAME: &'static ::core::ffi::CStr = $name;
            const ARGUMENTS: usize = 0 $(+ { _ = ::core::stringify!($argument); 1 })*;

            fn replaced() -> &'static $crate::__private::python::direct::Replaced {
                static REPLACED: $crate::__private::python::direct::Replaced =
                    $crate::__private::python::direct::Replaced::new();
                &REPLACED
            }

            #[inline(always)]
            #[allow(unused_imports, unused_mut, unused_variables, reason = "not each is needed for each method")]
            fn call(
                receiver: $crate::__private::python::direct::Receiver<'_>,
                mut arguments: $crate::__private::python::direct::Arguments<'_>,
            ) -> ::core::option::Option<$crate::__private::python::direct::Reply> {
                use $crate::__private::python::direct::{GiveOther as _, GivePlain as _, TakeOther as _, TakePlain as _};
                $(
                    // SAFETY: CPython: it passes `ARGUMENTS` arguments.
                    let argument = unsafe { arguments.next() };
                    let $argument = (&&$crate::__private::python::direct::Take::<$type>::new()).read_argument(argument)?;
                )*
                let mut entered = receiver.$borrow::<$handle>()?;
                let $this = entered.get();
                let result = $call;
                (&&$crate::__private::python::direct::Give::of(result)).reply(receiver.py())
            }
        }

        const fn is_plain() -> bool {
            #[allow(unused_imports, reason = "not needed where all are plain")]
            use $crate::__private::python::direct::IsOther as _;
            $crate::__private::python::direct::Probe::<$result>::IS_MADE
                $(&& $crate::__private::python::direct::Probe::<$type>::IS_READ)*
        }

        $crate::__private::python::direct::Entry::$kind::<Method>(is_plain())
    }};
}
