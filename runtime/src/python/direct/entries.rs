//! The C functions of direct entries, and how they take the place of PyO3's.

use std::any::TypeId;

use super::calling::{call, replaced};
use super::method::{DirectMethod, Replaced};
use super::slots::{self, Slot};
use crate::python::allocation;
use crate::python::object::PyHandle;
use pyo3::ffi;
use pyo3::prelude::*;
use pyo3::types::{PyCFunction, PyType};
use std::ffi::{CStr, c_int, c_void};
use std::marker::PhantomData;
use std::ptr;
use std::sync::atomic::Ordering;
/// The entries of one `#[methods]` block.
#[derive(Debug)]
pub struct DirectEntries {
    /// The type of the handle.
    pub handle: fn() -> TypeId,
    /// The entries.
    pub entries: &'static [DirectEntry],
}

inventory::collect!(DirectEntries);

/// The entry of one function of a module.
#[derive(Debug)]
pub struct DirectFunction {
    /// Makes an object of the function, as the module has one.
    pub function: for<'py> fn(Python<'py>) -> PyResult<Bound<'py, PyCFunction>>,
    /// The entry.
    pub entry: DirectEntry,
}

inventory::collect!(DirectFunction);

/// Installs the direct entries of all functions.
///
/// # Errors
///
/// `MemoryError`
pub(crate) fn install_functions(py: Python<'_>) -> PyResult<()> {
    let all = inventory::iter::<DirectFunction>.into_iter();
    for DirectFunction { function, entry } in all.filter(|function| function.entry.is_plain) {
        entry.install_function(&function(py)?);
    }
    Ok(())
}

/// A direct entry, to be installed.
#[derive(Debug)]
pub struct DirectEntry {
    /// Set if all arguments and the result are plain. Else PyO3's function stays.
    is_plain: bool,
    /// Set if the entry is for the case that the one before it is not plain.
    is_other: bool,
    name: &'static CStr,
    function: Function,
    replaced: fn() -> &'static Replaced,
}

/// The C function of an entry, by the calling convention of CPython's.
#[derive(Debug)]
enum Function {
    StaticNoArguments(ffi::PyCFunction),
    StaticPositional(ffi::PyCFunctionFastWithKeywords),
    NoArguments(ffi::PyCFunction),
    Positional(ffi::PyCFunctionFastWithKeywords),
    PositionalOnly(ffi::PyCFunctionFast),
    OneArgument(ffi::PyCFunction),
    Getter(ffi::getter),
    Setter(ffi::setter),
    Constructor(ffi::vectorcallfunc),
    Slot(Slot),
}

impl DirectEntry {
    /// The entry, for the case that the one before it is not plain.
    #[must_use]
    pub const fn otherwise(self) -> Self {
        DirectEntry {
            is_other: true,
            ..self
        }
    }

    /// The entry of a method.
    pub const fn method<M: DirectMethod>(is_plain: bool) -> Self {
        DirectEntry {
            is_plain,
            is_other: false,
            name: M::NAME,
            function: match M::ARGUMENTS {
                0 => Function::NoArguments(without_arguments::<M, true>),
                _ => Function::Positional(with_arguments::<M, true>),
            },
            replaced: M::replaced,
        }
    }

    /// The entry of a method that takes all arguments by position only. CPython calls it faster.
    pub const fn positional_method<M: DirectMethod>(is_plain: bool) -> Self {
        let function = match (M::REQUIRED, M::ARGUMENTS) {
            (_, 0) => Function::NoArguments(without_arguments::<M, true>),
            (1, 1) => Function::OneArgument(with_one_argument::<M>),
            _ => Function::PositionalOnly(with_arguments_by_position::<M>),
        };
        DirectEntry {
            function,
            ..Self::method::<M>(is_plain)
        }
    }

    /// The entry of a static method.
    pub const fn static_method<M: DirectMethod>(is_plain: bool) -> Self {
        DirectEntry {
            is_plain,
            is_other: false,
            name: M::NAME,
            function: match M::ARGUMENTS {
                0 => Function::StaticNoArguments(without_arguments::<M, false>),
                _ => Function::StaticPositional(with_arguments::<M, false>),
            },
            replaced: M::replaced,
        }
    }

    /// The entry of a function of the module.
    pub const fn function<M: DirectMethod>(is_plain: bool) -> Self {
        Self::static_method::<M>(is_plain)
    }

