//! SQLite for Python: an out-parameter that has to be closed also when opening failed, statements that live in their
//! connection, rows as an iterator, a close that may be refused, functions of SQL in Python.
//!
//! SQLite holds a lock of the connection while it calls back into Python. So whatever takes that lock is called without the
//! GIL (`detach`): who has the lock may be waiting for it.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_void};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leakproof::__private::to_c::sentinel;
use leakproof::prelude::*;
use leakproof::pyo3;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::types::{PyAnyMethods, PyBytes, PyFloat, PyInt, PyString};
use leakproof::pyo3::{FromPyObject, IntoPyObject, PyAny, PyErr, PyResult, PyTypeInfo};
use leakproof::{check_signals, locked};

#[allow(warnings, clippy::all, reason = "generated from SQLite's header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/sqlite.rs"));
}

const OK: c_int = ffi::SQLITE_OK.cast_signed();
const ROW: c_int = ffi::SQLITE_ROW.cast_signed();
const DONE: c_int = ffi::SQLITE_DONE.cast_signed();
const CONSTRAINT: i64 = ffi::SQLITE_CONSTRAINT as i64;

/// How a database is opened (sqlite3_open_v2).
#[int_flag(c_int)]
pub enum OpenFlag {
    /// For reading alone.
    READONLY = ffi::SQLITE_OPEN_READONLY,
    /// For reading and writing.
    READWRITE = ffi::SQLITE_OPEN_READWRITE,
    /// It is made where there is none; with READWRITE.
    CREATE = ffi::SQLITE_OPEN_CREATE,
    /// The path is a URI, "file:…?mode=ro".
    URI = ffi::SQLITE_OPEN_URI,
    /// It lives in memory.
    MEMORY = ffi::SQLITE_OPEN_MEMORY,
    /// A symbolic link is refused.
    NOFOLLOW = ffi::SQLITE_OPEN_NOFOLLOW,
}

const UTF8: c_int = ffi::SQLITE_UTF8.cast_signed();
const DETERMINISTIC: c_int = ffi::SQLITE_DETERMINISTIC.cast_signed();
const MAIN: &CStr = c"main";

const EXTENDED_CODES: OpenFlag = OpenFlag(ffi::SQLITE_OPEN_EXRESCODE.cast_signed());

/// What SQLite could not do.
#[exception]
pub struct SqliteError {
    /// In SQLite's words.
    pub message: String,
    /// SQLite's extended result code.
    pub code: i64,
    /// Where in the SQL text, in bytes from its start; -1 where that says nothing.
    pub offset: c_int,
}

/// What would have broken a constraint of a table.
#[exception(extends = SqliteError)]
pub struct IntegrityError {
    /// What every error says.
    pub base: SqliteError,
    /// Which kind of constraint: "UNIQUE", "NOT NULL", "FOREIGN KEY", …; None for kinds without a name here.
    pub constraint: Option<&'static str>,
}

impl IntegrityError {
    fn constraint(code: i64) -> Option<&'static str> {
        Some(match u32::try_from(code).ok()? {
            ffi::SQLITE_CONSTRAINT_CHECK => "CHECK",
            ffi::SQLITE_CONSTRAINT_FOREIGNKEY => "FOREIGN KEY",
            ffi::SQLITE_CONSTRAINT_NOTNULL => "NOT NULL",
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY => "PRIMARY KEY",
            ffi::SQLITE_CONSTRAINT_UNIQUE => "UNIQUE",
            _ => return None,
        })
    }
}

/// Asks the connection what went wrong.
#[derive(Debug, Default)]
pub struct SqliteErrors;

impl SqliteErrors {
    fn error(connection: Option<&Connection>, status: Option<i64>) -> Error {
        let code = status.unwrap_or_default();
        let message = match connection {
            Some(connection) => connection.message(),
            None => i32::try_from(code).ok().and_then(Connection::message_of),
        };
        let error = SqliteError {
            message: message.unwrap_or_else(|| "unknown error".into()),
            code,
            offset: connection.map_or(-1, Connection::error_offset),
        };
        match code & 0xff {
            CONSTRAINT => IntegrityError {
                base: error,
                constraint: IntegrityError::constraint(code),
            }
            .into(),
            _ => error.into(),
        }
    }
}

