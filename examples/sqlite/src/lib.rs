//! SQLite for Python: an out-parameter that must be closed even if opening failed, statements as children of their
//! connection, rows as an iterator, a close that SQLite may refuse, SQL functions in Python.
//!
//! SQLite holds the connection's mutex while it calls back into Python. Each function that takes the mutex is therefore
//! called without the GIL (`detach`): the thread that holds the mutex may be waiting for the GIL.

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

/// Flags for opening a database (sqlite3_open_v2).
#[int_flag(c_int)]
pub enum OpenFlag {
    /// Opened for reading only.
    READONLY = ffi::SQLITE_OPEN_READONLY,
    /// Opened for reading and writing.
    READWRITE = ffi::SQLITE_OPEN_READWRITE,
    /// Created if the database does not exist; used with READWRITE.
    CREATE = ffi::SQLITE_OPEN_CREATE,
    /// Path interpreted as a URI, "file:…?mode=ro".
    URI = ffi::SQLITE_OPEN_URI,
    /// Opened as an in-memory database.
    MEMORY = ffi::SQLITE_OPEN_MEMORY,
    /// Refused if the path contains a symbolic link.
    NOFOLLOW = ffi::SQLITE_OPEN_NOFOLLOW,
}

const UTF8: c_int = ffi::SQLITE_UTF8.cast_signed();
const DETERMINISTIC: c_int = ffi::SQLITE_DETERMINISTIC.cast_signed();
const MAIN: &CStr = c"main";

const EXTENDED_CODES: OpenFlag = OpenFlag(ffi::SQLITE_OPEN_EXRESCODE.cast_signed());

/// An error that SQLite reported.
#[exception]
pub struct SqliteError {
    /// The message, in SQLite's words.
    pub message: String,
    /// SQLite's extended result code.
    pub code: i64,
    /// The byte offset in the SQL text of the token that caused the error; -1 if the error refers to no token.
    pub offset: c_int,
}

/// A violated constraint of a table.
#[exception(extends = SqliteError)]
pub struct IntegrityError {
    /// The fields of every SQLite error.
    pub base: SqliteError,
    /// The kind of constraint: "UNIQUE", "NOT NULL", "FOREIGN KEY", …; None for a kind without a name here.
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

/// Takes the error's message from the connection, or from the result code if no connection is at hand.
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
        // The object's type decides, not its conversions: no digit and no byte is lost.
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

    /// Open the database at `path` (sqlite3_open_v2). ":memory:" opens a database that lives as long as this object.
    ///
    /// Raises SqliteError if the database can't be opened, or if it does not exist and `flags` lack CREATE.
    #[new]
    #[pyo3(signature = (path, flags = OpenFlag::READWRITE | OpenFlag::CREATE))]
    fn new(path: &FsPath, flags: OpenFlag) -> Result<Owned<Connection>> {
        let mut connection = Connection::open(path, flags | EXTENDED_CODES)?;
        connection.watch_signals(SIGNALS_EVERY, Some(Signals(())));
        Ok(connection)
    }

    /// Return the database as the bytes of a file (sqlite3_serialize).
    ///
    /// Raises SqliteError if memory for the bytes can't be allocated.
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

    /// Compiles the first statement of `sql`. Returns the statement and the text after it, or `None` if `sql` holds no
    /// statement.
    #[rust_only]
    fn compile_first(&self, sql: &CStr) -> Result<Option<(Owned<Statement>, CString)>> {
        let mut rest = sql.to_owned();
        while !rest.is_empty() {
            // A semicolon or a comment compiles to no statement.
            match self.compile(&rest)? {
                (Some(statement), rest) => return Ok(Some((statement, rest.unwrap_or_default()))),
                (None, after) => rest = after.unwrap_or_default(),
            }
        }
        Ok(None)
    }

