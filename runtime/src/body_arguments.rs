//! Handles that Python objects gave to the body of a method, as `Owned<T>`, until the outcome of the body is known.
//!
//! A body that fails may have passed its handle on to C before, or not. If not, the Python object is open again. The
//! body drops the handle before anybody knows how the body ends, so that drop releases nothing: it notes that the body
//! is done with the handle ([`put_off_release`]). When the body has ended, the wrapper of the method opens the Python
//! object again, or releases the handle. A handle that the body returns goes back to its Python object ([`give_back`]).
//!
//! An `Owned` cannot be sent to another thread, so each thread has a list of its own. Owners of one counted object are
//! equal: the Python object gets back whichever of them the body drops first, also after it passed one on.

use std::cell::{Cell, RefCell};
use std::collections::TryReserveError;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::error::{Error, Result};
use crate::handle::kind::Id;

/// Set once a body got a handle of a Python object.
static ANY: AtomicBool = AtomicBool::new(false);

thread_local! {
    static ARGUMENTS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
    static LAST_NUMBER: Cell<u64> = const { Cell::new(0) };
}

struct Entry {
    number: u64,
    id: Id,
    place: Place,
    /// The address of what the Python object knows of the handle.
    object: usize,
}

impl Entry {
    /// Returns whether the body may have an owner that the Python object can get back.
    fn has_owner(&self) -> bool {
        match self.place {
            Place::Owned => true,
            Place::PassedOn => self.id.kind().is_counted(),
            Place::Dropped | Place::Closed | Place::GivenBack => false,
        }
    }
}

/// The place of a handle that a body got.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// An `Owned`, or a value that a handle keeps.
    Owned,
    /// None: the body has dropped the handle.
    Dropped,
    /// C, or another Python object.
    PassedOn,
    /// None: the body has closed the handle.
    Closed,
    /// The Python object, again: the body has returned the handle.
    GivenBack,
}

/// The entry of a handle that a body got. The drop ends the entry.
#[derive(Debug)]
pub(crate) struct BodyArgument(u64);

#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python objects give handles to bodies")
)]
impl BodyArgument {
    /// Notes that a body gets the handle `id` of the Python object whose state is at the address `object`.
    ///
    /// # Errors
    ///
    /// [`Error::OutOfMemory`].
    pub(crate) fn begin(id: Id, object: usize) -> Result<Self> {
        let number = LAST_NUMBER.get() + 1;
        let place = Place::Owned;
        ARGUMENTS
            .with_borrow_mut(|entries| {
                entries.try_reserve(1)?;
                entries.push(Entry {
                    number,
                    id,
                    place,
                    object,
                });
                Ok(())
            })
            .map_err(|_: TryReserveError| Error::OutOfMemory("the arguments of a method"))?;
        LAST_NUMBER.set(number);
        ANY.store(true, Relaxed);
        Ok(BodyArgument(number))
    }

    /// Returns whether the body has dropped the handle, which is not released yet.
    pub(crate) fn is_dropped(&self) -> bool {
        self.is_in(Place::Dropped)
    }

    /// Returns whether there is an `Owned` of the handle: the body may have returned it.
    pub(crate) fn is_owned(&self) -> bool {
        self.is_in(Place::Owned)
    }

    /// Returns whether the Python object has the handle again ([`give_back`]).
    pub(crate) fn is_given_back(&self) -> bool {
        self.is_in(Place::GivenBack)
    }

    fn is_in(&self, place: Place) -> bool {
        let is_it = |entry: &Entry| entry.number == self.0 && entry.place == place;
        ARGUMENTS.with_borrow(|entries| entries.iter().any(is_it))
    }
}

impl Drop for BodyArgument {
    fn drop(&mut self) {
        ARGUMENTS.with_borrow_mut(|entries| entries.retain(|entry| entry.number != self.0));
    }
}

/// Returns whether the release of `id` waits for the outcome of the body that got the handle.
#[inline]
pub(crate) fn put_off_release(id: Id) -> bool {
    ANY.load(Relaxed) && change(id, Place::Dropped).is_some()
}

/// Notes that C has the handle `id`, or another Python object.
#[inline]
pub(crate) fn passed_on(id: Id) {
    if ANY.load(Relaxed) {
        change(id, Place::PassedOn);
    }
}

/// Notes that the body closes the handle `id`, whose release then waits for nothing. Returns the number of its entry,
/// for [`refused_to_close`].
#[inline]
pub(crate) fn closing(id: Id) -> Option<u64> {
    match ANY.load(Relaxed) {
        true => change(id, Place::Closed),
        false => None,
    }
}

/// Undoes [`closing`]: C refused the release.
pub(crate) fn refused_to_close(number: Option<u64>) {
    ARGUMENTS.with_borrow_mut(|entries| {
        let is_it = |entry: &&mut Entry| Some(entry.number) == number;
        if let Some(entry) = entries.iter_mut().find(is_it) {
            entry.place = Place::Owned;
        }
    });
}

/// Returns whether a running body got the handle `id` from Python, and may return it.
#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python objects give handles to bodies")
)]
pub(crate) fn is_argument(id: Id) -> bool {
    let is_it = |entry: &Entry| entry.id == id && entry.place == Place::Owned;
    ANY.load(Relaxed) && ARGUMENTS.with_borrow(|entries| entries.iter().any(is_it))
}

/// Gives the handle `id`, which a body returns, back to the Python object that it came from. `find` gets the address of
/// the object's state, and returns the object if it is an argument of that body. `None` for other handles.
#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python objects give handles to bodies")
)]
pub(crate) fn give_back<R>(id: Id, find: impl FnOnce(usize) -> Option<R>) -> Option<R> {
    if !ANY.load(Relaxed) {
        return None;
    }
    ARGUMENTS.with_borrow_mut(|entries| {
        let mut newest_first = entries.iter_mut().rev();
        let entry = newest_first.find(|entry| entry.id == id && entry.place == Place::Owned)?;
        let object = find(entry.object)?;
        entry.place = Place::GivenBack;
        Some(object)
    })
}

/// Changes the place of a handle that a body has. Returns the number of its entry; `None` for other handles.
#[cold]
fn change(id: Id, place: Place) -> Option<u64> {
    // Where the thread is about to end, no body runs.
    let changed = ARGUMENTS.try_with(|entries| {
        let mut entries = entries.borrow_mut();
        let mut newest_first = entries.iter_mut().rev();
        let entry = newest_first.find(|entry| entry.id == id && entry.has_owner())?;
        entry.place = place;
        Some(entry.number)
    });
    changed.ok().flatten()
}