    /// The entry of the constructor.
    pub const fn constructor<M: DirectMethod>(is_plain: bool) -> Self {
        DirectEntry {
            is_plain,
            is_other: false,
            name: M::NAME,
            function: Function::Constructor(constructor::<M>),
            replaced: M::replaced,
        }
    }

    /// The entry of a property.
    pub const fn getter<M: DirectMethod>(is_plain: bool) -> Self {
        DirectEntry {
            is_plain,
            is_other: false,
            name: M::NAME,
            function: Function::Getter(getter::<M>),
            replaced: M::replaced,
        }
    }

    /// The entry of the assignment to a property.
    pub const fn setter<M: DirectMethod>(is_plain: bool) -> Self {
        DirectEntry {
            is_plain,
            is_other: false,
            name: M::NAME,
            function: Function::Setter(setter::<M>),
            replaced: M::replaced,
        }
    }

    /// The entry of `__len__`.
    pub const fn length<M: DirectMethod>(is_plain: bool) -> Self {
        Self::slot::<M>(is_plain, Slot::Length(slots::length::<M>))
    }

    /// The entry of `__bool__`.
    pub const fn truth<M: DirectMethod>(is_plain: bool) -> Self {
        Self::slot::<M>(is_plain, Slot::Truth(slots::truth::<M>))
    }

    /// The entry of `__contains__`.
    pub const fn contains<M: DirectMethod>(is_plain: bool) -> Self {
        Self::slot::<M>(is_plain, Slot::Contains(slots::contains::<M>))
    }

    /// The entry of `__getitem__`.
    pub const fn item<M: DirectMethod>(is_plain: bool) -> Self {
        Self::slot::<M>(is_plain, Slot::Item(slots::item::<M>))
    }

    /// The entry of `__repr__`.
    pub const fn representation<M: DirectMethod>(is_plain: bool) -> Self {
        Self::slot::<M>(is_plain, Slot::Representation(slots::unary::<M>))
    }

    /// The entry of `__str__`.
    pub const fn text<M: DirectMethod>(is_plain: bool) -> Self {
        Self::slot::<M>(is_plain, Slot::Text(slots::unary::<M>))
    }

    const fn slot<M: DirectMethod>(is_plain: bool, slot: Slot) -> Self {
        DirectEntry {
            is_plain,
            is_other: false,
            name: M::NAME,
            function: Function::Slot(slot),
            replaced: M::replaced,
        }
    }

