//! The library, wrapped as a package would wrap it.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::sync::{Mutex, MutexGuard, PoisonError};

use leakproof::Errno;
use leakproof::prelude::*;

pub(crate) use crate::library as ffi;

/// A store.
#[handle(raw = ffi::store, release = ffi::store_free, errors(StoreErrors, asks_handle, callback = report), fork_safe)]
pub(crate) struct Store;

#[methods(unsafe, rust_only)]
impl Store {
    #[calls(ffi::store_open, fails = null)]
    pub(crate) fn open(title: Option<&CStr>) -> Result<Owned<Store>>;

    #[calls(ffi::store_open, fails = null)]
    pub(crate) fn open_str(title: &str) -> Result<Owned<Store>>;

    #[calls(ffi::store_open, fails = null)]
    pub(crate) fn open_path(path: &FsPath) -> Result<Owned<Store>>;

    #[calls(ffi::cursor_new, fails = null)]
    pub(crate) fn cursor(&self) -> Result<Owned<Cursor>>;

    #[calls(ffi::store_last)]
    pub(crate) fn last(&self) -> Option<Borrowed<Item>>;

    #[calls(ffi::store_check, fails = nonzero)]
    pub(crate) fn check(&self) -> Result<()>;

    /// A call that fails, which the author annotates as one that cannot fail.
    #[calls(ffi::store_check)]
    pub(crate) fn status(&self) -> c_int;

    /// Wrong: C may report something.
    #[calls(ffi::store_check, pure)]
    pub(crate) fn status_purely(&self) -> c_int;

    #[calls(ffi::store_check, fails = nonzero, detach)]
    pub(crate) fn check_detached(&mut self) -> Result<()>;

    #[calls(ffi::store_write, args = (self, bytes.ptr, bytes.len), fails = negative)]
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<c_int>;

    #[calls(ffi::store_write, args = (self, bytes.ptr, bytes.len), fails = negative)]
    pub(crate) fn write_buffer(&mut self, bytes: Buffer<'_>) -> Result<c_int>;

    #[calls(ffi::store_write, args = (self, bytes.ptr, bytes.len))]
    pub(crate) fn write_optional(&mut self, bytes: Option<&str>) -> Result<c_int>;

    #[calls(ffi::store_level, fails = when(|level| level > 100))]
    pub(crate) fn level(&self) -> Result<u32>;

    #[calls(ffi::store_sync, fails = negative)]
    pub(crate) fn sync(&mut self) -> Result<()>;

    #[calls(ffi::store_describe, free = |text| ffi::text_free(text), utf8 = lossy)]
    pub(crate) fn description(&self) -> Option<String>;

    #[calls(ffi::store_describe, fails = null, free = ffi::text_free)]
    pub(crate) fn describe(&self) -> Result<CString>;

    /// A result whose `free` function takes a pointer of another type.
    #[calls(ffi::store_describe, free = ffi::chars_free, utf8 = lossy)]
    pub(crate) fn label_text(&self) -> Option<String>;

    #[calls(ffi::version, utf8 = lossy)]
    pub(crate) fn version() -> Option<String>;

    #[calls(ffi::store_mix, args = (number, name, self, null, bytes.ptr, bytes.len, ffi::TEXT, flag), fails = nonzero)]
    pub(crate) fn mix(&self, bytes: &[u8], number: i32, flag: bool, name: &str) -> Result<()>;

    #[calls(ffi::store_rename)]
    pub(crate) fn rename(&mut self, title: Option<&CStr>) -> c_int;

    #[calls(ffi::store_rename)]
    pub(crate) fn rename_str(&mut self, title: Option<&str>) -> Result<()>;

    #[field(report)]
    pub(crate) fn has_callback(&self) -> bool;

    #[field(status)]
    fn failed_status(&self) -> bool;

    #[field(limit)]
    pub(crate) fn limit(&self) -> c_int;

    #[field(limit)]
    pub(crate) fn set_limit(&mut self, limit: c_int);

    #[field(open)]
    pub(crate) fn is_open(&self) -> bool;

    #[field(title, utf8 = lossy)]
    pub(crate) fn title(&self) -> Option<String>;

    #[field(title)]
    pub(crate) fn raw_title(&self) -> Option<CString>;

    #[field(label, utf8 = lossy)]
    pub(crate) fn label(&self) -> Option<String>;

    #[field(stats.reads)]
    pub(crate) fn reads(&self) -> c_int;

    #[field((*first).size)]
    pub(crate) fn first_size(&self) -> i64;

    #[field(first)]
    pub(crate) fn first(&self) -> Option<Borrowed<Item>>;

    #[field(items, len = item_count)]
    pub(crate) fn items(&self) -> Vec<Borrowed<Item>>;

    #[field(item_count)]
    pub(crate) fn set_item_count(&mut self, count: c_int);

    #[field(sizes, len = size_count)]
    pub(crate) fn sizes(&self) -> Vec<u32>;

    #[field(tag)]
    pub(crate) fn set_tag(&mut self, tag: c_int);

    #[field(value.number, when(tag, ffi::NUMBER))]
    pub(crate) fn number(&self) -> Option<f64>;

    #[field(value.text, when(tag, ffi::TEXT | 3), utf8 = lossy)]
    pub(crate) fn text(&self) -> Option<String>;

    #[field(self)]
    pub(crate) fn as_shelf(&self) -> Borrowed<Shelf>;

    /// The items, by walking.
    pub(crate) fn walk(&self) -> Successors<'_, Item> {
        Successors::new(self.first(), Item::next)
    }

