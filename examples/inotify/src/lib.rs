//! Linux inotify for Python: an integer handle, errors in `errno`, records of variable length, a wait that `close()`
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

/// Events of a file or directory, and options of `watch` (inotify(7)).
#[int_flag(u32)]
pub enum Mask {
    /// File was read.
    ACCESS = ffi::IN_ACCESS,
    /// Metadata changed: owner, permissions, times or number of links.
    ATTRIB = ffi::IN_ATTRIB,
    /// File that was open for writing was closed.
    CLOSE_WRITE = ffi::IN_CLOSE_WRITE,
    /// File that was not open for writing was closed.
    CLOSE_NOWRITE = ffi::IN_CLOSE_NOWRITE,
    /// File was created in the watched directory.
    CREATE = ffi::IN_CREATE,
    /// File was deleted from the watched directory.
    DELETE = ffi::IN_DELETE,
    /// Watched file or directory was itself deleted.
    DELETE_SELF = ffi::IN_DELETE_SELF,
    /// File was written to.
    MODIFY = ffi::IN_MODIFY,
    /// Watched file or directory was itself moved.
    MOVE_SELF = ffi::IN_MOVE_SELF,
    /// File was moved out of the watched directory.
    MOVED_FROM = ffi::IN_MOVED_FROM,
    /// File was moved into the watched directory.
    MOVED_TO = ffi::IN_MOVED_TO,
    /// File was opened.
    OPEN = ffi::IN_OPEN,
    /// All events above.
    ALL_EVENTS = 0xfff,
    /// Option of `watch`: the path must be a directory.
    ONLYDIR = ffi::IN_ONLYDIR,
    /// Option of `watch`: symbolic links are not followed.
    DONT_FOLLOW = ffi::IN_DONT_FOLLOW,
    /// Reported with an event: the watch has ended.
    IGNORED = ffi::IN_IGNORED,
    /// Reported with an event: the event concerns a directory.
    ISDIR = ffi::IN_ISDIR,
    /// Reported as an event: the queue overflowed, and events were lost.
    Q_OVERFLOW = ffi::IN_Q_OVERFLOW,
    /// Reported as an event: the file system of the watched file was unmounted.
    UNMOUNT = ffi::IN_UNMOUNT,
}

/// An event (struct inotify_event).
#[pyclass(frozen, get_all, module = "inotify_safe", crate = "leakproof::pyo3")]
#[derive(Debug)]
pub struct Event {
    /// The number of the watch, as `watch()` returned it.
    pub watch: c_int,
    /// The kind of event.
    pub mask: Mask,
    /// The number that the two events of one move share; 0 for other events.
    pub cookie: u32,
    /// The name of the file within a watched directory; None if the event concerns the watched path itself.
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

    /// Parses the first event in `bytes`. Returns the event and the bytes after it.
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

/// An inotify instance, which watches files and directories.
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
    /// Create an inotify instance without watches (inotify_init1).
    #[new]
    #[calls(ffi::inotify_init1, args = (ffi::IN_CLOEXEC as c_int), fails = negative)]
    fn new() -> Result<Owned<Watcher>>;

    /// Return the file descriptor, for `select` and event loops.
    fn fileno(&self) -> c_int {
        self.number()
    }

    #[rust_only]
    #[calls(ffi::inotify_add_watch, fails = negative)]
    fn add(&self, path: &FsPath, mask: Mask) -> Result<c_int>;

    /// Watch a file or a directory (inotify_add_watch). Return the number of the watch.
    ///
    /// An existing watch of the path gets the new mask. Raises the OSError of the error number, such as
    /// FileNotFoundError.
    #[pyo3(signature = (path, mask = Mask::ALL_EVENTS))]
    fn watch(&self, path: &FsPath, mask: Mask) -> Result<c_int> {
        self.add(path, mask).map_err(|error| match error {
            Error::Os(error, None) => Error::Os(error, Some(path.as_path().into())),
            other => other,
        })
    }

    /// Remove a watch; its last event is IGNORED (inotify_rm_watch).
    #[calls(ffi::inotify_rm_watch, fails = negative)]
    fn unwatch(&self, watch: c_int) -> Result<()>;

    #[rust_only]
    #[calls(ffi::read, args = (self, into.ptr, into.len), fails = negative, detach)]
    fn fill(&self, into: &mut [u8]) -> Result<i64>;

    /// Wait for events and return them; other threads run meanwhile (read(2)).
    ///
    /// `close()` in another thread ends the wait: it adds and removes a watch, which causes an event.
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

    /// Causes an event: removing a watch reports IGNORED.
    #[rust_only]
    fn wake(&self) {
        if let Ok(watch) = self.add(FsPath::new(c"/"), Mask::DELETE_SELF) {
            let _ = self.unwatch(watch);
        }
    }
}

/// Linux inotify for Python: events of files and directories.
#[leakproof::module]
mod inotify_safe {
    #[pymodule_export]
    use super::{Event, Mask, Watcher};
}