    /// Compile one SQL statement (sqlite3_prepare_v2).
    ///
    /// Raises SqliteError if the text is not valid SQL. Raises ValueError if the text holds no statement, or more than
    /// one.
    fn prepare(&self, sql: &str) -> Result<Owned<Statement>> {
        let sql = CString::new(sql)
            .map_err(|_| Error::Value("a NUL character would end the statement".into()))?;
        let compiled = self.compile_first(&sql)?;
        let (statement, rest) =
            compiled.ok_or_else(|| Error::Value("there is no statement in this text".into()))?;
        // After the statement, a semicolon and comments are allowed. Anything else is another statement, or not valid
        // SQL.
        match self.compile_first(&rest) {
            Ok(None) => Ok(statement),
            _ => Err(Error::Value(
                "there is more than one statement in this text: `run_script` runs all of them"
                    .into(),
            )),
        }
    }

    /// Run all statements of a text in order (sqlite3_exec). Rows that the statements return are dropped.
    ///
    /// Raises SqliteError at the first statement that fails; the statements before it have run.
    #[calls(ffi::sqlite3_exec, args = (self, sql, null, null, null), fails = nonzero, detach)]
    fn run_script(&self, sql: &str) -> Result<()>;

    /// Compile a statement and bind its parameters. Return an iterator over its rows, which are lists.
    ///
    /// A parameter is None, an int, a float, a str or bytes. A statement that returns no rows runs at the first
    /// `next()`; `run` compiles and runs it.
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

    /// Interrupt the statements that other threads run on this connection: they end soon, with SqliteError
    /// (sqlite3_interrupt).
    ///
    /// `close()` alone waits for the other threads.
    #[calls(ffi::sqlite3_interrupt)]
    fn interrupt(&self);

    /// Run a statement to its end. Return the number of rows that it inserted, updated or deleted (sqlite3_changes), or
    /// 0 if it changes no rows.
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