    /// Puts the entry into the method table of `class`, where PyO3 has put a method of that name and convention. Does
    /// nothing the second time: a module that is imported anew has the same classes.
    fn install(&self, class: &Bound<'_, PyType>) {
        if self.is_installed() {
            return;
        }
        let class = class.as_type_ptr();
        if let Function::Slot(slot) = &self.function {
            // SAFETY: CPython: PyO3 has made this class, on the heap, for the module that is being initialized.
            unsafe { slot.install(class, &(self.replaced)().function) };
            return;
        }
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
                Function::Setter(function)
                    if ffi::Py_IS_TYPE(object, &raw mut ffi::PyGetSetDescr_Type) != 0 =>
                {
                    let table = (*object.cast::<ffi::PyGetSetDescrObject>()).d_getset;
                    if let Some(replaced) = (*table).set {
                        (self.replaced)()
                            .function
                            .store(replaced as *mut c_void, Ordering::Release);
                        (*table).set = Some(function);
                    }
                }
                Function::Getter(_) | Function::Setter(_) | Function::Slot(_) => {}
                Function::Constructor(function) => {
                    // CPython calls a vectorcall function in place of both `__new__` and `__init__`.
                    let initializes = !same_initializer(class, &raw mut ffi::PyBaseObject_Type);
                    if (*class).tp_vectorcall.is_none() && !initializes {
                        (self.replaced)()
                            .function
                            .store(class.cast(), Ordering::Release);
                        (*class).tp_vectorcall = Some(function);
                    }
                }
                Function::NoArguments(function) => {
                    self.install_method(method_table(object), 0, without(function));
                }
                Function::Positional(function) => {
                    self.install_method(method_table(object), 0, positional(function));
                }
                Function::PositionalOnly(function) => {
                    self.replace_method(class, method_table(object), by_position(function));
                }
                Function::OneArgument(function) => {
                    self.replace_method(class, method_table(object), one_argument(function));
                }
                Function::StaticNoArguments(function) => {
                    let table = static_method_table(object);
                    self.install_method(table, ffi::METH_STATIC, without(function));
                }
                Function::StaticPositional(function) => {
                    let table = static_method_table(object);
                    self.install_method(table, ffi::METH_STATIC, positional(function));
                }
            }
        }
    }

    fn is_installed(&self) -> bool {
        !(self.replaced)().function.load(Ordering::Acquire).is_null()
    }

    /// Puts the entry into the table of a function of PyO3's. Does nothing the second time.
    fn install_function(&self, function: &Bound<'_, PyCFunction>) {
        if self.is_installed() {
            return;
        }
        // SAFETY: CPython: the type of the object says how it is laid out. PyO3 has made its table for this function,
        // which never goes, and gives it to no other one.
        unsafe {
            let table = (*function.as_ptr().cast::<ffi::PyCFunctionObject>()).m_ml;
            match self.function {
                Function::StaticNoArguments(function) => {
                    self.install_method(table, 0, without(function));
                }
                Function::StaticPositional(function) => {
                    self.install_method(table, 0, positional(function));
                }
                _ => {}
            }
        }
    }

    /// Puts a function into a method table, if that has its convention and `kind`.
    ///
    /// # Safety
    ///
    /// As in [`DirectEntry::install`]; `table` is null, or a table of PyO3's. The function has the convention of the
    /// flags.
    unsafe fn install_method(
        &self,
        table: *mut ffi::PyMethodDef,
        kind: c_int,
        (flags, new): (c_int, ffi::PyMethodDefPointer),
    ) {
        // SAFETY: the caller's promise.
        unsafe {
            if !table.is_null() && (*table).ml_flags == flags | kind {
                // All members of the union are function pointers.
                let replaced = (*table).ml_meth.PyCFunction as *mut c_void;
                (self.replaced)()
                    .function
                    .store(replaced, Ordering::Release);
                (*table).ml_meth = new;
            }
        }
    }

    /// Puts a method of another convention in the place of PyO3's, with the same name and docs. Where there is no
    /// memory for it, PyO3's stays.
    ///
    /// # Safety
    ///
    /// As for [`DirectEntry::install_method`]. `class` has the method of the table.
    unsafe fn replace_method(
        &self,
        class: *mut ffi::PyTypeObject,
        table: *mut ffi::PyMethodDef,
        (ml_flags, ml_meth): (c_int, ffi::PyMethodDefPointer),
    ) {
        // SAFETY: the caller's promise. CPython: a method refers to its table for good, and to the class.
        unsafe {
            if table.is_null() || (*table).ml_flags != ffi::METH_FASTCALL | ffi::METH_KEYWORDS {
                return;
            }
            let ffi::PyMethodDef {
                ml_name, ml_doc, ..
            } = *table;
            let definition = Box::leak(Box::new(ffi::PyMethodDef {
                ml_name,
                ml_meth,
                ml_flags,
                ml_doc,
            }));
            let replaced = (*table).ml_meth.PyCFunction as *mut c_void;
            let stored = &(self.replaced)().function;
            stored.store(replaced, Ordering::Release);
            let method = ffi::PyDescr_NewMethod(class, definition);
            let (methods, name) = ((*class).tp_dict, self.name.as_ptr());
            if method.is_null() || ffi::PyDict_SetItemString(methods, name, method) != 0 {
                ffi::PyErr_Clear();
            }
            ffi::PyType_Modified(class);
            ffi::Py_XDECREF(method);
        }
    }
}

/// Returns whether both classes have the same `__init__`.
///
/// # Safety
///
/// Both are classes. This thread is attached.
unsafe fn same_initializer(class: *mut ffi::PyTypeObject, other: *mut ffi::PyTypeObject) -> bool {
    // SAFETY: the caller's promise.
    match unsafe { ((*class).tp_init, (*other).tp_init) } {
        (Some(class), Some(other)) => ptr::fn_addr_eq(class, other),
        (None, None) => true,
        _ => false,
    }
}

/// A function without arguments, with the flag of its convention.
fn without(function: ffi::PyCFunction) -> (c_int, ffi::PyMethodDefPointer) {
    let pointer = ffi::PyMethodDefPointer {
        PyCFunction: function,
    };
    (ffi::METH_NOARGS, pointer)
}

