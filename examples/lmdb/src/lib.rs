//! LMDB for Python: functions that end a transaction, an environment to be closed also when opening it failed, databases
//! that are numbers, cursors that live in two handles, transactions that belong to a thread, values without a copy.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ffi::{c_int, c_uint, c_void};
use std::os::unix::fs::MetadataExt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use leakproof::prelude::*;

#[allow(warnings, clippy::all, reason = "generated from LMDB's header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/lmdb.rs"));
}

/// The system's number for what is busy.
const EBUSY: i64 = 16;

leakproof::byte_slice!(unsafe ffi::MDB_val { ptr: mv_data, len: mv_size });

/// Bytes as LMDB takes them. It only reads them.
fn val(bytes: &[u8]) -> ffi::MDB_val {
    ffi::MDB_val {
        mv_size: bytes.len(),
        mv_data: bytes.as_ptr().cast_mut().cast(),
    }
}

/// What LMDB could not do.
#[exception]
pub struct LmdbError {
    /// In LMDB's words (mdb_strerror).
    pub message: String,
    /// LMDB's number of the error, below 0, or the system's, above.
    pub code: i64,
}

/// An environment that is open already in this process, where LMDB allows it once.
#[exception(extends = LmdbError)]
pub struct AlreadyOpenError {
    /// What every error says.
    pub base: LmdbError,
}

/// Asks LMDB what a status means.
#[derive(Debug, Default)]
pub struct LmdbErrors;

impl LmdbErrors {
    fn error(status: Option<i64>) -> Error {
        let code = status.unwrap_or_default();
        let message = i32::try_from(code).ok().and_then(Environment::message_of);
        let message = message.unwrap_or_else(|| "unknown error".into());
        LmdbError { message, code }.into()
    }
}

impl ErrorSource<Environment> for LmdbErrors {
    fn into_error(self, call: &CallInfo<'_, Environment>) -> Error {
        Self::error(call.status)
    }
}

impl ErrorSource<Transaction> for LmdbErrors {
    fn into_error(self, call: &CallInfo<'_, Transaction>) -> Error {
        Self::error(call.status)
    }
}

impl ErrorSource<Cursor> for LmdbErrors {
    fn into_error(self, call: &CallInfo<'_, Cursor>) -> Error {
        Self::error(call.status)
    }
}

/// How big a database is (MDB_stat).
#[record(ffi::MDB_stat)]
pub struct Stat {
    /// The size of a page, in bytes.
    #[field(ms_psize)]
    pub page_size: u32,
    /// The depth of the tree.
    #[field(ms_depth)]
    pub depth: u32,
    /// How many pages are in the inside of the tree.
    #[field(ms_branch_pages)]
    pub branch_pages: usize,
    /// How many are its leaves.
    #[field(ms_leaf_pages)]
    pub leaf_pages: usize,
    /// How many are for long values.
    #[field(ms_overflow_pages)]
    pub overflow_pages: usize,
    /// How many items there are.
    #[field(ms_entries)]
    pub entries: usize,
}

/// An environment's folder: the process that opened it, the device, the inode.
type Place = (u32, u64, u64);

/// The environments that are open.
static OPEN: Mutex<BTreeSet<Place>> = Mutex::new(BTreeSet::new());

fn open() -> MutexGuard<'static, BTreeSet<Place>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// That an environment is open, as long as it is.
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
    /// The environments, by address, that this thread writes to.
    static WRITING: RefCell<BTreeSet<usize>> = const { RefCell::new(BTreeSet::new()) };
}

/// That a thread writes to an environment, as long as it does: a second transaction would wait for the first one for ever.
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

/// The lines that LMDB tells.
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

