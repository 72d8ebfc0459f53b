//! A JSON value: what it is, what is in it, and how that is changed.

use std::collections::HashSet;

use leakproof::prelude::*;
use leakproof::pyo3;
use leakproof::pyo3::exceptions::{
    PyIndexError, PyKeyError, PyRecursionError, PyTypeError, PyValueError,
};
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::types::{PyAnyMethods, PyIterator, PyString};
use leakproof::pyo3::{Bound, FromPyObject, Py, PyAny, PyErr, PyResult, PyTypeInfo, Python};
use leakproof::{CallContext, Errno, NoErrors};

use crate::text::{Failure, JSONDecodeError};
use crate::{convert, ffi};

/// Values are nested so deep at most where Jansson recurses: its parser's own limit.
pub(crate) const DEPTH: i32 = 2048;

/// The kind of a value (json_type).
#[int_enum(ffi::json_type)]
pub enum Kind {
    /// A mapping of names to values.
    OBJECT = ffi::JSON_OBJECT,
    /// A sequence of values.
    ARRAY = ffi::JSON_ARRAY,
    /// A text.
    STRING = ffi::JSON_STRING,
    /// A whole number of 64 bits.
    INTEGER = ffi::JSON_INTEGER,
    /// A floating point number.
    REAL = ffi::JSON_REAL,
    /// true
    TRUE = ffi::JSON_TRUE,
    /// false
    FALSE = ffi::JSON_FALSE,
    /// null
    NULL = ffi::JSON_NULL,
}

/// The place of a value in an object or in an array.
pub(crate) enum Key {
    /// The name in an object.
    Name(CString),
    /// The index in an array; from the end if it is negative.
    Index(isize),
}

impl<'py> FromPyObject<'_, 'py> for Key {
    type Error = PyErr;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if object.is_instance_of::<PyString>() {
            object.extract().map(Key::Name)
        } else {
            object.extract().map(Key::Index)
        }
    }
}

/// Jansson's text is always UTF-8.
fn text(name: CString) -> String {
    name.to_string_lossy().into_owned()
}

/// The contents of an object or of an array.
#[derive(IntoPython)]
pub(crate) enum Item {
    /// The name of a member.
    Name(String),
    /// An element.
    Element(Owned<'static, Value>),
}

/// The contents of a value when its iteration began. Python gets an iterator.
pub(crate) struct Snapshot(Vec<Item>);

impl IntoPython for Snapshot {
    const TYPE: PyStaticExpr = PyStaticExpr::Subscript {
        value: &PyIterator::TYPE_HINT,
        slice: &<Item as IntoPython>::TYPE,
    };

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        Ok(self.0.into_python(context)?.try_iter()?.into_any())
    }
}

/// Jansson explains in a struct why a text was not loaded, and in `errno` why a file was not written. Of other
/// functions it says only that they failed.
#[derive(Debug, Default)]
pub struct Failures {
    failure: Option<Failure>,
}

impl FailureDetails<Failure> for Failures {
    fn details(&mut self, failure: Failure) {
        self.failure = Some(failure);
    }
}

impl ErrorSource<Value> for Failures {
    fn before_call(&mut self, call: &CallInfo<'_, Value>) {
        Errno.before_call(call);
    }

    fn into_error(self, call: &CallInfo<'_, Value>) -> Error {
        match self.failure {
            Some(failure) => JSONDecodeError::from(failure).into(),
            None if call.function == "json_dump_file" => Errno.into_error(call),
            None => NoErrors.into_error(call),
        }
    }
}

/// A JSON value. Objects and arrays contain other values, and several of them may contain the same value.
#[handle(
    raw = ffi::json_t,
    retain = ffi::json_incref,
    release = ffi::shim_decref,
    borrowed_with = Self,
    errors = Failures,
    fork_safe
)]
pub struct Value;

#[methods(unsafe, rust_only)]
impl Value {
    #[calls(ffi::json_object, fails = null)]
    pub(crate) fn object() -> Result<Owned<Value>>;

    #[calls(ffi::json_array, fails = null)]
    pub(crate) fn array() -> Result<Owned<Value>>;

    #[calls(ffi::json_stringn, args = (text.ptr, text.len), fails = null)]
    pub(crate) fn string(text: &str) -> Result<Owned<Value>>;

