//! Errors of SQLite calls, and its exceptions.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::backup::Backup;
use crate::blob::Blob;
use crate::connection::Connection;
use crate::statement::Statement;
use crate::{CONSTRAINT, ffi};

/// An error that SQLite reported.
#[exception]
pub(crate) struct SqliteError {
    /// The message, in SQLite's words.
    pub message: String,
    /// SQLite's extended result code.
    pub code: i64,
    /// The byte offset in the SQL text of the token that caused the error; -1 if the error refers to no token.
    pub offset: c_int,
}

/// A violated constraint of a table.
#[exception(extends = SqliteError)]
pub(crate) struct IntegrityError {
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
pub(crate) struct SqliteErrors;

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
