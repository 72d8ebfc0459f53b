//! LMDB for Python: functions that end a transaction, an environment that must be closed even if opening it failed,
//! databases as integer handles, cursors with two parents, transactions bound to a thread, values without a copy.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::{c_int, c_uint, c_void};
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use leakproof::Handle;
use leakproof::prelude::*;

#[allow(warnings, clippy::all, reason = "generated from LMDB's header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/lmdb.rs"));
}

/// The system's error number EBUSY.
const EBUSY: i64 = 16;

leakproof::byte_slice!(unsafe ffi::MDB_val { ptr: mv_data, len: mv_size });

/// Returns `bytes` as an `MDB_val`. LMDB only reads the bytes.
fn val(bytes: &[u8]) -> ffi::MDB_val {
    ffi::MDB_val {
        mv_size: bytes.len(),
        mv_data: bytes.as_ptr().cast_mut().cast(),
    }
}

/// An error that LMDB reported.
#[exception]
pub struct LmdbError {
    /// The message, in LMDB's words (mdb_strerror).
    pub message: String,
    /// The error code: negative for LMDB's own errors, positive for the system's `errno`.
    pub code: i64,
}

/// An attempt to open an environment that is already open in this process: LMDB allows it only once.
#[exception(extends = LmdbError)]
pub struct AlreadyOpenError {
    /// The fields of every LMDB error.
    pub base: LmdbError,
}

/// Takes the error's message for a status from LMDB.
#[derive(Debug, Default)]
pub struct LmdbErrors;

impl<T: Handle> ErrorSource<T> for LmdbErrors {
    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        let code = call.status.unwrap_or_default();
        let message = i32::try_from(code).ok().and_then(Environment::message_of);
        let message = message.unwrap_or_else(|| "unknown error".into());
        LmdbError { message, code }.into()
    }
}

/// Statistics of a database (MDB_stat).
#[record(ffi::MDB_stat)]
pub struct Stat {
    /// The size of a page in bytes.
    #[field(ms_psize)]
    pub page_size: u32,
    /// The depth of the B-tree.
    #[field(ms_depth)]
    pub depth: u32,
    /// The number of internal pages.
    #[field(ms_branch_pages)]
    pub branch_pages: usize,
    /// The number of leaf pages.
    #[field(ms_leaf_pages)]
    pub leaf_pages: usize,
    /// The number of overflow pages, which hold long values.
    #[field(ms_overflow_pages)]
    pub overflow_pages: usize,
    /// The number of items.
    #[field(ms_entries)]
    pub entries: usize,
}

/// The identity of an environment: the process that opened it, and the device and inode of its folder.
type Place = (u32, u64, u64);

/// The open environments.
static OPEN: Mutex<BTreeSet<Place>> = Mutex::new(BTreeSet::new());

fn open() -> MutexGuard<'static, BTreeSet<Place>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Entry of an open environment in `OPEN`. Dropping the claim removes the entry.
#[derive(Debug)]
struct Claim(Place);

impl Attachment for Claim {}

impl Claim {
    fn new(path: &FsPath) -> Result<Self> {
        let metadata = path.as_path().metadata();
        let metadata = metadata.map_err(|error| Error::Os(error, Some(path.as_path().into())))?;
        let place = (std::process::id(), metadata.dev(), metadata.ino());
        if !open().insert(place) {
            let message = format!(
                "{} is open already in this process",
                path.as_path().display()
            );
            let base = LmdbError {
                message,
                code: EBUSY,
            };
            return Err(AlreadyOpenError { base }.into());
        }
        Ok(Claim(place))
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        open().remove(&self.0);
    }
}

thread_local! {
    /// The addresses of the environments that this thread writes to.
    static WRITING: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
}

/// Entry of an environment in `WRITING`, kept by the write transaction of this thread. A second write transaction in
/// the same thread would wait for the first one for ever.
#[derive(Debug)]
struct Writing(usize);

impl Attachment for Writing {}

