//! Releases that a thread holds back while one of its callbacks has a stray handle.
//!
//! They run at the end of the callback after which the thread has no stray handle any more. No other thread runs them:
//! what they free may be what the stray handle lives in.
//!
//! C may free a stray handle as soon as the callback returns that C passed it to. So what lives in the handle is
//! released before that, or never: if a release cannot run then, the handle is leaked, and that is reported.

use std::cell::RefCell;
use std::mem::{self, ManuallyDrop};

use super::depth::Depth;
use super::table::{Key, table};
use crate::callback::expected;
use crate::children::{self, Id, LentInCallback};
use crate::deferred;
use crate::error::Error;
use crate::interpreter::report;

/// The lists of a thread.
#[derive(Debug)]
struct HeldBack {
    /// The releases that wait.
    releases: Vec<Id>,
    /// The stray handles of the running callback.
    strays: Vec<Id>,
    /// The stray handles of a callback that is about to return, while the releases run that may not run later.
    ending: Vec<Id>,
    /// The handles of C's own that C lent by one that it lends only to a running callback.
    lent: Vec<Id>,
}

thread_local! {
    // Without a destructor: callbacks may run as long as the thread. All lists are empty outside of callbacks.
    static HELD_BACK: RefCell<ManuallyDrop<HeldBack>> = const {
        RefCell::new(ManuallyDrop::new(HeldBack {
            releases: Vec::new(),
            strays: Vec::new(),
            ending: Vec::new(),
            lent: Vec::new(),
        }))
    };
}

fn with<R>(f: impl FnOnce(&mut HeldBack) -> R) -> R {
    HELD_BACK.with_borrow_mut(|lists| f(lists))
}

/// Notes the stray handles that C passed to the running callback.
pub(super) fn note_strays(strays: Vec<Id>) {
    with(|lists| lists.strays.extend(strays));
}

/// Notes that C lent a handle by one that it lends only to the running callback: as those, it may be freed when the
/// callback returns.
#[cold]
fn note_lent(lent: Id) {
    if expected::may_write() {
        with(|lists| {
            if !lists.lent.contains(&lent) {
                lists.lent.push(lent);
            }
        });
    }
    // Without a stray handle of an outer callback no release waits longer.
    if table().has_stray(Depth::here()) {
        with(|lists| {
            if !lists.strays.contains(&lent) {
                lists.strays.push(lent);
            }
        });
    }
}

inventory::submit! { LentInCallback(note_lent) }

/// Holds a release back if a callback of this thread has a stray handle. Returns false for any other release.
pub(super) fn hold_back(id: Id) -> bool {
    let holds_back = table().has_stray(Depth::here());
    if holds_back {
        with(|lists| lists.releases.push(id));
    }
    holds_back
}

/// Returns whether C lent the handle in a callback of this thread that runs: our code may have borrowed from it.
pub(super) fn is_lent_in_callback(id: Id) -> bool {
    let is_it = |lent: &Id| lent.raw() == id.raw() && lent.kind().c_type() == id.kind().c_type();
    with(|lists| lists.lent.iter().any(is_it))
}

/// Returns whether the handle lives in a stray one whose callback is about to return.
pub(super) fn may_not_wait(id: Id) -> bool {
    let ending = with(|lists| lists.ending.clone());
    lives_in_any(id, &ending)
}

fn lives_in_any(id: Id, strays: &[Id]) -> bool {
    strays.iter().any(|stray| children::lives_in(id, *stray))
}

/// Leaks a handle that could not be released in time, and those that wait for its release.
#[cold]
pub(super) fn leak(id: Id) {
    let waiting = children::note_leaked(id);
    for id in waiting.into_iter().chain([id]) {
        report(Error::Value(format!(
            "a {} is leaked, because the callback returns that C lent its parent to, and a use is in the way of its release: make \
             it where no outer callback has a handle of C's own",
            id.kind().name()
        )));
    }
}

/// The time in which C has passed handles to a callback, or to a function that it reports to. When this is dropped, the
/// releases run that were held back.
pub(crate) struct HoldingBack {
    /// The stray handles of the outer callback.
    outer: Vec<Id>,
    /// The number of handles that C lent in outer callbacks.
    lent: usize,
}

impl HoldingBack {
    pub(crate) fn begin() -> Self {
        HoldingBack {
            outer: with(|lists| mem::take(&mut lists.strays)),
            lent: with(|lists| lists.lent.len()),
        }
    }
}

impl Drop for HoldingBack {
    #[inline]
    fn drop(&mut self) {
        let outer = mem::take(&mut self.outer);
        let ended = with(|lists| {
            lists.lent.truncate(self.lent);
            if lists.lent.is_empty() {
                // All lists of a thread that ends are without memory.
                lists.lent = Vec::new();
            }
            mem::replace(&mut lists.strays, outer)
        });
        if !ended.is_empty() {
            release_held_back(ended);
        }
    }
}

/// Runs the releases that were held back until now. Those of what lives in `ended` may not wait any longer.
#[cold]
fn release_held_back(mut ended: Vec<Id>) {
    let has_stray = {
        let (table, depth) = (table(), Depth::here());
        // An outer callback may have the same handle.
        ended.retain(|stray| !table.is_stray(Key::object(*stray), depth));
        table.has_stray(depth)
    };
    let (releases, _ending) = with(|lists| {
        let outer = mem::replace(&mut lists.ending, ended.clone());
        (mem::take(&mut lists.releases), Ending { outer })
    });
    for id in releases {
        match !has_stray || lives_in_any(id, &ended) {
            true => deferred::release(id),
            false => with(|lists| lists.releases.push(id)),
        }
    }
}

/// The time in which releases run that may not run later.
struct Ending {
    outer: Vec<Id>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let outer = mem::take(&mut self.outer);
        with(|lists| lists.ending = outer);
    }
}