/// A function with arguments, with the flags of its convention.
fn positional(function: ffi::PyCFunctionFastWithKeywords) -> (c_int, ffi::PyMethodDefPointer) {
    let pointer = ffi::PyMethodDefPointer {
        PyCFunctionFastWithKeywords: function,
    };
    (ffi::METH_FASTCALL | ffi::METH_KEYWORDS, pointer)
}

/// A function with arguments by position only, with the flag of its convention.
fn by_position(function: ffi::PyCFunctionFast) -> (c_int, ffi::PyMethodDefPointer) {
    let pointer = ffi::PyMethodDefPointer {
        PyCFunctionFast: function,
    };
    (ffi::METH_FASTCALL, pointer)
}

/// A function with one argument by position only, with the flag of its convention.
fn one_argument(function: ffi::PyCFunction) -> (c_int, ffi::PyMethodDefPointer) {
    let pointer = ffi::PyMethodDefPointer {
        PyCFunction: function,
    };
    (ffi::METH_O, pointer)
}

/// Returns the table behind the descriptor of a method; null for any other object.
///
/// # Safety
///
/// `object` is an object of the dict of a class.
unsafe fn method_table(object: *mut ffi::PyObject) -> *mut ffi::PyMethodDef {
    // SAFETY: the caller's promise; CPython: the type says how the object is laid out.
    unsafe {
        match ffi::Py_IS_TYPE(object, &raw mut ffi::PyMethodDescr_Type) {
            0 => ptr::null_mut(),
            _ => (*object.cast::<ffi::PyMethodDescrObject>()).d_method,
        }
    }
}

/// Returns the table behind a static method; null for any other object.
///
/// # Safety
///
/// As for [`method_table`]. This thread is attached.
unsafe fn static_method_table(object: *mut ffi::PyObject) -> *mut ffi::PyMethodDef {
    // SAFETY: the caller's promise; CPython: a static method has its function as an attribute, and keeps it. The type
    // of that says how it is laid out.
    unsafe {
        if ffi::Py_IS_TYPE(object, &raw mut ffi::PyStaticMethod_Type) == 0 {
            return ptr::null_mut();
        }
        let function = ffi::PyObject_GetAttrString(object, c"__func__".as_ptr());
        if function.is_null() {
            ffi::PyErr_Clear();
            return ptr::null_mut();
        }
        let table = match ffi::Py_IS_TYPE(function, &raw mut ffi::PyCFunction_Type) {
            0 => ptr::null_mut(),
            _ => (*function.cast::<ffi::PyCFunctionObject>()).m_ml,
        };
        ffi::Py_DECREF(function);
        table
    }
}

unsafe extern "C" fn without_arguments<M: DirectMethod, const HAS_RECEIVER: bool>(
    receiver: *mut ffi::PyObject,
    nothing: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it calls a method without arguments. `install` has replaced a function of this type.
    unsafe {
        match call::<M, HAS_RECEIVER>(receiver, ptr::null(), 0) {
            Some(result) => result,
            None => {
                let pyo3: ffi::PyCFunction = std::mem::transmute(replaced::<M>());
                pyo3(receiver, nothing)
            }
        }
    }
}

#[inline]
unsafe extern "C" fn with_arguments<M: DirectMethod, const HAS_RECEIVER: bool>(
    receiver: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it passes `count` arguments, all by position if there are no keywords. `install` has replaced a
    // function of this type.
    unsafe {
        if keywords.is_null()
            && M::REQUIRED.cast_signed() <= count
            && count <= M::ARGUMENTS.cast_signed()
            && let Some(result) =
                call::<M, HAS_RECEIVER>(receiver, arguments, count.cast_unsigned())
        {
            return result;
        }
        let pyo3: ffi::PyCFunctionFastWithKeywords = std::mem::transmute(replaced::<M>());
        pyo3(receiver, arguments, count, keywords)
    }
}

unsafe extern "C" fn with_arguments_by_position<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    arguments: *mut *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it passes `count` arguments. `install` has replaced a function that takes keywords besides.
    unsafe { with_arguments::<M, true>(receiver, arguments, count, ptr::null_mut()) }
}

unsafe extern "C" fn with_one_argument<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    argument: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it passes one argument. `install` has replaced a function that takes as many as it is told.
    unsafe { with_arguments::<M, true>(receiver, &raw const argument, 1, ptr::null_mut()) }
}