impl Writing {
    fn new(environment: &Environment) -> Result<Self> {
        let address = std::ptr::from_ref(environment).addr();
        match WRITING.with_borrow_mut(|writing| writing.insert(address)) {
            true => Ok(Writing(address)),
            false => Err(Error::Busy("Environment")),
        }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        let _ = WRITING.try_with(|writing| writing.borrow_mut().remove(&self.0));
    }
}

/// The lines that LMDB passes to a message callback.
#[derive(Debug, Default, Attachment)]
struct Lines(Mutex<Vec<String>>);

#[callbacks(unsafe)]
impl Lines {
    #[callback(unsafe extern "C" fn(*const std::ffi::c_char, *mut c_void) -> c_int, args = (text, data), on_error = -1)]
    fn add(&self, text: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push(text.trim_end().to_owned());
    }
}

/// An LMDB environment: a folder with databases, open in this process.
#[handle(
    raw = ffi::MDB_env,
    release(ffi::mdb_env_close, detach),
    attachments,
    errors = LmdbErrors,
    warn_unclosed
)]
pub struct Environment;

#[methods(unsafe)]
impl Environment {
    #[rust_only]
    #[calls(ffi::mdb_env_create, args = (out), fails = nonzero, on_failure = null)]
    fn create() -> Result<Owned<Environment>>;

    #[rust_only]
    #[calls(ffi::mdb_env_open, fails = nonzero, detach)]
    fn open(&mut self, path: &FsPath, flags: c_uint, mode: ffi::mdb_mode_t) -> Result<()>;

    #[rust_only]
    #[calls(ffi::mdb_env_set_mapsize, fails = nonzero)]
    fn set_map_size(&mut self, bytes: usize) -> Result<()>;

    #[rust_only]
    #[calls(ffi::mdb_env_set_maxdbs, fails = nonzero)]
    fn set_max_databases(&mut self, count: u32) -> Result<()>;

    #[rust_only]
    #[calls(ffi::mdb_strerror, borrowed, utf8 = lossy)]
    fn message_of(code: c_int) -> Option<String>;

    /// Open the environment in the folder `path` (mdb_env_open). `map_size` is the maximum size in bytes.
    /// `max_databases` is the maximum number of named databases.
    ///
    /// Raises OSError if the folder does not exist, AlreadyOpenError if the environment is already open in this
    /// process, and LmdbError for other errors. In a forked child process, this object raises AffinityError: open the
    /// environment again there.
    #[new]
    #[pyo3(signature = (path, *, map_size = 10 << 20, max_databases = 0, readonly = false))]
    fn new(
        path: &FsPath,
        map_size: usize,
        max_databases: u32,
        readonly: bool,
    ) -> Result<Owned<Environment>> {
        let claim = Claim::new(path)?;
        let mut environment = Environment::create()?;
        attach(&*environment, claim);
        environment.set_map_size(map_size)?;
        environment.set_max_databases(max_databases)?;
        // MDB_NOTLS ties readers to transactions instead of threads: one thread may have several.
        let readonly = if readonly { ffi::MDB_RDONLY } else { 0 };
        environment.open(path, ffi::MDB_NOTLS | readonly, 0o644)?;
        Ok(environment)
    }

    #[rust_only]
    #[calls(ffi::mdb_txn_begin, args = (self, null, flags, out), fails = nonzero, on_failure = null, detach)]
    fn begin_with(&self, flags: c_uint) -> Result<Owned<Transaction>>;

    /// Begin a transaction (mdb_txn_begin). `commit()` ends it and keeps its writes; `close()` ends it and drops them.
    /// A write transaction waits until all other write transactions have ended.
    ///
    /// A transaction belongs to its thread. Raises BusyError if this thread already has a write transaction.
    #[pyo3(signature = (*, write = false))]
    fn begin(&self, write: bool) -> Result<Owned<Transaction>> {
        if !write {
            return self.begin_with(ffi::MDB_RDONLY);
        }
        let writing = Writing::new(self)?;
        let transaction = self.begin_with(0)?;
        attach(&*transaction, writing);
        Ok(transaction)
    }