impl ErrorSource<Connection> for SqliteErrors {
    fn into_error(self, call: &CallInfo<'_, Connection>) -> Error {
        Self::error(call.handle(), call.status)
    }
}

impl ErrorSource<Statement> for SqliteErrors {
    fn into_error(self, call: &CallInfo<'_, Statement>) -> Error {
        let connection = call.handle().and_then(Statement::connection);
        Self::error(connection.as_deref(), call.status)
    }
}

impl ErrorSource<Blob> for SqliteErrors {
    fn into_error(self, call: &CallInfo<'_, Blob>) -> Error {
        Self::error(None, call.status)
    }
}

impl ErrorSource<Backup> for SqliteErrors {
    fn into_error(self, call: &CallInfo<'_, Backup>) -> Error {
        Self::error(None, call.status)
    }
}

/// A value of a parameter.
#[derive(Debug)]
pub enum Parameter {
    /// INTEGER
    Integer(i64),
    /// REAL
    Real(f64),
    /// TEXT
    Text(String),
    /// BLOB
    Blob(Vec<u8>),
}

impl<'py> FromPyObject<'_, 'py> for Parameter {
    type Error = PyErr;

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        // By the object's type and not by what it can be converted to: no digit and no byte is to be lost.
        if PyInt::is_type_of(&object) {
            object.extract().map(Parameter::Integer)
        } else if PyFloat::is_type_of(&object) {
            object.extract().map(Parameter::Real)
        } else if PyString::is_type_of(&object) {
            object.extract().map(Parameter::Text)
        } else if PyBytes::is_type_of(&object) {
            object.extract().map(Parameter::Blob)
        } else {
            let class = object.get_type();
            let message = format!("None, int, float, str or bytes expected, not {class}");
            Err(PyTypeError::new_err(message))
        }
    }
}

/// A value of a row.
#[derive(Debug, IntoPython, IntoPyObject)]
#[pyo3(crate = "leakproof::pyo3")]
pub enum Value {
    /// INTEGER
    Integer(i64),
    /// REAL
    Real(f64),
    /// TEXT
    Text(String),
    /// BLOB
    Blob(Bytes),
}

/// An open database.
#[handle(
    raw = ffi::sqlite3,
    release(ffi::sqlite3_close, fails = nonzero, on_failure = kept, detach),
    errors(SqliteErrors, asks_handle),
    lock(of = ffi::sqlite3_db_mutex, enter = ffi::sqlite3_mutex_enter, leave = ffi::sqlite3_mutex_leave),
    attachments,
    warn_unclosed
)]
pub struct Connection;

#[methods(unsafe)]
impl Connection {
    #[rust_only]
    #[calls(ffi::sqlite3_open_v2, args = (path, out, flags, null), fails = nonzero, on_failure = owned, detach)]
    fn open(path: &FsPath, flags: OpenFlag) -> Result<Owned<Connection>>;

    /// Open the database at `path`, or with ":memory:" one that lives as long as this object (sqlite3_open_v2).
    ///
    /// Raises SqliteError if it can't be opened, or if there is none and `flags` don't say CREATE.
    #[new]
    #[pyo3(signature = (path, flags = OpenFlag::READWRITE | OpenFlag::CREATE))]
    fn new(path: &FsPath, flags: OpenFlag) -> Result<Owned<Connection>> {
        let mut connection = Connection::open(path, flags | EXTENDED_CODES)?;
        connection.watch_signals(SIGNALS_EVERY, Some(Signals(())));
        Ok(connection)
    }

    /// The database as the bytes of a file (sqlite3_serialize).
    ///
    /// Raises SqliteError if SQLite has no memory for it.
    #[pyo3(name = "serialize")]
    fn serialized(&self) -> Result<Bytes> {
        self.serialize(c"main")
    }

