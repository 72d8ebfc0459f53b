//! Connections to databases.

use std::ffi::c_int;
use std::sync::Mutex;

use leakproof::locked;
use leakproof::prelude::*;

use crate::backup::Backup;
use crate::blob::Blob;
use crate::error::SqliteErrors;
use crate::functions::{AggregateFunction, ScalarFunction};
use crate::progress::{ProgressHandler, SIGNALS_EVERY, Signals};
use crate::statement::Statement;
use crate::value::Parameter;
use crate::{ROW, ffi};

/// Flags for opening a database (sqlite3_open_v2).
#[int_flag(c_int)]
pub(crate) enum OpenFlag {
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
const FOREIGN_KEYS: c_int = ffi::SQLITE_DBCONFIG_ENABLE_FKEY.cast_signed();
const DEFENSIVE: c_int = ffi::SQLITE_DBCONFIG_DEFENSIVE.cast_signed();
const MAIN: &CStr = c"main";

const EXTENDED_CODES: OpenFlag = OpenFlag(ffi::SQLITE_OPEN_EXRESCODE.cast_signed());

/// An open database.
#[handle(
    raw = ffi::sqlite3,
    release(ffi::sqlite3_close, fails = nonzero, on_failure = kept, detach),
    errors(SqliteErrors, asks_handle),
    lock(of = ffi::sqlite3_db_mutex, enter = ffi::sqlite3_mutex_enter, leave = ffi::sqlite3_mutex_leave),
    attachments,
    warn_unclosed
)]
pub(crate) struct Connection;

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
    pub(crate) fn message(&self) -> Option<String>;

    #[rust_only]
    #[calls(ffi::sqlite3_errstr, utf8 = lossy)]
    pub(crate) fn message_of(code: c_int) -> Option<String>;

    #[rust_only]
    #[calls(ffi::sqlite3_error_offset, detach)]
    pub(crate) fn error_offset(&self) -> c_int;

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

    /// Enforcement of foreign keys, as `PRAGMA foreign_keys` has it (sqlite3_db_config, SQLITE_DBCONFIG_ENABLE_FKEY).
    #[getter]
    #[calls(ffi::sqlite3_db_config, args = (self, FOREIGN_KEYS, ..., -1 as c_int, out as *mut c_int), fails = nonzero)]
    fn foreign_keys(&self) -> Result<bool>;

    #[setter]
    #[calls(
        ffi::sqlite3_db_config,
        args = (self, FOREIGN_KEYS, ..., on as c_int, null as *mut c_int),
        fails = nonzero
    )]
    fn set_foreign_keys(&self, on: bool) -> Result<()>;

    /// Protection from SQL that corrupts the database file or changes the schema by hand (sqlite3_db_config,
    /// SQLITE_DBCONFIG_DEFENSIVE). Set it before SQL from outside runs.
    #[getter]
    #[calls(ffi::sqlite3_db_config, args = (self, DEFENSIVE, ..., -1 as c_int, out as *mut c_int), fails = nonzero)]
    fn defensive(&self) -> Result<bool>;

    #[setter]
    #[calls(
        ffi::sqlite3_db_config,
        args = (self, DEFENSIVE, ..., on as c_int, null as *mut c_int),
        fails = nonzero
    )]
    fn set_defensive(&self, on: bool) -> Result<()>;

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