    /// Open the database `name`, or the unnamed database (mdb_dbi_open). The database stays open as long as the
    /// environment.
    ///
    /// Raises LmdbError if the database does not exist and `create` is not set.
    #[pyo3(signature = (name = None, *, create = false))]
    fn database(&mut self, name: Option<&CStr>, create: bool) -> Result<Borrowed<Database>> {
        // LMDB allows mdb_dbi_open in one transaction at a time. The exclusive borrow of the environment keeps others
        // out.
        let flags = if create { ffi::MDB_CREATE } else { 0 };
        let mut transaction = self.begin(create)?;
        let number = transaction.open_database(name, flags)?;
        Transaction::commit(transaction)?;
        Borrowed::from_integer(self, number).ok_or(Error::Failed("mdb_dbi_open"))
    }

    #[rust_only]
    #[calls(ffi::mdb_reader_list, args = (self, lines.add, lines.data), fails = negative)]
    fn list_readers(&self, lines: &Lines) -> Result<()>;

    /// Return lines that describe the readers of all processes (mdb_reader_list).
    fn readers(&self) -> Result<Vec<String>> {
        let lines = Lines::default();
        self.list_readers(&lines)?;
        Ok(lines.0.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Flush the buffers to the disk (mdb_env_sync).
    #[calls(ffi::mdb_env_sync, args = (self, 1), fails = nonzero, detach)]
    fn sync(&self) -> Result<()>;

    /// Copy the environment into the empty folder `path` (mdb_env_copy).
    #[calls(ffi::mdb_env_copy, fails = nonzero, detach)]
    fn copy_to(&self, path: &FsPath) -> Result<()>;
}

/// A database of an environment: an integer handle (MDB_dbi).
#[handle(integer = ffi::MDB_dbi, invalid = ffi::MDB_dbi::MAX, part_of = Environment)]
pub struct Database;

/// A transaction: reads one snapshot of an environment. A write transaction makes the next one.
#[handle(
    raw = ffi::MDB_txn,
    release(ffi::mdb_txn_abort, detach),
    parent = Environment,
    lends,
    attachments,
    thread_bound,
    errors = LmdbErrors
)]
pub struct Transaction;

#[methods(unsafe)]
impl Transaction {
    /// Keep the writes, and end the transaction (mdb_txn_commit). The transaction ends even if this fails.
    #[calls(ffi::mdb_txn_commit, fails = nonzero, consumes = always, detach)]
    fn commit(this: Owned<Self>) -> Result<()>;

    /// End the transaction and drop its writes (mdb_txn_abort), as `close()` does.
    #[calls(ffi::mdb_txn_abort, detach)]
    fn abort(this: Owned<Self>);

    #[rust_only]
    #[calls(ffi::mdb_dbi_open, args = (self, name, flags, out), fails = nonzero, on_failure = null)]
    fn open_database(&mut self, name: Option<&CStr>, flags: c_uint) -> Result<c_uint>;