    #[rust_only]
    #[calls(
        ffi::sqlite3_serialize,
        args = (self, schema, len, 0),
        fails = null,
        free = ffi::sqlite3_free,
        detach
    )]
    fn serialize(&self, schema: &CStr) -> Result<Bytes>;

    #[rust_only]
    #[calls(ffi::sqlite3_errmsg, utf8 = lossy, detach)]
    fn message(&self) -> Option<String>;

    #[rust_only]
    #[calls(ffi::sqlite3_errstr, utf8 = lossy)]
    fn message_of(code: c_int) -> Option<String>;

    #[rust_only]
    #[calls(ffi::sqlite3_error_offset, detach)]
    fn error_offset(&self) -> c_int;

    #[rust_only]
    #[calls(
        ffi::sqlite3_prepare_v2,
        args = (self, sql, -1, out, out),
        fails = nonzero,
        on_failure = null,
        detach
    )]
    fn compile(&self, sql: &CStr) -> Result<(Option<Owned<Statement>>, Option<CString>)>;

    /// Compile the first statement of `sql`, and what stands behind it; `None` if there is none.
    #[rust_only]
    fn compile_first(&self, sql: &CStr) -> Result<Option<(Owned<Statement>, CString)>> {
        let mut rest = sql.to_owned();
        while !rest.is_empty() {
            // A semicolon or a comment is no statement.
            match self.compile(&rest)? {
                (Some(statement), rest) => return Ok(Some((statement, rest.unwrap_or_default()))),
                (None, after) => rest = after.unwrap_or_default(),
            }
        }
        Ok(None)
    }

    /// Compile one SQL statement (sqlite3_prepare_v2).
    ///
    /// Raises SqliteError for what is no SQL, ValueError where there is no statement in the text, or more than one.
    fn prepare(&self, sql: &str) -> Result<Owned<Statement>> {
        let sql = CString::new(sql)
            .map_err(|_| Error::Value("a NUL character would end the statement".into()))?;
        let compiled = self.compile_first(&sql)?;
        let (statement, rest) =
            compiled.ok_or_else(|| Error::Value("there is no statement in this text".into()))?;
        // Behind the statement there may be a semicolon and comments. All else is another statement, or none of SQL.
        match self.compile_first(&rest) {
            Ok(None) => Ok(statement),
            _ => Err(Error::Value(
                "there is more than one statement in this text: `run_script` runs all of them"
                    .into(),
            )),
        }
    }

    /// Run all statements of a text to their ends, one after the other (sqlite3_exec). Rows that they return are dropped.
    ///
    /// Raises SqliteError at the first one that fails; those before it have run.
    #[calls(ffi::sqlite3_exec, args = (self, sql, null, null, null), fails = nonzero, detach)]
    fn run_script(&self, sql: &str) -> Result<()>;

    /// Compile a statement and bind its parameters: an iterator over its rows, which are lists.
    ///
    /// A parameter is None, an int, a float, a str or bytes. A statement that returns no rows runs at the first
    /// `next()`; `run` does both.
    #[pyo3(signature = (sql, parameters = None))]
    fn query(
        &self,
        sql: &str,
        parameters: Option<Vec<Option<Parameter>>>,
    ) -> Result<Owned<Statement>> {
        let mut statement = self.prepare(sql)?;
        statement.bind(parameters.unwrap_or_default())?;
        Ok(statement)
    }

    /// Have what other threads run on this connection end soon, with SqliteError (sqlite3_interrupt).
    ///
    /// `close()` alone waits for them.
    #[calls(ffi::sqlite3_interrupt)]
    fn interrupt(&self);

    /// Run a statement to its end; how many rows it inserted, updated or deleted (sqlite3_changes), 0 for one that does
    /// none of these.
    #[detach]
    #[pyo3(signature = (sql, parameters = None))]
    fn run(&self, sql: &str, parameters: Option<Vec<Option<Parameter>>>) -> Result<c_int> {
        let mut statement = self.query(sql, parameters)?;
        loop {
            if let Some(changes) = locked(self, || self.step_counted(&mut statement))? {
                return Ok(changes);
            }
        }
    }

    /// Step once; at the statement's end, how many rows it changed. Another thread's statement must not come between.
    #[rust_only]
    fn step_counted(&self, statement: &mut Statement) -> Result<Option<c_int>> {
        let before = self.total_changes();
        if statement.step()? == ROW {
            return Ok(None);
        }
        // `changes` is about the last statement that changed rows, which may be an earlier one.
        let changed = !statement.is_read_only() && self.total_changes() != before;
        Ok(Some(if changed { self.changes() } else { 0 }))
    }

    #[rust_only]
    #[calls(ffi::sqlite3_changes, detach)]
    fn changes(&self) -> c_int;

    #[rust_only]
    #[calls(ffi::sqlite3_total_changes, detach)]
    fn total_changes(&self) -> c_int;

    #[getter]
    #[calls(ffi::sqlite3_last_insert_rowid)]
    fn last_row(&self) -> i64;

    #[rust_only]
    #[calls(
        ffi::sqlite3_blob_open,
        args = (self, schema, table, column, row, writable, out),
        fails = nonzero,
        on_failure = null,
        detach
    )]
    fn open_blob(
        &self,
        schema: &CStr,
        table: &CStr,
        column: &CStr,
        row: i64,
        writable: bool,
    ) -> Result<Owned<Blob>>;

    /// Open one blob, to read and write it in parts (sqlite3_blob_open).
    ///
    /// Raises SqliteError if there is no such row, or if what is there is no blob and no text.
    #[pyo3(signature = (table, column, row, *, writable = false))]
    fn blob(&self, table: &CStr, column: &CStr, row: i64, writable: bool) -> Result<Owned<Blob>> {
        self.open_blob(c"main", table, column, row, writable)
    }

    /// Begin to overwrite this database with `source` (sqlite3_backup_init).
    ///
    /// Closing one of the two closes the copy first.
    #[calls(
        ffi::sqlite3_backup_init,
        args = (self, MAIN.as_ptr(), source, MAIN.as_ptr()),
        keep_alive = (source),
        fails = null,
        detach
    )]
    fn copy_from(&mut self, source: &Connection) -> Result<Owned<Backup>>;

    #[rust_only]
    #[calls(
        ffi::sqlite3_create_function_v2,
        args = (self, name, arity, flags, function.data, function.call, null, null, function.destroy),
        fails = nonzero,
        scope = notified,
        consumes = always,
        detach
    )]
    fn add_function(
        &self,
        name: &CStr,
        arity: c_int,
        flags: c_int,
        function: Option<ScalarFunction>,
    ) -> Result<()>;

    /// Make `function` a function of SQL, of so many arguments, -1 for any number; None removes it
    /// (sqlite3_create_function_v2).
    ///
    /// It gets None, ints, floats, strs and bytes, and returns one of them. What it raises comes out of the call that runs the
    /// statement. A `deterministic` one returns the same for the same arguments, so that SQLite may call it less often.
    #[pyo3(signature = (name, arity, function, *, deterministic = false))]
    fn create_function(
        &self,
        name: &CStr,
        arity: c_int,
        function: Option<Callable>,
        deterministic: bool,
    ) -> Result<()> {
        let deterministic = if deterministic { DETERMINISTIC } else { 0 };
        self.add_function(
            name,
            arity,
            UTF8 | deterministic,
            function.map(ScalarFunction),
        )
    }

    #[rust_only]
    #[calls(
        ffi::sqlite3_create_function_v2,
        args = (self, name, arity, flags, function.data, null, function.step, function.finalize, function.destroy),
        fails = nonzero,
        scope = notified,
        consumes = always,
        detach
    )]
    fn add_aggregate(
        &self,
        name: &CStr,
        arity: c_int,
        flags: c_int,
        function: Option<AggregateFunction>,
    ) -> Result<()>;

    /// Make `factory` an aggregate function of SQL, of so many arguments, -1 for any number; None removes it
    /// (sqlite3_create_function_v2).
    ///
    /// It is called for each group of rows and makes an object with `step(*arguments)`, called for each row, and `finalize()`,
    /// which returns the result.
    fn create_aggregate(&self, name: &CStr, arity: c_int, factory: Option<Callable>) -> Result<()> {
        let function = factory.map(|factory| AggregateFunction {
            factory,
            groups: Mutex::default(),
        });
        self.add_aggregate(name, arity, UTF8, function)
    }

    /// Call `handler` while statements run, whenever about `every` steps of SQLite's machine are done; None for no more
    /// (sqlite3_progress_handler). If it returns something true, the statement ends with SqliteError.
    ///
    /// It must not use this connection: BusyError.
    #[pyo3(signature = (handler, every = 1000))]
    fn set_progress_handler(&mut self, handler: Option<Callable>, every: c_int) {
        let handler = handler.filter(|_| every > 0).map(ProgressHandler);
        let removed = handler.is_none();
        self.set_progress(every, handler);
        if removed {
            self.watch_signals(SIGNALS_EVERY, Some(Signals(())));
        }
    }

    /// SQLite has one progress handler: this one, or that of Python, which looks for signals, too.
    #[rust_only]
    #[calls(
        ffi::sqlite3_progress_handler,
        args = (self, every, signals.step, signals.data),
        scope = until_replaced,
        detach
    )]
    fn watch_signals(&mut self, every: c_int, signals: Option<Signals>);

    #[rust_only]
    #[calls(
        ffi::sqlite3_progress_handler,
        args = (self, every, handler.step, handler.data),
        scope = until_replaced,
        detach
    )]
    fn set_progress(&mut self, every: c_int, handler: Option<ProgressHandler>);
}

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
pub struct Statement;

