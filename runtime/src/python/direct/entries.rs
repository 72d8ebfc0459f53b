//! The C functions of direct entries, and how they take the place of PyO3's.

use std::any::TypeId;

use super::method::{Arguments, DirectMethod, Receiver, Replaced, Reply};
use super::values::raise_panic;
use crate::python::object::{HandleClass, PyHandle};
use pyo3::Borrowed;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::PyType;
use std::ffi::{CStr, c_int, c_void};
use std::hint::assert_unchecked;
use std::marker::PhantomData;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::atomic::Ordering;
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