unsafe extern "C" fn constructor<M: DirectMethod>(
    class: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: usize,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it calls the class, with arguments as for any function of the vectorcall protocol.
    unsafe {
        let count = ffi::PyVectorcall_NARGS(count);
        if keywords.is_null()
            && M::REQUIRED.cast_signed() <= count
            && count <= M::ARGUMENTS.cast_signed()
            && let Some(result) =
                call::<M, false>(ptr::null_mut(), arguments, count.cast_unsigned())
        {
            return result;
        }
        construct_by_pyo3(class, arguments, count, keywords)
    }
}

/// Calls the class through `type.__call__`, and so PyO3's `__new__`.
///
/// # Safety
///
/// CPython calls the class with these arguments: `count` by position, then those that `keywords` names.
unsafe fn construct_by_pyo3(
    class: *mut ffi::PyObject,
    arguments: *const *mut ffi::PyObject,
    count: ffi::Py_ssize_t,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise. CPython: `tp_call` of a type takes a tuple, and a dict or null. The new references
    // to the arguments are the tuple's; a tuple with empty places may be dropped.
    unsafe {
        let Some(type_call) = ffi::PyType_Type.tp_call else {
            unreachable!("`type` can be called")
        };
        let positional = ffi::PyTuple_New(count);
        if positional.is_null() {
            return ptr::null_mut();
        }
        for index in 0..count {
            let argument = ffi::Py_NewRef(*arguments.offset(index));
            ffi::PyTuple_SET_ITEM(positional, index, argument);
        }
        let named = match keywords.is_null() {
            true => ptr::null_mut(),
            false => named_arguments(arguments.offset(count), keywords),
        };
        let object = match named.is_null() != keywords.is_null() {
            true => ptr::null_mut(),
            false => type_call(class, positional, named),
        };
        ffi::Py_DECREF(positional);
        ffi::Py_XDECREF(named);
        object
    }
}

/// Returns a new dict of the arguments that `keywords` names, or null with an exception.
///
/// # Safety
///
/// `keywords` is a tuple of strings. There are as many objects at `arguments`.
unsafe fn named_arguments(
    arguments: *const *mut ffi::PyObject,
    keywords: *mut ffi::PyObject,
) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise.
    unsafe {
        let named = ffi::PyDict_New();
        if named.is_null() {
            return named;
        }
        for index in 0..ffi::PyTuple_GET_SIZE(keywords) {
            let name = ffi::PyTuple_GET_ITEM(keywords, index);
            if ffi::PyDict_SetItem(named, name, *arguments.offset(index)) != 0 {
                ffi::Py_DECREF(named);
                return ptr::null_mut();
            }
        }
        named
    }
}

unsafe extern "C" fn getter<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    closure: *mut c_void,
) -> *mut ffi::PyObject {
    // SAFETY: CPython: it reads a property. `install` has replaced a function of this type.
    unsafe {
        match call::<M, true>(receiver, ptr::null(), 0) {
            Some(result) => result,
            None => {
                let pyo3: ffi::getter = std::mem::transmute(replaced::<M>());
                pyo3(receiver, closure)
            }
        }
    }
}

unsafe extern "C" fn setter<M: DirectMethod>(
    receiver: *mut ffi::PyObject,
    value: *mut ffi::PyObject,
    closure: *mut c_void,
) -> c_int {
    // SAFETY: CPython: it assigns to a property, or deletes it if the value is null. `install` has replaced a function
    // of this type. The result is a new reference to `None`, or null.
    unsafe {
        if !value.is_null()
            && let Some(result) = call::<M, true>(receiver, &raw const value, 1)
        {
            ffi::Py_XDECREF(result);
            return if result.is_null() { -1 } else { 0 };
        }
        let pyo3: ffi::setter = std::mem::transmute(replaced::<M>());
        pyo3(receiver, value, closure)
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
        allocation::install(&class);
        let mut is_before_plain = false;
        for entry in inventory::iter::<DirectEntries>
            .into_iter()
            .filter(|entries| (entries.handle)() == TypeId::of::<T>())
            .flat_map(|entries| entries.entries)
        {
            if entry.is_plain && !(entry.is_other && is_before_plain) {
                entry.install(&class);
            }
            is_before_plain = entry.is_plain;
        }
        Ok(())
    }
}