    /// Steps once. At the statement's end, returns the number of rows that the statement changed. The caller holds the
    /// connection's lock, so that no statement of another thread runs before the rows are counted.
    #[rust_only]
    fn step_counted(&self, statement: &mut Statement) -> Result<Option<c_int>> {
        let before = self.total_changes();
        if statement.step()? == ROW {
            return Ok(None);
        }
        // `changes` counts the rows of the last statement that changed rows, which may be an earlier one.
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
    /// Raises SqliteError if the row does not exist, or if its value is neither a blob nor text.
    #[pyo3(signature = (table, column, row, *, writable = false))]
    fn blob(&self, table: &CStr, column: &CStr, row: i64, writable: bool) -> Result<Owned<Blob>> {
        self.open_blob(c"main", table, column, row, writable)
    }

    /// Begin to overwrite this database with `source` (sqlite3_backup_init).
    ///
    /// Closing either connection closes the backup first.
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

    /// Make `function` an SQL function of `arity` arguments; -1 accepts any number of them
    /// (sqlite3_create_function_v2). None removes the function.
    ///
    /// The function gets None, ints, floats, strs and bytes, and returns one of them. An exception in the function is
    /// raised by the call that runs the statement. A `deterministic` function returns the same result for the same
    /// arguments, so that SQLite may call it less often.
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

    /// Make `factory` an SQL aggregate function of `arity` arguments; -1 accepts any number of them
    /// (sqlite3_create_function_v2). None removes the function.
    ///
    /// The factory is called for each group of rows. The factory returns an object with `step(*arguments)`, which is
    /// called for each row, and `finalize()`, which returns the result.
    fn create_aggregate(&self, name: &CStr, arity: c_int, factory: Option<Callable>) -> Result<()> {
        let function = factory.map(|factory| AggregateFunction {
            factory,
            groups: Mutex::default(),
        });
        self.add_aggregate(name, arity, UTF8, function)
    }

    /// Call `handler` about every `every` virtual machine instructions while statements run (sqlite3_progress_handler).
    /// None, or an `every` below 1, removes the handler. If the handler returns a true value, the statement ends with
    /// SqliteError.
    ///
    /// Using this connection in the handler raises BusyError.
    #[pyo3(signature = (handler, every = 1000))]
    fn set_progress_handler(&mut self, handler: Option<Callable>, every: c_int) {
        let handler = handler.filter(|_| every > 0).map(ProgressHandler);
        let removed = handler.is_none();
        self.set_progress(every, handler);
        if removed {
            self.watch_signals(SIGNALS_EVERY, Some(Signals(())));
        }
    }

    /// Sets the handler that looks for signals. SQLite has one progress handler: this one, or the one in Python, which
    /// also looks for signals.
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
    fn bind(&mut self, parameters: Vec<Option<Parameter>>) -> Result<()> {
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
    fn step(&mut self) -> Result<c_int> {
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

/// One blob of a table, open for reading and writing in parts. The length of the blob is fixed.
#[handle(raw = ffi::sqlite3_blob, release(ffi::sqlite3_blob_close, detach), parent = Connection, errors = SqliteErrors)]
pub struct Blob;

#[methods(unsafe)]
impl Blob {
    #[rust_only]
    #[calls(ffi::sqlite3_blob_bytes)]
    fn size(&self) -> c_int;

    /// Return the size of the blob in bytes (sqlite3_blob_bytes).
    fn __len__(&self) -> usize {
        usize::try_from(self.size()).unwrap_or(0)
    }

    #[rust_only]
    #[calls(ffi::sqlite3_blob_read, args = (self, into.ptr, into.len, offset), fails = nonzero, detach)]
    fn fill(&self, into: &mut [u8], offset: c_int) -> Result<()>;

    /// Read `count` bytes at `offset`, by default all up to the end (sqlite3_blob_read).
    ///
    /// Raises ValueError if the blob holds fewer bytes. Raises SqliteError if the row was changed after the blob was
    /// opened: the blob can then no longer be used.
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
    /// Raises ValueError if `data` extends past the end of the blob. Raises SqliteError if the blob was not opened for
    /// writing, or if the row was changed after the blob was opened.
    #[pyo3(signature = (data, offset = 0))]
    fn write(&mut self, data: Buffer<'_>, offset: usize) -> Result<()> {
        self.within(offset, data.len())?;
        self.put(data, offset as c_int)
    }

    /// Move to another row of the same table (sqlite3_blob_reopen).
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

/// The number of pages copied between two checks for signals.
const PAGES_AT_ONCE: c_int = 1024;

/// A copy of one database into another, in steps. Closing either connection closes the backup first.
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

    /// Copy `pages` pages, or all if it is -1 (sqlite3_backup_step). Return True if more pages are left.
    ///
    /// Many pages are copied in several steps, and signals are handled between the steps.
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

    /// The number of pages left, as of the last step (sqlite3_backup_remaining).
    #[getter]
    #[calls(ffi::sqlite3_backup_remaining)]
    fn remaining(&self) -> c_int;
}

/// One call of an SQL function, which receives the function's result.
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
pub struct Group;

impl Group {
    fn key(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }
}

/// An argument of an SQL function.
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

/// An SQL function written in Python.
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

/// The methods of the Python object that aggregates one group of rows.
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

/// An SQL aggregate function written in Python.
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
    fn step(&self, call: &FunctionCall, arguments: Vec<Borrowed<'_, Argument>>) -> Result<()> {
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
    fn finalize(&self, call: &FunctionCall) -> Result<()> {
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

/// The number of virtual machine instructions between two checks for signals: some tens of microseconds.
const SIGNALS_EVERY: c_int = 1000;

/// The progress handler that looks for signals, so that Ctrl-C ends a statement.
#[derive(Debug, Attachment)]
pub struct Signals(());

#[callbacks(unsafe)]
impl Signals {
    #[callback(unsafe extern "C" fn(*mut c_void) -> c_int, args = (data), on_error = 1)]
    fn step(&self) -> Result<bool> {
        check_signals().map(|()| false)
    }
}

/// A progress handler written in Python.
#[derive(Debug, Attachment)]
pub struct ProgressHandler(Callable);

#[callbacks(unsafe)]
impl ProgressHandler {
    #[callback(unsafe extern "C" fn(*mut c_void) -> c_int, args = (data), on_error = 1, exclusive)]
    fn step(&self) -> Result<bool> {
        check_signals()?;
        self.0.call_truthy(())
    }
}

/// SQLite for Python: statements, rows and blobs that cannot leak.
#[leakproof::module]
mod sqlite_safe {
    #[pymodule_export]
    use super::{Backup, Blob, Connection, IntegrityError, OpenFlag, SqliteError, Statement};
}
