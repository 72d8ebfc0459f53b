//! Online backups from one connection to another.

use std::ffi::c_int;

use leakproof::check_signals;
use leakproof::prelude::*;

use crate::connection::Connection;
use crate::error::SqliteErrors;
use crate::{DONE, OK, ffi};

/// The number of pages copied between two checks for signals.
const PAGES_AT_ONCE: c_int = 1024;

/// A copy of one database into another, in steps. Closing either connection closes the backup first.
#[handle(
    raw = ffi::sqlite3_backup,
    release(ffi::sqlite3_backup_finish, detach),
    parent = (&mut Connection, Connection),
    errors = SqliteErrors
)]
pub(crate) struct Backup;

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