/// A folder with databases, open in this process.
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

    /// Open the environment in the folder `path` (mdb_env_open). `map_size` is how many bytes it can grow to, `max_databases` how
    /// many named databases can be opened.
    ///
    /// Raises OSError if there is no such folder, AlreadyOpenError if it is open already in this process, LmdbError for what
    /// LMDB finds wrong. In a forked child this object raises AffinityError: open the environment again there.
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
        // Readers belong to transactions, and not to threads: a thread may have several.
        let readonly = if readonly { ffi::MDB_RDONLY } else { 0 };
        environment.open(path, ffi::MDB_NOTLS | readonly, 0o644)?;
        Ok(environment)
    }

    #[rust_only]
    #[calls(ffi::mdb_txn_begin, args = (self, null, flags, out), fails = nonzero, on_failure = null, detach)]
    fn begin_with(&self, flags: c_uint) -> Result<Owned<Transaction>>;

    /// Begin a transaction (mdb_txn_begin). It ends with `commit()`, which keeps what it wrote, or with `close()`, which does
    /// not. Whoever wants to write waits for all others that do.
    ///
    /// A transaction belongs to its thread. Raises BusyError if this thread writes already.
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

    /// Open the database `name`, or the one without a name (mdb_dbi_open). It is open as long as the environment.
    ///
    /// Raises LmdbError if there is none and it is not to be made.
    #[pyo3(signature = (name = None, *, create = false))]
    fn database(&mut self, name: Option<&CStr>, create: bool) -> Result<Borrowed<Database>> {
        // LMDB allows one transaction at a time to do this, which is why nothing else uses the environment meanwhile.
        let flags = if create { ffi::MDB_CREATE } else { 0 };
        let mut transaction = self.begin(create)?;
        let number = transaction.open_database(name, flags)?;
        Transaction::commit(transaction)?;
        Borrowed::from_integer(self, number).ok_or(Error::Failed("mdb_dbi_open"))
    }

    #[rust_only]
    #[calls(ffi::mdb_reader_list, args = (self, lines.add, lines.data), fails = negative)]
    fn list_readers(&self, lines: &Lines) -> Result<()>;

    /// What LMDB tells of the readers of all processes (mdb_reader_list).
    fn readers(&self) -> Result<Vec<String>> {
        let lines = Lines::default();
        self.list_readers(&lines)?;
        Ok(lines.0.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Write what is not on the disk yet (mdb_env_sync).
    #[calls(ffi::mdb_env_sync, args = (self, 1), fails = nonzero, detach)]
    fn sync(&self) -> Result<()>;

    /// Copy the environment into the empty folder `path` (mdb_env_copy).
    #[calls(ffi::mdb_env_copy, fails = nonzero, detach)]
    fn copy_to(&self, path: &FsPath) -> Result<()>;
}

/// A database of an environment: LMDB's number of it.
#[handle(integer = ffi::MDB_dbi, invalid = ffi::MDB_dbi::MAX, part_of = Environment)]
pub struct Database;

/// Reads one state of an environment; one that writes makes the next state.
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
    /// Keep what was written, and end the transaction (mdb_txn_commit). It is ended also if this fails.
    #[calls(ffi::mdb_txn_commit, fails = nonzero, consumes = always, detach)]
    fn commit(this: Owned<Self>) -> Result<()>;

    /// End the transaction and forget what was written (mdb_txn_abort), as `close()` does.
    #[calls(ffi::mdb_txn_abort, detach)]
    fn abort(this: Owned<Self>);

    #[rust_only]
    #[calls(ffi::mdb_dbi_open, args = (self, name, flags, out), fails = nonzero, on_failure = null)]
    fn open_database(&mut self, name: Option<&CStr>, flags: c_uint) -> Result<c_uint>;

    /// The value of `key`, without a copy, or None (mdb_get).
    ///
    /// The memoryview holds the transaction: until it is released, writing and ending raise BufferError.
    #[calls(
        ffi::mdb_get,
        args = (self, database, &mut val(key), out),
        fails = nonzero,
        none = when(|status| status == ffi::MDB_NOTFOUND),
        on_failure = undefined
    )]
    fn view(&self, database: &Database, key: &[u8]) -> Result<Option<&[u8]>>;

    /// The value of `key`, or None (mdb_get).
    #[calls(
        ffi::mdb_get,
        args = (self, database, &mut val(key), out),
        fails = nonzero,
        none = when(|status| status == ffi::MDB_NOTFOUND),
        on_failure = undefined
    )]
    fn get(&self, database: &Database, key: &[u8]) -> Result<Option<Bytes>>;

    /// Give `key` a value (mdb_put).
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

    /// Delete `key`; whether it was there (mdb_del).
    fn delete(&mut self, database: &Database, key: &[u8]) -> Result<bool> {
        Ok(self.remove(database, key)?.is_some())
    }

    /// How big a database is (mdb_stat).
    #[calls(ffi::mdb_stat, args = (self, database, out), fails = nonzero)]
    fn stat(&self, database: &Database) -> Result<Stat>;

    /// A cursor over a database: an iterator over keys and values, in the keys' order (mdb_cursor_open).
    #[calls(
        ffi::mdb_cursor_open,
        args = (self, database, out),
        keep_alive = (database),
        fails = nonzero,
        on_failure = null
    )]
    fn cursor(&mut self, database: &Database) -> Result<Owned<Cursor>>;
}

/// Goes over the items of a database: it lives in a transaction, and in a database.
#[handle(
    raw = ffi::MDB_cursor,
    release = ffi::mdb_cursor_close,
    parent = (Transaction, Database),
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
        on_failure = undefined
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

    /// The next key and its value (mdb_cursor_get).
    #[reads_parent]
    fn __next__(&mut self) -> Result<Option<(Bytes, Bytes)>> {
        self.item(ffi::MDB_NEXT)
    }

    /// Go to the first key that is not less than `key`; that and its value, or None behind the last one (mdb_cursor_get).
    #[reads_parent]
    fn seek(&mut self, key: &[u8]) -> Result<Option<(Bytes, Bytes)>> {
        match self.find(key)? {
            None => Ok(None),
            Some(()) => self.item(ffi::MDB_GET_CURRENT),
        }
    }

    /// Go to the last key; that and its value, or None if there is none (mdb_cursor_get).
    #[reads_parent]
    fn last(&mut self) -> Result<Option<(Bytes, Bytes)>> {
        self.item(ffi::MDB_LAST)
    }

    /// Give `key` a value, and go there (mdb_cursor_put).
    #[calls(
        ffi::mdb_cursor_put,
        args = (self, &mut val(key), &mut val(value), 0),
        fails = nonzero
    )]
    fn put(&mut self, key: &[u8], value: &[u8]) -> Result<()>;

    /// Delete the item where it is (mdb_cursor_del).
    #[calls(ffi::mdb_cursor_del, args = (self, 0), fails = nonzero)]
    fn delete(&mut self) -> Result<()>;
}

/// LMDB for Python: transactions, cursors and values that can't outlive each other.
#[leakproof::module]
mod lmdb_safe {
    #[pymodule_export]
    use super::{AlreadyOpenError, Cursor, Database, Environment, LmdbError, Stat, Transaction};
}