    #[calls(ffi::json_integer, fails = null)]
    pub(crate) fn integer(number: i64) -> Result<Owned<Value>>;

    #[calls(ffi::json_real, fails = null)]
    pub(crate) fn real(number: f64) -> Result<Owned<Value>>;

    #[calls(ffi::shim_boolean, fails = null)]
    pub(crate) fn boolean(truth: bool) -> Result<Owned<Value>>;

    #[calls(ffi::json_null, fails = null)]
    pub(crate) fn null() -> Result<Owned<Value>>;

    #[calls(ffi::json_string_value, len = ffi::json_string_length)]
    pub(crate) fn text(&self) -> Result<Option<String>>;

    #[calls(ffi::json_string_length)]
    fn text_size(&self) -> usize;

    #[calls(ffi::json_integer_value)]
    pub(crate) fn integer_value(&self) -> i64;

    #[calls(ffi::json_real_value)]
    pub(crate) fn real_value(&self) -> f64;

    #[calls(ffi::shim_address)]
    fn address(&self) -> usize;

    #[calls(ffi::shim_is_deeper)]
    fn is_deeper(&self, limit: i32) -> bool;

    #[calls(ffi::json_object_size)]
    fn object_size(&self) -> usize;

    #[calls(ffi::json_object_get, retain)]
    pub(crate) fn object_get(&self, name: &CStr) -> Option<Owned<Value>>;

    #[calls(ffi::shim_next_name)]
    fn next_name(&self, name: Option<&CStr>) -> Option<CString>;

    #[calls(ffi::json_object_set, fails = nonzero)]
    fn object_set(&mut self, name: &CStr, value: &Value) -> Result<()>;

    #[calls(ffi::json_object_set_new, fails = nonzero, consumes = always)]
    pub(crate) fn object_give(&mut self, name: &CStr, value: Owned<Value>) -> Result<()>;

    #[calls(ffi::json_object_del, fails = nonzero)]
    fn object_del(&mut self, name: &CStr) -> Result<()>;

    #[calls(ffi::json_object_clear, fails = nonzero)]
    fn object_clear(&mut self) -> Result<()>;

    #[calls(ffi::json_object_update, fails = nonzero)]
    fn object_update(&mut self, other: &Value) -> Result<()>;

    #[calls(ffi::json_array_size)]
    fn array_size(&self) -> usize;

    #[calls(ffi::json_array_get, retain)]
    fn array_get(&self, index: usize) -> Option<Owned<Value>>;

    #[calls(ffi::json_array_set, fails = nonzero)]
    fn array_set(&mut self, index: usize, value: &Value) -> Result<()>;

    #[calls(ffi::json_array_append, fails = nonzero)]
    fn array_append(&mut self, value: &Value) -> Result<()>;

    #[calls(ffi::json_array_append_new, fails = nonzero, consumes = always)]
    pub(crate) fn array_give(&mut self, value: Owned<Value>) -> Result<()>;

    #[calls(ffi::json_array_insert, fails = nonzero)]
    fn array_insert(&mut self, index: usize, value: &Value) -> Result<()>;

    #[calls(ffi::json_array_remove, fails = nonzero)]
    fn array_remove(&mut self, index: usize) -> Result<()>;

    #[calls(ffi::json_array_clear, fails = nonzero)]
    fn array_clear(&mut self) -> Result<()>;

    #[calls(ffi::json_array_extend, fails = nonzero)]
    fn array_extend(&mut self, other: &Value) -> Result<()>;

    #[calls(ffi::json_copy, fails = null)]
    fn shallow(&self) -> Result<Owned<Value>>;

    #[calls(ffi::json_deep_copy, fails = null, detach)]
    fn deep(&self) -> Result<Owned<Value>>;

    #[calls(ffi::json_equal)]
    fn equal(&self, other: &Value) -> bool;

    /// Returns the contents of an object or of an array: the names of an object's members.
    pub(crate) fn contents(&self) -> Vec<(Option<CString>, Owned<'static, Value>)> {
        let mut contents = Vec::with_capacity(self.size());
        contents.extend(
            (0..self.array_size()).filter_map(|index| Some((None, self.array_get(index)?))),
        );
        let mut next = self.next_name(None);
        while let Some(name) = next {
            next = self.next_name(Some(&name));
            contents.extend(self.object_get(&name).map(|value| (Some(name), value)));
        }
        contents
    }

