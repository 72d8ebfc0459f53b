//! Prepared statements and their rows.

use std::ffi::c_int;

use leakproof::__private::to_c::sentinel;
use leakproof::prelude::*;

use crate::connection::Connection;
use crate::error::SqliteErrors;
use crate::value::{Parameter, Value};
use crate::{DONE, ROW, ffi};

/// A compiled statement: an iterator over its rows.
#[handle(
    raw = ffi::sqlite3_stmt,
    release(ffi::sqlite3_finalize, detach),
    parent = Connection,
    lends,
    lock(
        of = ffi::sqlite3_db_mutex(ffi::sqlite3_db_handle(self)),
        enter = ffi::sqlite3_mutex_enter,
        leave = ffi::sqlite3_mutex_leave
    ),
    errors(SqliteErrors, asks_handle)
)]
pub(crate) struct Statement;

#[methods(unsafe)]
impl Statement {
    #[rust_only]
    #[calls(ffi::sqlite3_db_handle)]
    pub(crate) fn connection(&self) -> Option<Borrowed<Connection>>;

    #[rust_only]
    #[calls(ffi::sqlite3_step, fails = when(|status| status != ROW && status != DONE), detach)]
    fn advance(&mut self) -> Result<c_int>;

    #[rust_only]
    #[calls(ffi::sqlite3_stmt_readonly, detach)]
    pub(crate) fn is_read_only(&self) -> bool;

    #[rust_only]
    #[calls(ffi::sqlite3_bind_parameter_count, detach)]
    fn parameter_count(&self) -> c_int;

    #[rust_only]
    #[calls(ffi::sqlite3_bind_null, fails = nonzero, detach)]
    fn bind_null(&mut self, index: c_int) -> Result<()>;

    #[rust_only]
    #[calls(ffi::sqlite3_bind_int64, fails = nonzero, detach)]
    fn bind_integer(&mut self, index: c_int, value: i64) -> Result<()>;

    #[rust_only]
    #[calls(ffi::sqlite3_bind_double, fails = nonzero, detach)]
    fn bind_real(&mut self, index: c_int, value: f64) -> Result<()>;

    #[rust_only]
    #[calls(ffi::sqlite3_bind_text, args = (self, index, text.ptr, text.len, sentinel(-1)), fails = nonzero, detach)]
    fn bind_text(&mut self, index: c_int, text: &str) -> Result<()>;

    #[rust_only]
    #[calls(ffi::sqlite3_bind_blob, args = (self, index, blob.ptr, blob.len, sentinel(-1)), fails = nonzero, detach)]
    fn bind_blob(&mut self, index: c_int, blob: &[u8]) -> Result<()>;

    #[rust_only]
    #[calls(ffi::sqlite3_reset, detach)]
    fn rewind(&mut self) -> c_int;

    #[rust_only]
    #[calls(ffi::sqlite3_column_count, detach)]
    fn column_count(&self) -> c_int;

    #[rust_only]
    #[calls(ffi::sqlite3_column_name, detach)]
    fn column_name(&self, index: c_int) -> Result<Option<String>>;

    #[rust_only]
    #[calls(ffi::sqlite3_column_type, detach)]
    fn column_type(&self, index: c_int) -> c_int;

    #[rust_only]
    #[calls(ffi::sqlite3_column_int64, detach)]
    fn column_integer(&self, index: c_int) -> i64;

    #[rust_only]
    #[calls(ffi::sqlite3_column_double, detach)]
    fn column_real(&self, index: c_int) -> f64;

    #[rust_only]
    #[calls(ffi::sqlite3_column_text, len = ffi::sqlite3_column_bytes, fails = null, detach)]
    fn column_text(&self, index: c_int) -> Result<String>;

    #[rust_only]
    #[calls(ffi::sqlite3_column_blob, len = ffi::sqlite3_column_bytes, detach)]
    fn column_blob(&self, index: c_int) -> Option<Bytes>;

    #[rust_only]
    #[calls(ffi::sqlite3_column_blob, len = ffi::sqlite3_column_bytes, detach)]
    fn lend_blob(&self, column: c_int) -> Option<&[u8]>;

    /// Return the bytes of a blob in the current row, without a copy (sqlite3_column_blob). None for an empty blob.
    ///
    /// The memoryview borrows the statement: `next()` and `close()` raise BufferError until the memoryview is released.
    /// Raises ValueError if the value in the column is not a blob.
    fn view(&self, column: c_int) -> Result<Option<&[u8]>> {
        // SQLite would convert a value of another type in place, and move the bytes of an earlier memoryview.
        match self.column_type(column).cast_unsigned() {
            ffi::SQLITE_BLOB => Ok(self.lend_blob(column)),
            _ => Err(Error::Value(format!("there is no blob in column {column}"))),
        }
    }

    /// Bind the parameters, and reset the statement.
    ///
    /// Raises ValueError if their number is not the statement's number of parameters.
    #[detach]
    pub(crate) fn bind(&mut self, parameters: Vec<Option<Parameter>>) -> Result<()> {
        let expected = self.parameter_count();
        if usize::try_from(expected) != Ok(parameters.len()) {
            return Err(Error::Value(format!(
                "the statement has {expected} parameters, {} are given",
                parameters.len()
            )));
        }
        // sqlite3_reset returns the error of the last run again.
        let _ = self.rewind();
        for (index, parameter) in (1..).zip(parameters) {
            match parameter {
                None => self.bind_null(index),
                Some(Parameter::Integer(value)) => self.bind_integer(index, value),
                Some(Parameter::Real(value)) => self.bind_real(index, value),
                Some(Parameter::Text(value)) => self.bind_text(index, &value),
                Some(Parameter::Blob(value)) => self.bind_blob(index, &value),
            }?;
        }
        Ok(())
    }

    /// The names of the result's columns (sqlite3_column_name).
    #[detach]
    #[getter]
    fn columns(&self) -> Result<Vec<String>> {
        (0..self.column_count())
            .filter_map(|index| self.column_name(index).transpose())
            .collect()
    }

    #[rust_only]
    pub(crate) fn step(&mut self) -> Result<c_int> {
        let stepped = self.advance();
        if !matches!(stepped, Ok(ROW)) {
            // Without a reset, an ended statement would run again at the next step, and keep its locks until then.
            let _ = self.rewind();
        }
        stepped
    }

    #[rust_only]
    fn value(&self, index: c_int) -> Result<Option<Value>> {
        Ok(match self.column_type(index).cast_unsigned() {
            ffi::SQLITE_INTEGER => Some(Value::Integer(self.column_integer(index))),
            ffi::SQLITE_FLOAT => Some(Value::Real(self.column_real(index))),
            ffi::SQLITE_TEXT => Some(Value::Text(self.column_text(index)?)),
            // An empty blob is NULL in C.
            ffi::SQLITE_BLOB => Some(Value::Blob(self.column_blob(index).unwrap_or_default())),
            _ => None,
        })
    }

    /// Return the next row (sqlite3_step). After the last row, the statement starts again.
    ///
    /// Raises UnicodeDecodeError if TEXT in the row is not UTF-8; the next call returns the row after it.
    #[detach]
    fn __next__(&mut self) -> Result<Option<Vec<Option<Value>>>> {
        if self.step()? != ROW {
            return Ok(None);
        }
        let columns = 0..self.column_count();
        let row: Result<_> = columns.map(|index| self.value(index)).collect();
        row.map(Some)
    }
}
