//! SQLite for Python: an out-parameter that must be closed even if opening failed, statements as children of their
//! connection, rows as an iterator, a close that SQLite may refuse, SQL functions in Python.
//!
//! SQLite holds the connection's mutex while it calls back into Python. Each function that takes the mutex is therefore
//! called without the GIL (`detach`): the thread that holds the mutex may be waiting for the GIL.

mod backup;
mod blob;
mod connection;
mod error;
mod functions;
mod progress;
mod statement;
mod value;

use std::ffi::c_int;

#[allow(warnings, clippy::all, reason = "generated from SQLite's header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/sqlite.rs"));
}

const OK: c_int = ffi::SQLITE_OK.cast_signed();
const ROW: c_int = ffi::SQLITE_ROW.cast_signed();
const DONE: c_int = ffi::SQLITE_DONE.cast_signed();
const CONSTRAINT: i64 = ffi::SQLITE_CONSTRAINT as i64;

/// SQLite for Python: statements, rows and blobs that cannot leak.
#[leakproof::module]
mod sqlite_safe {
    #[pymodule_export]
    use crate::backup::Backup;
    #[pymodule_export]
    use crate::blob::Blob;
    #[pymodule_export]
    use crate::connection::{Connection, OpenFlag};
    #[pymodule_export]
    use crate::error::{IntegrityError, SqliteError};
    #[pymodule_export]
    use crate::statement::Statement;
}