    #[calls(ffi::store_open_at, args = (title, out), fails = negative, on_failure = owned)]
    pub(crate) fn open_at(title: &CStr) -> Result<Owned<Store>>;

    #[calls(ffi::cursor_make, args = (self, out, out), fails = nonzero, on_failure = undefined)]
    pub(crate) fn make_cursor(&self) -> Result<(Owned<Cursor>, c_int)>;

    #[calls(ffi::cursor_pair, args = (self, out, out), fails = nonzero, on_failure = null)]
    pub(crate) fn cursor_pair(&self) -> Result<(Owned<Cursor>, Owned<Cursor>)>;

    #[calls(ffi::cursor_pair, args = (self, out, out))]
    pub(crate) fn perhaps_cursors(&self) -> (Option<Owned<Cursor>>, Option<Owned<Cursor>>);

    #[calls(ffi::store_memory, len = ffi::store_memory_size)]
    pub(crate) fn memory(&self, count: c_int) -> Option<Bytes>;

    #[calls(ffi::store_memory, len = ffi::store_memory_size, fails = null)]
    pub(crate) fn some_memory(&self, count: c_int) -> Result<Bytes>;

    #[calls(ffi::store_memory, len = ffi::store_memory_size, utf8 = lossy)]
    pub(crate) fn memory_as_text(&self, count: c_int) -> Option<String>;

    #[calls(ffi::store_names, until = null, free = ffi::names_free, utf8 = lossy)]
    pub(crate) fn names(&self) -> Vec<String>;

    #[calls(ffi::store_names, until = null, fails = null, free = ffi::names_free)]
    pub(crate) fn some_names(&self) -> Result<Vec<CString>>;

    #[calls(ffi::primes, until = null)]
    pub(crate) fn primes() -> Vec<u32>;

    #[calls(ffi::counted_primes, args = (len))]
    pub(crate) fn counted_primes() -> Vec<u16>;

    #[calls(
        ffi::store_dump,
        args = (self, out, len),
        fails = negative,
        on_failure = owned,
        free = ffi::text_free
    )]
    pub(crate) fn dump(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::store_next, args = (self, at, out), fails = negative, none = when(|status| status == 1))]
    pub(crate) fn next_item(&self, at: c_int) -> Result<Option<Borrowed<Item>>>;

    #[calls(ffi::store_next, args = (self, at, out), none = nonzero)]
    pub(crate) fn perhaps_item(&self, at: c_int) -> Option<Borrowed<Item>>;

    #[calls(ffi::store_motto, args = (self, out), fails = negative)]
    pub(crate) fn motto(&self) -> Result<Option<String>>;

    #[calls(ffi::store_measure, args = (self, out, out))]
    pub(crate) fn measure(&self) -> (c_int, f64);

    /// A body that fails while it holds a cursor.
    pub(crate) fn use_cursor(&self) -> Result<c_int> {
        let mut cursor = self.cursor()?;
        let position = cursor.step();
        self.check()?;
        Ok(position)
    }
}

/// A store, seen as another type.
#[handle(raw = ffi::store, part_of = Store)]
pub(crate) struct Shelf;

#[methods(unsafe, rust_only)]
impl Shelf {
    #[field(limit)]
    pub(crate) fn limit(&self) -> c_int;
}

/// An item of a store.
#[handle(raw = ffi::page, part_of = Store, owner_field = store)]
pub(crate) struct Item;

#[methods(unsafe, rust_only)]
impl Item {
    #[field(size)]
    pub(crate) fn size(&self) -> c_int;

    #[field(next)]
    pub(crate) fn next(&self) -> Option<Borrowed<Item>>;
}

/// A cursor on a store.
#[handle(raw = ffi::cursor, release = ffi::cursor_free, parent = Store)]
pub(crate) struct Cursor;