    /// The number of members or elements.
    fn size(&self) -> usize {
        self.array_size() + self.object_size()
    }

    /// Returns whether `other` is this value or somewhere in it.
    fn reaches(&self, other: &Value) -> bool {
        let mut seen = HashSet::new();
        let mut todo = vec![Borrowed::from(self).retain()];
        while let Some(value) = todo.pop() {
            if value.address() == other.address() {
                return true;
            }
            if seen.insert(value.address()) {
                todo.extend(value.contents().into_iter().map(|(_, child)| child));
            }
        }
        false
    }

    /// Refuses what would put this value into itself. Only a value with another owner than this handle can be in
    /// `value`.
    fn accept(&self, value: &Value) -> Result<()> {
        if self.owners() > 1 && value.reaches(self) {
            return Err(PyValueError::new_err("a value cannot be put into itself").into());
        }
        Ok(())
    }

    pub(crate) fn check_depth(&self) -> Result<()> {
        if self.is_deeper(DEPTH) {
            let message = format!("values are nested more than {DEPTH} deep");
            return Err(PyRecursionError::new_err(message).into());
        }
        Ok(())
    }

    fn check_kind(&self, kind: Kind) -> Result<()> {
        if self.kind() == kind {
            return Ok(());
        }
        let expected = if kind == Kind::ARRAY {
            "an array"
        } else {
            "an object"
        };
        Err(PyTypeError::new_err(format!("the value is not {expected}")).into())
    }

    fn check_size(&self) -> Result<()> {
        if matches!(self.kind(), Kind::OBJECT | Kind::ARRAY) {
            return Ok(());
        }
        Err(PyTypeError::new_err("the value is neither an object nor an array").into())
    }

    /// The position of an element, as Python counts.
    fn position(&self, index: isize) -> Result<usize> {
        self.check_kind(Kind::ARRAY)?;
        let size = self.array_size();
        let position = if index < 0 {
            size.checked_add_signed(index)
        } else {
            Some(index.unsigned_abs())
        };
        position
            .filter(|position| *position < size)
            .ok_or_else(|| PyIndexError::new_err("array index out of range").into())
    }

    fn member(&self, name: &CStr) -> Result<Owned<Value>> {
        self.check_kind(Kind::OBJECT)?;
        self.object_get(name)
            .ok_or_else(|| PyKeyError::new_err(name.to_string_lossy().into_owned()).into())
    }
}

#[methods(unsafe)]
impl Value {
    /// Makes a value of None, bool, int, float, str, list, tuple or dict.
    #[new]
    fn new(object: Bound<'_, PyAny>) -> Result<Owned<Value>> {
        convert::from_python(object)
    }

    /// Returns the value as None, bool, int, float, str, list or dict.
    fn to_python(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        Ok(convert::to_python(self, py)?.unbind())
    }

    /// The kind of the value.
    #[getter]
    #[field(type_)]
    pub(crate) fn kind(&self) -> Kind;

    /// The number of owners: handles, and values that contain this one.
    #[getter]
    #[field(refcount)]
    fn owners(&self) -> usize;

    fn __len__(&self) -> Result<usize> {
        self.check_size()?;
        Ok(self.size())
    }

    fn __bool__(&self) -> bool {
        match self.kind() {
            Kind::OBJECT | Kind::ARRAY => self.size() > 0,
            Kind::STRING => self.text_size() > 0,
            Kind::INTEGER => self.integer_value() != 0,
            Kind::REAL => self.real_value() != 0.0,
            kind => kind == Kind::TRUE,
        }
    }

    fn __contains__(&self, name: &CStr) -> Result<bool> {
        self.check_kind(Kind::OBJECT)?;
        Ok(self.object_get(name).is_some())
    }

    fn __getitem__(&self, key: Key) -> Result<Owned<Value>> {
        match key {
            Key::Name(name) => self.member(&name),
            Key::Index(index) => {
                let found = self.array_get(self.position(index)?);
                found.ok_or_else(|| PyIndexError::new_err("array index out of range").into())
            }
        }
    }