    /// Return the value of `key` without a copy, or None (mdb_get).
    ///
    /// The memoryview borrows the transaction: writes in the transaction and its end raise BufferError until the
    /// memoryview is released.
    #[calls(
        ffi::mdb_get,
        args = (self, database, &mut val(key), out),
        fails = nonzero,
        none = when(|status| status == ffi::MDB_NOTFOUND),
        on_failure = undefined
    )]
    fn view(&self, database: &Database, key: &[u8]) -> Result<Option<&[u8]>>;

    /// Return the value of `key`, or None (mdb_get).
    #[calls(
        ffi::mdb_get,
        args = (self, database, &mut val(key), out),
        fails = nonzero,
        none = when(|status| status == ffi::MDB_NOTFOUND),
        on_failure = undefined,
        borrowed
    )]
    fn get(&self, database: &Database, key: &[u8]) -> Result<Option<Bytes>>;

    /// Set the value of `key` (mdb_put).
    #[calls(
        ffi::mdb_put,
        args = (self, database, &mut val(key), &mut val(value), 0),
        fails = nonzero
    )]
    fn put(&mut self, database: &Database, key: &[u8], value: &[u8]) -> Result<()>;

    #[rust_only]
    #[calls(
        ffi::mdb_del,
        args = (self, database, &mut val(key), null),
        fails = nonzero,
        none = when(|status| status == ffi::MDB_NOTFOUND)
    )]
    fn remove(&mut self, database: &Database, key: &[u8]) -> Result<Option<()>>;

    /// Delete `key` (mdb_del). Return True if it was present.
    fn delete(&mut self, database: &Database, key: &[u8]) -> Result<bool> {
        Ok(self.remove(database, key)?.is_some())
    }

    /// Return the statistics of a database (mdb_stat).
    #[calls(ffi::mdb_stat, args = (self, database, out), fails = nonzero)]
    fn stat(&self, database: &Database) -> Result<Stat>;

    /// Open a cursor over a database (mdb_cursor_open). The cursor is an iterator over keys and values, in key order.
    #[calls(
        ffi::mdb_cursor_open,
        args = (self, database, out),
        fails = nonzero,
        on_failure = null
    )]
    fn cursor(&mut self, database: &Database) -> Result<Owned<Cursor>>;
}

/// A cursor over the items of a database. The cursor lives in a transaction, which lives in the environment of the
/// database.
#[handle(
    raw = ffi::MDB_cursor,
    release = ffi::mdb_cursor_close,
    parent = Transaction,
    mut_parent,
    errors = LmdbErrors
)]
pub struct Cursor;

#[methods(unsafe)]
impl Cursor {
    #[rust_only]
    #[calls(
        ffi::mdb_cursor_get,
        args = (self, out, out, operation),
        fails = nonzero,
        none = when(|status| status == ffi::MDB_NOTFOUND),
        on_failure = undefined,
        borrowed
    )]
    fn item(&mut self, operation: ffi::MDB_cursor_op) -> Result<Option<(Bytes, Bytes)>>;

    #[rust_only]
    #[calls(
        ffi::mdb_cursor_get,
        args = (self, &mut val(key), &mut val(b""), ffi::MDB_SET_RANGE),
        fails = nonzero,
        none = when(|status| status == ffi::MDB_NOTFOUND)
    )]
    fn find(&mut self, key: &[u8]) -> Result<Option<()>>;

    /// Return the next key and its value (mdb_cursor_get).
    #[reads_parent]
    fn __next__(&mut self) -> Result<Option<(Bytes, Bytes)>> {
        self.item(ffi::MDB_NEXT)
    }

    /// Move to the first key that is not less than `key` (mdb_cursor_get). Return that key and its value, or None if
    /// there is no such key.
    #[reads_parent]
    fn seek(&mut self, key: &[u8]) -> Result<Option<(Bytes, Bytes)>> {
        match self.find(key)? {
            None => Ok(None),
            Some(()) => self.item(ffi::MDB_GET_CURRENT),
        }
    }

    /// Move to the last key (mdb_cursor_get). Return that key and its value, or None if the database is empty.
    #[reads_parent]
    fn last(&mut self) -> Result<Option<(Bytes, Bytes)>> {
        self.item(ffi::MDB_LAST)
    }

    /// Set the value of `key`, and move to it (mdb_cursor_put).
    #[calls(
        ffi::mdb_cursor_put,
        args = (self, &mut val(key), &mut val(value), 0),
        fails = nonzero
    )]
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()>;

    /// Delete the current item (mdb_cursor_del).
    #[calls(ffi::mdb_cursor_del, args = (self, 0), fails = nonzero)]
    fn delete(&mut self) -> Result<()>;
}

/// LMDB for Python: transactions, cursors and values that can't outlive each other.
#[leakproof::module]
mod lmdb_safe {
    #[pymodule_export]
    use super::{AlreadyOpenError, Cursor, Database, Environment, LmdbError, Stat, Transaction};
}