#[methods(unsafe, rust_only)]
impl Cursor {
    #[calls(ffi::cursor_step)]
    pub(crate) fn step(&mut self) -> c_int;

    #[calls(ffi::cursor_step, fails = nonzero)]
    pub(crate) fn step_to_failure(&mut self) -> Result<()>;

    #[calls(ffi::cursor_copy)]
    pub(crate) fn copy(&self) -> Option<Owned<Cursor>>;

    #[calls(ffi::cursor_copy, fails = when(|copy| !copy.is_null()))]
    pub(crate) fn copy_and_fail(&self) -> Result<Option<Owned<Cursor>>>;
}

/// A store whose failures another type words.
#[handle(raw = ffi::store, release = ffi::store_free, errors(ProbeErrors, asks_handle, callback = report), fork_safe)]
pub(crate) struct Probe;

#[methods(unsafe, rust_only)]
impl Probe {
    #[calls(ffi::store_open, fails = null)]
    pub(crate) fn open(title: Option<&CStr>) -> Result<Owned<Probe>>;

    #[calls(ffi::store_check, fails = nonzero)]
    pub(crate) fn check(&self) -> Result<()>;
}

/// A tally, made in memory of ours.
#[handle(caller_allocates = ffi::tally, release = ffi::tally_clear, fork_safe)]
pub(crate) struct Tally;

#[methods(unsafe, rust_only)]
impl Tally {
    #[calls(ffi::tally_init, args = (out, start), fails = negative, on_failure = null)]
    pub(crate) fn start(start: c_int) -> Result<Owned<Tally>>;

    #[calls(ffi::tally_init, args = (out, start), fails = negative, on_failure = undefined)]
    pub(crate) fn start_undefined(start: c_int) -> Result<Owned<Tally>>;

    #[calls(ffi::tally_add)]
    pub(crate) fn add(&mut self, n: c_int) -> c_int;
}

/// A shape, whose owners are counted.
#[handle(raw = ffi::shape, retain = ffi::shape_ref, independent, release = ffi::shape_unref, fork_safe)]
pub(crate) struct Shape;

#[methods(unsafe, rust_only)]
impl Shape {
    #[calls(ffi::shape_new, fails = null)]
    pub(crate) fn new(child: Option<&Shape>) -> Result<Owned<Shape>>;

    #[calls(ffi::shape_child, retain)]
    pub(crate) fn child(&self) -> Option<Owned<Shape>>;

    #[field(child, retain)]
    pub(crate) fn child_field(&self) -> Option<Owned<Shape>>;

    #[field(self, retain)]
    pub(crate) fn another_owner(&self) -> Owned<Shape>;

    #[calls(ffi::shape_owners)]
    pub(crate) fn owners(&self) -> c_int;
}

/// A session, which C may keep.
#[handle(
    raw = ffi::session,
    release(ffi::session_close, fails = nonzero, on_failure = kept),
    errors(SessionErrors, asks_handle)
)]
pub(crate) struct Session;

#[methods(unsafe, rust_only)]
impl Session {
    #[calls(ffi::session_new, fails = null)]
    pub(crate) fn new() -> Result<Owned<Session>>;

    #[field(busy)]
    pub(crate) fn set_busy(&mut self, busy: c_int);

    #[field(busy)]
    pub(crate) fn busy(&self) -> c_int;
}

/// A session that is gone after a failed close, too.
#[handle(
    raw = ffi::session,
    release(ffi::session_close, fails = when(|status| status == 6), on_failure = released)
)]
pub(crate) struct Journal;

#[methods(unsafe, rust_only)]
impl Journal {
    #[calls(ffi::session_new, fails = null)]
    pub(crate) fn new() -> Result<Owned<Journal>>;

    #[field(busy)]
    pub(crate) fn set_busy(&mut self, busy: c_int);
}

/// Words a refused close.
#[derive(Default)]
pub(crate) struct SessionErrors;

impl ErrorSource<Session> for SessionErrors {
    fn into_error(self, call: &CallInfo<'_, Session>) -> Error {
        let busy = call.handle().map(Session::busy);
        Error::Value(format!("{} {:?} {busy:?}", call.function, call.status))
    }
}

/// A file of the operating system, which says why it failed in `errno`.
#[handle(raw = c_void, callback_only, errors = Errno)]
pub(crate) struct File;

/// Functions that set `errno`.
mod c_errno {
    use std::ffi::{c_char, c_int, c_void};

    fn set_errno(number: c_int) {
        errno::set_errno(errno::Errno(number));
    }

    /// Sets `errno` to 5, and leaves a text for `forget`.
    pub(super) unsafe extern "C" fn fail_with_errno() -> *mut c_char {
        set_errno(5);
        c"text".as_ptr().cast_mut()
    }