#[methods(unsafe)]
impl Statement {
    #[rust_only]
    #[calls(ffi::sqlite3_db_handle)]
    fn connection(&self) -> Option<Borrowed<Connection>>;

    #[rust_only]
    #[calls(ffi::sqlite3_step, fails = when(|status| status != ROW && status != DONE), detach)]
    fn advance(&mut self) -> Result<c_int>;

    #[rust_only]
    #[calls(ffi::sqlite3_stmt_readonly)]
    fn is_read_only(&self) -> bool;

    #[rust_only]
    #[calls(ffi::sqlite3_bind_parameter_count)]
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
    #[calls(ffi::sqlite3_column_count)]
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

    /// The bytes of a blob in the row that came last, without a copy (sqlite3_column_blob).
    ///
    /// The memoryview holds the statement: until it is released, `next()` and `close()` raise BufferError. None for an
    /// empty blob. Raises ValueError where there is no blob.
    fn view(&self, column: c_int) -> Result<Option<&[u8]>> {
        // SQLite would convert anything else in place, and move what was lent before.
        match self.column_type(column).cast_unsigned() {
            ffi::SQLITE_BLOB => Ok(self.lend_blob(column)),
            _ => Err(Error::Value(format!("there is no blob in column {column}"))),
        }
    }

    /// Bind the parameters, and begin anew.
    ///
    /// Raises ValueError if their number is not the statement's.
    #[detach]
    fn bind(&mut self, parameters: Vec<Option<Parameter>>) -> Result<()> {
        let expected = self.parameter_count();
        if usize::try_from(expected) != Ok(parameters.len()) {
            return Err(Error::Value(format!(
                "the statement has {expected} parameters, {} are given",
                parameters.len()
            )));
        }
        // It says again how the last run ended.
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
    fn step(&mut self) -> Result<c_int> {
        let stepped = self.advance();
        if !matches!(stepped, Ok(ROW)) {
            // An ended statement would begin anew at the next step, and hold its locks until then.
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

    /// The next row (sqlite3_step). After the last one the statement begins anew.
    ///
    /// Raises UnicodeDecodeError for a row with TEXT that is not UTF-8; the next call goes on with the row after it.
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

/// One blob of a table, open to be read and written in parts. Its length stays as it is.
#[handle(raw = ffi::sqlite3_blob, release(ffi::sqlite3_blob_close, detach), parent = Connection, errors = SqliteErrors)]
pub struct Blob;

#[methods(unsafe)]
impl Blob {
    #[rust_only]
    #[calls(ffi::sqlite3_blob_bytes)]
    fn size(&self) -> c_int;

    /// How many bytes there are (sqlite3_blob_bytes).
    fn __len__(&self) -> usize {
        usize::try_from(self.size()).unwrap_or(0)
    }

    #[rust_only]
    #[calls(ffi::sqlite3_blob_read, args = (self, into.ptr, into.len, offset), fails = nonzero, detach)]
    fn fill(&self, into: &mut [u8], offset: c_int) -> Result<()>;

    /// Read so many bytes at `offset`, by default up to the end (sqlite3_blob_read).
    ///
    /// Raises ValueError where there are less, SqliteError if the row was changed since: then it is of no more use.
    #[pyo3(signature = (offset = 0, count = None))]
    fn read(&self, offset: usize, count: Option<usize>) -> Result<Bytes> {
        let count = count.unwrap_or_else(|| self.__len__().saturating_sub(offset));
        let mut bytes = vec![0; self.within(offset, count)?];
        self.fill(&mut bytes, offset as c_int)?;
        Ok(Bytes(bytes))
    }

    #[rust_only]
    #[calls(ffi::sqlite3_blob_write, args = (self, data.ptr, data.len, offset), fails = nonzero, detach)]
    fn put(&mut self, data: Buffer<'_>, offset: c_int) -> Result<()>;

    /// Write `data` at `offset` (sqlite3_blob_write).
    ///
    /// Raises ValueError where there is no room for it, SqliteError if the blob was not opened to be written or the row
    /// was changed since.
    #[pyo3(signature = (data, offset = 0))]
    fn write(&mut self, data: Buffer<'_>, offset: usize) -> Result<()> {
        self.within(offset, data.len())?;
        self.put(data, offset as c_int)
    }

    /// Go on with another row of the same table (sqlite3_blob_reopen).
    #[calls(ffi::sqlite3_blob_reopen, fails = nonzero, detach)]
    fn reopen(&mut self, row: i64) -> Result<()>;

    #[rust_only]
    fn within(&self, offset: usize, count: usize) -> Result<usize> {
        match offset.checked_add(count) {
            Some(end) if end <= self.__len__() => Ok(count),
            _ => Err(Error::Value(format!(
                "{count} bytes at {offset} are not within the {} of the blob",
                self.__len__()
            ))),
        }
    }
}

/// How many pages are copied between two looks for signals.
const PAGES_AT_ONCE: c_int = 1024;

/// A copy of one database into another, in steps. It lives in both: closing one of them ends it.
#[handle(
    raw = ffi::sqlite3_backup,
    release(ffi::sqlite3_backup_finish, detach),
    parent = (&mut Connection, Connection),
    errors = SqliteErrors
)]
pub struct Backup;

#[methods(unsafe)]
impl Backup {
    #[rust_only]
    #[calls(ffi::sqlite3_backup_step, fails = when(|status| status != OK && status != DONE), detach)]
    fn copy(&mut self, pages: c_int) -> Result<c_int>;

    /// Copy so many pages, -1 for all; whether there are more (sqlite3_backup_step).
    ///
    /// Many pages are copied in several steps, between which signals are handled.
    #[pyo3(signature = (pages = -1))]
    fn step(&mut self, pages: c_int) -> Result<bool> {
        let mut left = pages;
        loop {
            let now = if left < 0 {
                PAGES_AT_ONCE
            } else {
                left.min(PAGES_AT_ONCE)
            };
            if self.copy(now)? != OK {
                return Ok(false);
            }
            if left >= 0 {
                left -= now;
                if left == 0 {
                    return Ok(true);
                }
            }
            check_signals()?;
        }
    }

    /// How many pages are left, as of the last step (sqlite3_backup_remaining).
    #[getter]
    #[calls(ffi::sqlite3_backup_remaining)]
    fn remaining(&self) -> c_int;
}

/// One call of a function of SQL: it takes the result.
#[handle(raw = ffi::sqlite3_context, callback_only)]
pub struct FunctionCall;

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

    /// The group of rows that an aggregate function is called for; `None` if no row came and none is to be.
    #[calls(ffi::sqlite3_aggregate_context)]
    fn group(&self, size: c_int) -> Option<Borrowed<Group>>;

    /// The result is NULL if nothing is said.
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

/// Memory by which SQLite tells groups of rows from each other.
#[handle(raw = c_void, callback_only)]
pub struct Group;

impl Group {
    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// An argument of a function of SQL.
#[handle(raw = ffi::sqlite3_value, callback_only)]
pub struct Argument;

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

/// A function of SQL, written in Python.
#[derive(Debug, Attachment)]
pub struct ScalarFunction(Callable);

#[callbacks(unsafe)]
impl ScalarFunction {
    #[callback(
        unsafe extern "C" fn(*mut ffi::sqlite3_context, c_int, *mut *mut ffi::sqlite3_value),
        args = (call, arguments.len, arguments.ptr),
        data = ffi::sqlite3_user_data(call),
        on_error = ffi::sqlite3_result_error(call, c"an exception".as_ptr(), -1)
    )]
    fn call(&self, call: &FunctionCall, arguments: Vec<Borrowed<'_, Argument>>) -> Result<()> {
        call.give(self.0.call_varargs(values(&arguments)?)?)
    }
}

/// What an aggregate function has for one group of rows: the methods of a Python object.
#[derive(Debug, Attachment)]
pub struct Aggregate {
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

/// An aggregate function of SQL, written in Python.
#[derive(Debug, Attachment)]
pub struct AggregateFunction {
    factory: Callable,
    groups: Mutex<BTreeMap<usize, Arc<Aggregate>>>,
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
        // Not under the lock: it runs Python.
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
    fn step(&self, call: &FunctionCall, arguments: Vec<Borrowed<'_, Argument>>) -> Result<()> {
        let group = call.group(1).map(|group| group.key());
        let group = group.ok_or(Error::Failed("sqlite3_aggregate_context"))?;
        let aggregate = self.aggregate(group)?;
        let stepped = values(&arguments).and_then(|values| aggregate.step.notify_varargs(values));
        if stepped.is_err() {
            // SQLite finalizes the group all the same, and nobody wants its result.
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
    fn finalize(&self, call: &FunctionCall) -> Result<()> {
        let aggregate = match call.group(0).map(|group| group.key()) {
            // There was no row.
            None => Some(self.make()?),
            Some(group) => self.groups().remove(&group),
        };
        match aggregate {
            Some(aggregate) => call.give(aggregate.finalize.call(())?),
            None => Ok(()),
        }
    }
}

/// How many steps of SQLite's machine, some tens of microseconds, are between two looks for signals.
const SIGNALS_EVERY: c_int = 1000;

/// What SQLite calls while it works, so that Ctrl-C ends a statement.
#[derive(Debug, Attachment)]
pub struct Signals(());

#[callbacks(unsafe)]
impl Signals {
    #[callback(unsafe extern "C" fn(*mut c_void) -> c_int, args = (data), on_error = 1)]
    fn step(&self) -> Result<bool> {
        check_signals().map(|()| false)
    }
}

/// What SQLite calls while it works, written in Python.
#[derive(Debug, Attachment)]
pub struct ProgressHandler(Callable);

#[callbacks(unsafe)]
impl ProgressHandler {
    #[callback(unsafe extern "C" fn(*mut c_void) -> c_int, args = (data), on_error = 1, exclusive)]
    fn step(&self) -> Result<bool> {
        check_signals()?;
        self.0.ask(())
    }
}

/// SQLite for Python: statements, rows and blobs that cannot leak.
#[leakproof::module]
mod sqlite_safe {
    #[pymodule_export]
    use super::{Backup, Blob, Connection, IntegrityError, OpenFlag, SqliteError, Statement};
}
