//! SQL functions in Python.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leakproof::__private::to_c::sentinel;
use leakproof::prelude::*;
use leakproof::pyo3;
use leakproof::pyo3::types::PyAnyMethods;
use leakproof::pyo3::{FromPyObject, PyAny, PyErr, PyResult};

use crate::ffi;
use crate::value::{Parameter, Value};

/// One call of an SQL function, which receives the function's result.
#[handle(raw = ffi::sqlite3_context, callback_only)]
pub(crate) struct FunctionCall;

#[methods(unsafe, rust_only)]
impl FunctionCall {
    #[calls(ffi::sqlite3_result_int64)]
    fn return_integer(&self, value: i64);

    #[calls(ffi::sqlite3_result_double)]
    fn return_real(&self, value: f64);

    #[calls(
        ffi::sqlite3_result_text64,
        args = (self, text.ptr, text.len, sentinel(-1), TEXT_ENCODING)
    )]
    fn return_text(&self, text: &str) -> Result<()>;

    #[calls(ffi::sqlite3_result_blob64, args = (self, blob.ptr, blob.len, sentinel(-1)))]
    fn return_blob(&self, blob: &[u8]) -> Result<()>;

    /// Returns the memory of the group of rows that an aggregate function is called for. If the group has none yet,
    /// allocates `size` bytes, or returns `None` for a `size` of 0.
    #[calls(ffi::sqlite3_aggregate_context)]
    fn group(&self, size: c_int) -> Option<Borrowed<Group>>;

    /// Sets the result. Without a result, SQLite takes NULL.
    fn give(&self, result: Option<Parameter>) -> Result<()> {
        match result {
            None => {}
            Some(Parameter::Integer(value)) => self.return_integer(value),
            Some(Parameter::Real(value)) => self.return_real(value),
            Some(Parameter::Text(value)) => self.return_text(&value)?,
            Some(Parameter::Blob(value)) => self.return_blob(&value)?,
        }
        Ok(())
    }
}

const TEXT_ENCODING: u8 = ffi::SQLITE_UTF8 as u8;

/// Memory whose address identifies a group of rows.
#[handle(raw = c_void, callback_only)]
pub(crate) struct Group;

impl Group {
    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// An argument of an SQL function.
#[handle(raw = ffi::sqlite3_value, callback_only)]
pub(crate) struct Argument;

#[methods(unsafe, rust_only)]
impl Argument {
    #[calls(ffi::sqlite3_value_type)]
    fn kind(&self) -> c_int;

    #[calls(ffi::sqlite3_value_int64)]
    fn integer(&self) -> i64;

    #[calls(ffi::sqlite3_value_double)]
    fn real(&self) -> f64;

    #[calls(ffi::sqlite3_value_text, len = ffi::sqlite3_value_bytes, fails = null)]
    fn text(&self) -> Result<String>;

    #[calls(ffi::sqlite3_value_blob, len = ffi::sqlite3_value_bytes)]
    fn blob(&self) -> Option<Bytes>;

    fn value(&self) -> Result<Option<Value>> {
        Ok(match self.kind().cast_unsigned() {
            ffi::SQLITE_INTEGER => Some(Value::Integer(self.integer())),
            ffi::SQLITE_FLOAT => Some(Value::Real(self.real())),
            ffi::SQLITE_TEXT => Some(Value::Text(self.text()?)),
            ffi::SQLITE_BLOB => Some(Value::Blob(self.blob().unwrap_or_default())),
            _ => None,
        })
    }
}

fn values(arguments: &[Borrowed<'_, Argument>]) -> Result<Vec<Option<Value>>> {
    arguments.iter().map(|argument| argument.value()).collect()
}

/// An SQL function written in Python.
#[derive(Debug, Attachment)]
pub(crate) struct ScalarFunction(pub(crate) Callable);

#[callbacks(unsafe)]
impl ScalarFunction {
    #[callback(
        unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value),
        args = (call, arguments.len, arguments.ptr),
        data = ffi::sqlite3_user_data(call),
        on_error = ffi::sqlite3_result_error(call, c"an exception".as_ptr(), -1)
    )]
    pub(crate) fn call(
        &self,
        call: &FunctionCall,
        arguments: Vec<Borrowed<'_, Argument>>,
    ) -> Result<()> {
        call.give(self.0.call_varargs(values(&arguments)?)?)
    }
}

/// The methods of the Python object that aggregates one group of rows.
#[derive(Debug, Attachment)]
pub(crate) struct Aggregate {
    step: Callable,
    finalize: Callable,
}

impl<'py> FromPyObject<'_, 'py> for Aggregate {
    type Error = PyErr;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Aggregate {
            step: object.getattr("step")?.extract()?,
            finalize: object.getattr("finalize")?.extract()?,
        })
    }
}

/// An SQL aggregate function written in Python.
#[derive(Debug, Attachment)]
pub(crate) struct AggregateFunction {
    pub(crate) factory: Callable,
    pub(crate) groups: Mutex<BTreeMap<usize, Arc<Aggregate>>>,
}

impl AggregateFunction {
    fn groups(&self) -> MutexGuard<'_, BTreeMap<usize, Arc<Aggregate>>> {
        self.groups.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make(&self) -> Result<Arc<Aggregate>> {
        self.factory.call(()).map(Arc::new)
    }

    fn aggregate(&self, group: usize) -> Result<Arc<Aggregate>> {
        if let Some(present) = self.groups().get(&group) {
            return Ok(present.clone());
        }
        // Called without the mutex, since the factory runs Python.
        let aggregate = self.make()?;
        self.groups().insert(group, aggregate.clone());
        Ok(aggregate)
    }
}

#[callbacks(unsafe)]
impl AggregateFunction {
    #[callback(
        unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value),
        args = (call, arguments.len, arguments.ptr),
        data = ffi::sqlite3_user_data(call),
        on_error = ffi::sqlite3_result_error(call, c"an exception".as_ptr(), -1)
    )]
    pub(crate) fn step(
        &self,
        call: &FunctionCall,
        arguments: Vec<Borrowed<'_, Argument>>,
    ) -> Result<()> {
        let group = call.group(1).map(|group| group.key());
        let group = group.ok_or(Error::Failed("sqlite3_aggregate_context"))?;
        let aggregate = self.aggregate(group)?;
        let stepped =
            values(&arguments).and_then(|values| aggregate.step.call_unit_varargs(values));
        if stepped.is_err() {
            // SQLite finalizes the group nevertheless, and discards the result.
            let _ = self.groups().remove(&group);
        }
        stepped
    }

    #[callback(
        unsafe extern "C" fn(*mut ffi::sqlite3_context),
        args = (call),
        data = ffi::sqlite3_user_data(call),
        on_error = ffi::sqlite3_result_error(call, c"an exception".as_ptr(), -1),
        even_after_error
    )]
    pub(crate) fn finalize(&self, call: &FunctionCall) -> Result<()> {
        let aggregate = match call.group(0).map(|group| group.key()) {
            // The group had no row.
            None => Some(self.make()?),
            Some(group) => self.groups().remove(&group),
        };
        match aggregate {
            Some(aggregate) => call.give(aggregate.finalize.call(())?),
            None => Ok(()),
        }
    }
}
