//! Feeds, which keep Python callables, and a value that disturbs the garbage collector.

use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use leakproof::__private::attachment::{Traversal, Traverse};
use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyStopIteration;
use leakproof::pyo3::{Py, PyAny, PyTraverseError, PyVisit, Python};

use crate::ffi;

/// The source of a feed's numbers.
#[derive(Attachment)]
pub(crate) struct Source(Callable);

#[callbacks(unsafe)]
impl Source {
    #[callback(ffi::asked, args = (data), on_error = -1)]
    fn ask(&self) -> Result<c_int> {
        self.0.call(())
    }

    #[callback(ffi::told, args = (feed, data), on_error = -1)]
    fn tell(&self, feed: &Feed) -> Result<c_int> {
        self.0.call((feed.has_source(),))
    }
}

/// A callable that C calls while nothing uses the feed.
#[derive(Attachment)]
pub(crate) struct Quiet(Callable);

#[callbacks(unsafe)]
impl Quiet {
    #[callback(ffi::told, args = (_, data), on_error = -1, exclusive)]
    fn tell(&self) -> Result<c_int> {
        self.0.call_unit(())?;
        Ok(0)
    }
}

/// A feed of numbers from Python, which a negative number ends.
#[handle(raw = ffi::feed, release = ffi::feed_free, attachments)]
pub struct Feed;

/// The number of times that a `Meddler` was asked for its Python objects, and of those in which it could run Python
/// code.
static ASKED: AtomicUsize = AtomicUsize::new(0);
static RAN: AtomicUsize = AtomicUsize::new(0);

/// A value that tries to run Python code while garbage is collected.
struct Meddler;

impl Attachment for Meddler {
    const TRAVERSAL: Traversal<Self> = Traversal::of();
}

// SAFETY: it shows nothing.
unsafe impl Traverse for Meddler {
    fn traverse(&self, _: &PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        ASKED.fetch_add(1, Ordering::Relaxed);
        if leakproof::detach(|| Python::try_attach(|_| ())).is_some() {
            RAN.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn clear(&self, _: &mut Vec<Py<PyAny>>) {}
}

/// Returns how many times a meddling value was asked for its Python objects, and how many times it could run Python
/// code.
#[leakproof::function]
pub(crate) fn meddled() -> (usize, usize) {
    (ASKED.load(Ordering::Relaxed), RAN.load(Ordering::Relaxed))
}

/// The number of `Watcher`s that were dropped while the lock that they watch was held.
static LOCKED: AtomicUsize = AtomicUsize::new(0);

/// Callables behind a lock.
#[derive(Attachment)]
struct Locked(Arc<Mutex<Vec<Callable>>>);

/// A value that asks for a lock when it is dropped.
struct Watcher(Weak<Mutex<Vec<Callable>>>);

impl Attachment for Watcher {}

impl Drop for Watcher {
    fn drop(&mut self) {
        let watched = self.0.upgrade();
        if watched.is_some_and(|watched| watched.try_lock().is_err()) {
            LOCKED.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Returns how many feeds were dropped while the lock that they watch was held.
#[leakproof::function]
pub(crate) fn dropped_locked() -> usize {
    LOCKED.load(Ordering::Relaxed)
}

#[methods(unsafe)]
impl Feed {
    #[rust_only]
    #[calls(ffi::feed_new, fails = null)]
    fn make() -> Result<Owned<Feed>>;

    #[rust_only]
    #[calls(ffi::feed_ask, args = (self, source.ask, source.data), scope = until_replaced)]
    fn set_source(&mut self, source: Source);

    #[rust_only]
    #[field(asked)]
    fn has_source(&self) -> bool;

    #[rust_only]
    #[calls(ffi::feed_tell, args = (self, source.tell, source.data), fails = negative)]
    fn tell_source(&self, source: &Source) -> Result<()>;

    #[rust_only]
    #[calls(ffi::feed_tell, args = (self, source.tell, source.data), fails = negative)]
    fn tell_source_alone(&mut self, source: &Source) -> Result<()>;

    #[rust_only]
    #[calls(ffi::feed_tell, args = (self, told.tell, told.data), fails = negative)]
    fn tell_quietly(&self, told: &Quiet) -> Result<()>;

    /// Has C call `callable`, while nothing uses the feed.
    fn tell_excluding(&self, callable: Callable) -> Result<()> {
        self.tell_quietly(&Quiet(callable))
    }

    /// True if the feed has a source.
    #[getter]
    #[field(asked)]
    fn fed(&self) -> bool;

    /// Has C tell `callable` whether the feed has a source, by a shared borrow.
    fn tell(&self, callable: Callable) -> Result<()> {
        self.tell_source(&Source(callable))
    }

    /// Has C tell `callable` whether the feed has a source, by an exclusive borrow.
    fn tell_alone(&mut self, callable: Callable) -> Result<()> {
        self.tell_source_alone(&Source(callable))
    }

    #[rust_only]
    #[calls(ffi::feed_next, fails = sticky)]
    fn step(&mut self) -> Result<c_int>;

    /// Asks the source for a number.
    #[calls(ffi::feed_next, fails = sticky)]
    fn pull(&mut self) -> Result<c_int>;

    /// Makes a feed whose source is a callable.
    #[new]
    fn new(source: Callable) -> Result<Owned<Feed>> {
        let mut feed = Feed::make()?;
        feed.set_source(Source(source));
        Ok(feed)
    }

    /// The next number. For 0 it raises `StopIteration`.
    fn __next__(&mut self) -> Result<Option<c_int>> {
        match self.step()? {
            0 => Err(PyStopIteration::new_err(()).into()),
            number => Ok(Some(number).filter(|number| *number > 0)),
        }
    }

    /// Is in no build, and so in no stubs.
    #[cfg(all(unix, windows))]
    fn left_out(&self) -> c_int {
        0
    }

    /// Keeps a callable together with another feed.
    fn share(&self, other: &Feed, callable: Callable) {
        let shared = Arc::new(callable);
        attach(self, shared.clone());
        attach(other, shared);
    }

    /// Keeps two callables behind a lock, for which `watcher` asks when it is dropped.
    fn lock(&self, watcher: &Feed, first: Callable, second: Callable) {
        let locked = Arc::new(Mutex::new(vec![first, second]));
        attach(watcher, Watcher(Arc::downgrade(&locked)));
        attach(self, Locked(locked));
    }

    /// Calls `callable` with `count` pairs, each of them an argument.
    fn spread(&self, callable: Callable, count: c_int) -> Result<()> {
        callable.call_unit_varargs((0..count).map(|number| (number, number)).collect())
    }

    /// Keeps a value that runs Python code while garbage is collected.
    fn meddle(&self) {
        attach(self, Meddler);
    }

    /// The next number, of any value.
    fn number(&mut self) -> Result<c_int> {
        self.step()
    }
}
