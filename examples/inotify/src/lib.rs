//! Linux inotify for Python: a handle that is a number, errors in `errno`, records of any length, a wait that `close()`
//! ends.

use std::ffi::{CStr, OsStr, OsString, c_int};
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;

use leakproof::Errno;
use leakproof::IntegerHandle;
use leakproof::prelude::*;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::{Bound, PyAny, PyResult, PyTypeInfo, Python, pyclass};
use leakproof::{CallContext, IntoPython};

#[allow(
    warnings,
    clippy::all,
    reason = "generated from the headers of the C library"
)]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/inotify.rs"));
}

/// What may happen to a file (inotify(7)).
#[int_flag(u32)]
pub enum Mask {
    /// It was read.
    ACCESS = ffi::IN_ACCESS,
    /// Its owner, its rights, its times or its links changed.
    ATTRIB = ffi::IN_ATTRIB,
    /// It was closed by who could write to it.
    CLOSE_WRITE = ffi::IN_CLOSE_WRITE,
    /// It was closed by who could only read it.
    CLOSE_NOWRITE = ffi::IN_CLOSE_NOWRITE,
    /// A file was made in this directory.
    CREATE = ffi::IN_CREATE,
    /// A file was removed from this directory.
    DELETE = ffi::IN_DELETE,
    /// It was removed itself.
    DELETE_SELF = ffi::IN_DELETE_SELF,
    /// It was written to.
    MODIFY = ffi::IN_MODIFY,
    /// It was moved itself.
    MOVE_SELF = ffi::IN_MOVE_SELF,
    /// A file left this directory.
    MOVED_FROM = ffi::IN_MOVED_FROM,
    /// A file came to this directory.
    MOVED_TO = ffi::IN_MOVED_TO,
    /// It was opened.
    OPEN = ffi::IN_OPEN,
    /// All of these.
    ALL_EVENTS = 0xfff,
    /// For `watch`: only if it is a directory.
    ONLYDIR = ffi::IN_ONLYDIR,
    /// For `watch`: not what a symbolic link points at.
    DONT_FOLLOW = ffi::IN_DONT_FOLLOW,
    /// Of an event: the watch has ended.
    IGNORED = ffi::IN_IGNORED,
    /// Of an event: it happened to a directory.
    ISDIR = ffi::IN_ISDIR,
    /// Of an event: some that came before it are lost.
    Q_OVERFLOW = ffi::IN_Q_OVERFLOW,
    /// Of an event: its file system is no longer mounted.
    UNMOUNT = ffi::IN_UNMOUNT,
}

/// Something that happened (struct inotify_event).
#[pyclass(frozen, get_all, module = "inotify_safe", crate = "leakproof::pyo3")]
#[derive(Debug)]
pub struct Event {
    /// The watch, as `watch()` gave it.
    pub watch: c_int,
    /// What happened.
    pub mask: Mask,
    /// What the two halves of a move have in common; else 0.
    pub cookie: u32,
    /// The file's name, if a directory is watched.
    pub name: Option<OsString>,
}

impl IntoPython for Event {
    const TYPE: PyStaticExpr = <Event as PyTypeInfo>::TYPE_HINT;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        Ok(Bound::new(context.py(), self)?.into_any())
    }
}

impl Event {
    const HEADER: usize = size_of::<ffi::inotify_event>();

    /// The first event in `bytes`, and what comes behind it.
    fn parse(bytes: &[u8]) -> Option<(Event, &[u8])> {
        let (header, rest) = bytes.split_at_checked(Self::HEADER)?;
        let word = |n: usize| -> Option<[u8; 4]> { header.get(4 * n..)?.first_chunk().copied() };
        let length = u32::from_ne_bytes(word(3)?);
        let (name, rest) = rest.split_at_checked(usize::try_from(length).ok()?)?;
        let name = CStr::from_bytes_until_nul(name).map_or(name, CStr::to_bytes);
        let event = Event {
            watch: c_int::from_ne_bytes(word(0)?),
            mask: Mask(u32::from_ne_bytes(word(1)?)),
            cookie: u32::from_ne_bytes(word(2)?),
            name: (!name.is_empty()).then(|| OsStr::from_bytes(name).to_owned()),
        };
        Some((event, rest))
    }
}

/// Watches files: an inotify instance.
#[handle(
    integer = c_int,
    invalid = -1,
    release(ffi::close, fails = negative),
    interrupt = Watcher::wake,
    errors = Errno,
    warn_unclosed
)]
pub struct Watcher;

#[methods(unsafe)]
impl Watcher {
    /// Watch nothing yet (inotify_init1).
    #[new]
    #[calls(ffi::inotify_init1, args = (ffi::IN_CLOEXEC as c_int), fails = negative)]
    fn new() -> Result<Owned<Watcher>>;

    /// The file descriptor, to wait for it together with others.
    fn fileno(&self) -> c_int {
        self.number()
    }

    #[rust_only]
    #[calls(ffi::inotify_add_watch, fails = negative)]
    fn add(&self, path: &FsPath, mask: Mask) -> Result<c_int>;

    /// Watch a file or a directory; the number of the watch (inotify_add_watch).
    ///
    /// What is watched already gets the new mask. Raises the OSError of its number, such as FileNotFoundError.
    #[pyo3(signature = (path, mask = Mask::ALL_EVENTS))]
    fn watch(&self, path: &FsPath, mask: Mask) -> Result<c_int> {
        self.add(path, mask).map_err(|error| match error {
            Error::Os(error, None) => Error::Os(error, Some(path.as_path().into())),
            other => other,
        })
    }

    /// Watch it no longer; its last event is IGNORED (inotify_rm_watch).
    #[calls(ffi::inotify_rm_watch, fails = negative)]
    fn unwatch(&self, watch: c_int) -> Result<()>;

    #[rust_only]
    #[calls(ffi::read, args = (self, into.ptr, into.len), fails = negative, detach)]
    fn fill(&self, into: &mut [u8]) -> Result<i64>;

    /// Wait for events; other threads run meanwhile (read(2)).
    ///
    /// `close()` in another thread ends the wait, by an event of a watch of its own.
    fn read(&self, py: Python<'_>) -> Result<Vec<Event>> {
        const ROOM: usize = 64 * 1024;
        let mut buffer = vec![0; ROOM];
        let count = loop {
            match self.fill(&mut buffer) {
                Err(Error::Os(error, None)) if error.kind() == ErrorKind::Interrupted => {
                    py.check_signals()?;
                }
                count => break count?,
            }
        };
        let mut bytes = buffer
            .get(..usize::try_from(count).unwrap_or(0))
            .unwrap_or_default();
        let mut events = Vec::new();
        while let Some((event, rest)) = Event::parse(bytes) {
            events.push(event);
            bytes = rest;
        }
        Ok(events)
    }

    /// Have an event come: a watch that ends is one.
    #[rust_only]
    fn wake(&self) {
        if let Ok(watch) = self.add(FsPath::new(c"/"), Mask::DELETE_SELF) {
            let _ = self.unwatch(watch);
        }
    }
}

/// Linux inotify for Python: what happens to these files?
#[leakproof::module]
mod inotify_safe {
    #[pymodule_export]
    use super::{Event, Mask, Watcher};
}