    fn __setitem__(&mut self, key: Key, value: &Value) -> Result<()> {
        self.accept(value)?;
        // What is replaced is released by our own function.
        match key {
            Key::Name(name) => {
                self.check_kind(Kind::OBJECT)?;
                let _replaced = self.object_get(&name);
                self.object_set(&name, value)
            }
            Key::Index(index) => {
                let index = self.position(index)?;
                let _replaced = self.array_get(index);
                self.array_set(index, value)
            }
        }
    }

    fn __delitem__(&mut self, key: Key) -> Result<()> {
        match key {
            Key::Name(name) => {
                let _removed = self.member(&name)?;
                self.object_del(&name)
            }
            Key::Index(index) => {
                let index = self.position(index)?;
                let _removed = self.array_get(index);
                self.array_remove(index)
            }
        }
    }

    /// Iterates over the names in an object or the values in an array, as they are now.
    fn __iter__(&self) -> Result<Snapshot> {
        self.check_size()?;
        let item = |(name, value): (Option<_>, _)| {
            name.map_or(Item::Element(value), |name| Item::Name(text(name)))
        };
        Ok(Snapshot(self.contents().into_iter().map(item).collect()))
    }

    /// Returns the value with this name; None if there is none.
    fn get(&self, name: &CStr) -> Result<Option<Owned<Value>>> {
        self.check_kind(Kind::OBJECT)?;
        Ok(self.object_get(name))
    }

    /// Returns the names in an object.
    fn keys(&self) -> Result<Vec<String>> {
        Ok(self.items()?.into_iter().map(|(name, _)| name).collect())
    }

    /// Returns the values in an object.
    fn values(&self) -> Result<Vec<Owned<Value>>> {
        Ok(self.items()?.into_iter().map(|(_, value)| value).collect())
    }

    /// Returns the names in an object, each with its value.
    fn items(&self) -> Result<Vec<(String, Owned<Value>)>> {
        self.check_kind(Kind::OBJECT)?;
        let contents = self.contents().into_iter();
        Ok(contents
            .filter_map(|(name, value)| Some((text(name?), value)))
            .collect())
    }

    /// Adds a value to the end of an array.
    fn append(&mut self, value: &Value) -> Result<()> {
        self.check_kind(Kind::ARRAY)?;
        self.accept(value)?;
        self.array_append(value)
    }

    /// Adds a value before the one at `index`, as list.insert does.
    fn insert(&mut self, index: isize, value: &Value) -> Result<()> {
        self.check_kind(Kind::ARRAY)?;
        self.accept(value)?;
        let size = self.array_size();
        let index = if index < 0 {
            size.saturating_add_signed(index)
        } else {
            size.min(index.unsigned_abs())
        };
        self.array_insert(index, value)
    }

    /// Adds the values in another array.
    fn extend(&mut self, other: &Value) -> Result<()> {
        self.check_kind(Kind::ARRAY)?;
        other.check_kind(Kind::ARRAY)?;
        self.accept(other)?;
        self.array_extend(other)
    }

    /// Sets the values of another object.
    fn update(&mut self, other: &Value) -> Result<()> {
        self.check_kind(Kind::OBJECT)?;
        other.check_kind(Kind::OBJECT)?;
        self.accept(other)?;
        let _replaced = self.contents();
        self.object_update(other)
    }

    /// Removes all values from an object or an array.
    fn clear(&mut self) -> Result<()> {
        self.check_size()?;
        let _removed = self.contents();
        if self.kind() == Kind::ARRAY {
            self.array_clear()
        } else {
            self.object_clear()
        }
    }

    /// Returns an object or array with the same values in it, or a copy of another value.
    fn copy(&self) -> Result<Owned<Value>> {
        self.shallow()
    }

    /// Returns a copy that shares nothing with this value.
    fn deep_copy(&self) -> Result<Owned<Value>> {
        self.check_depth()?;
        self.deep()
    }

    /// Returns whether two values are of the same kind, with equal contents. `==` tells whether they are the same
    /// value.
    fn equals(&self, other: &Value) -> Result<bool> {
        if self.address() == other.address() {
            return Ok(true);
        }
        self.check_depth()?;
        Ok(self.equal(other))
    }
}