    /// Sets `errno` itself, as functions that free may.
    pub(super) unsafe extern "C" fn forget(_text: *mut c_void) {
        set_errno(6);
    }

    /// Fails, and leaves `errno` alone.
    pub(super) unsafe extern "C" fn fail_silently() -> c_int {
        1
    }
}

unsafe extern "C" {
    fn close(file: c_int) -> c_int;
}

#[methods(unsafe, rust_only)]
impl File {
    #[calls(close, args = (-1), fails = negative)]
    pub(crate) fn close_none() -> Result<()>;

    #[calls(close, args = (-1), fails = negative, detach)]
    pub(crate) fn close_none_detached() -> Result<()>;

    /// A result whose conversion changes `errno`.
    #[calls(c_errno::fail_with_errno, fails = when(|_| true), free = c_errno::forget)]
    pub(crate) fn fail_with_text() -> Result<Option<String>>;

    #[calls(c_errno::fail_silently, fails = nonzero)]
    pub(crate) fn fail_silently() -> Result<()>;
}

/// A report of C.
#[handle(raw = ffi::record, callback_only)]
pub(crate) struct Record;

#[methods(unsafe, rust_only)]
impl Record {
    #[field(message, utf8 = lossy)]
    fn message(&self) -> Option<String>;
}

/// A failure of a store.
#[exception]
pub(crate) struct StoreError {
    /// The report of C, then the arguments of the call.
    pub(crate) message: String,
}

thread_local! {
    static HOOKS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Returns the calls of [`StoreErrors`] since the last call of this function.
pub(crate) fn hooks() -> Vec<String> {
    HOOKS.take()
}

fn describe(call: &CallInfo<'_, Store>) -> String {
    let title = call.handle().and_then(Store::title).unwrap_or_default();
    let limit = match call.handle().map(Store::limit) {
        Some(7) => " after 7",
        _ => "",
    };
    format!("{title}.{}{:?}{limit}", call.function, call.arguments)
}

/// Does on a report what its text says.
#[derive(Default)]
pub(crate) struct StoreErrors(Vec<String>);

impl ErrorSink for StoreErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        let message = record.message().unwrap_or_default();
        match message.as_str() {
            "panic" => panic!("in the collector"),
            "nest" => self.0.push(fail_within(|| Probe::open(None)?.check())),
            "nest same" => self.0.push(fail_within(|| Store::open(None)?.check())),
            "nest panic" => {
                ffi::next([ffi::Next::Succeed, ffi::Next::Report(&["panic"])]);
                let _ = Store::open(None).and_then(|store| store.check());
            }
            _ => self.0.push(message),
        }
    }
}

fn fail_within(call: impl FnOnce() -> Result<()>) -> String {
    ffi::next([ffi::Next::Succeed, ffi::Next::Report(&["inner"])]);
    call().unwrap_err().to_string()
}

impl ErrorSource<Store> for StoreErrors {
    fn before_call(&mut self, call: &CallInfo<'_, Store>) {
        HOOKS.with_borrow_mut(|hooks| hooks.push(format!("arm {}", describe(call))));
    }

    fn failed_silently(&self, call: &CallInfo<'_, Store>) -> bool {
        call.handle().is_some_and(Store::failed_status)
    }

    fn into_error(self, call: &CallInfo<'_, Store>) -> Error {
        assert_ne!(self.0.as_slice(), ["panic later"], "while wording");
        HOOKS.with_borrow_mut(|hooks| hooks.push(format!("failed {}", describe(call))));
        let message = format!("{}: {}", describe(call), self.0.join(", "));
        StoreError { message }.into()
    }
}

/// Collects for [`Probe`].
#[derive(Default)]
pub(crate) struct ProbeErrors(Vec<String>);

impl ErrorSink for ProbeErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        self.0.extend(record.message());
    }
}

impl ErrorSource<Probe> for ProbeErrors {
    fn into_error(self, _: &CallInfo<'_, Probe>) -> Error {
        Error::Value(format!("probe({})", self.0.join(", ")))
    }
}

/// A test's time with the library to itself. At its end nothing may be left.
pub(crate) struct Library(#[expect(dead_code, reason = "held")] MutexGuard<'static, ()>);

impl Library {
    pub(crate) fn start() -> Library {
        static ONE: Mutex<()> = Mutex::new(());
        let one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
        ffi::log();
        hooks();
        Library(one)
    }
}

impl Drop for Library {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        assert_eq!(ffi::live(), 0, "what C gave was given back");
        for (name, count) in leakproof::live_handles() {
            assert_eq!(count, 0, "{name} is counted right");
        }
    }
}
