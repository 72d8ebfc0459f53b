//! Incremental access to one BLOB.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::connection::Connection;
use crate::error::SqliteErrors;
use crate::ffi;

/// One blob of a table, open for reading and writing in parts. The length of the blob is fixed.
#[handle(raw = ffi::sqlite3_blob, release(ffi::sqlite3_blob_close, detach), parent = Connection, errors = SqliteErrors)]
pub(crate) struct Blob;

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
