//! Releases, and the uses that are in their way.
//!
//! A release of a handle is deferred while something uses the handle, while something uses exclusively what the handle
//! lives in, and while another child holds that. It runs when that use has ended ([`deferred`](crate::deferred)). While
//! a callback of the thread has a handle that may live in any other one, a release is held back (`held_back`).

use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use super::call::{Refused, Use, Uses, begin_claims};
use super::depth::{Depth, is_inside};
use super::held_back::{hold_back, leak, may_not_wait};
use super::keeping::{kept_so_far, may_keep};
use super::table::{Beginner, By, Claim, Claims, UseEntry, is_any_barred, table};
use super::watching::is_watching;
use crate::callback::expected;
use crate::children::{self, HoldersGone, Id};
use crate::deferred;
use crate::fork::InChild;
use crate::interpreter::{ReentrancyGuard, attach_if_running};

/// Begins the uses by the release of a handle, or defers the release if a use is in its way: who has the handle leaves
/// its release to this module. Returns `None` if the release was deferred.
#[inline]
pub(crate) fn begin_release(id: Id) -> Option<Released> {
    match is_of_interest(id) {
        true => begin_if_unused(id),
        false => Some(Released { _uses: None }),
    }
}

/// The uses by a release, until it has ended.
#[derive(Debug)]
pub(crate) struct Released {
    _uses: Option<Uses>,
}

/// Begins the exclusive use of a tree by the release of its unlinked parts. Returns `None` if something uses the owner
/// or a part, or if a callback of the thread has a handle that may live in one: then the parts stay.
pub(crate) fn begin_release_of_parts(owner: Id) -> Option<Released> {
    match is_of_interest(owner) {
        true => begin_exclusive(owner),
        false => Some(Released { _uses: None }),
    }
}

#[cold]
fn begin_exclusive(owner: Id) -> Option<Released> {
    let uses = loop {
        let kept = kept_so_far();
        let mut claims = Claims::new();
        Use::noted(owner, true).claim(&mut claims);
        match begin_claims(&claims, Beginner::here(By::Release), kept, &mut None) {
            Err(Refused::Changed) => {}
            Err(_) => return None,
            Ok(uses) => break uses,
        }
    };
    let is_held_back = table().has_stray(Depth::here());
    (!is_held_back).then_some(Released { _uses: Some(uses) })
}

/// Returns whether the table may know a use that is in the way of a release.
#[inline]
fn is_of_interest(id: Id) -> bool {
    may_keep() || is_watching() || id.kind().meets_counted() || expected::may_lend()
}

fn begin_if_unused(id: Id) -> Option<Released> {
    let released = |uses| Some(Released { _uses: Some(uses) });
    if let Ok(uses) = begin_if_free(id) {
        return released(uses);
    }
    if may_not_wait(id) {
        leak(id);
        return None;
    }
    children::note_deferred(id);
    if hold_back(id) {
        return None;
    }
    loop {
        // Who ends a use looks at the list afterwards. So what is in the way now may end before the release is there.
        let (ends, held) = ended_so_far();
        let own_ends = match begin_if_free(id) {
            Ok(uses) => return released(uses),
            Err(own_ends) => own_ends,
        };
        deferred::defer(id);
        // From here on the release may be another thread's, and the handle may be gone.
        if ended_so_far() == (ends + own_ends, held) || !deferred::take_back(id) {
            return None;
        }
    }
}

/// Returns numbers of which one changes when something ends that a release may wait for.
fn ended_so_far() -> (u64, usize) {
    (table().ends(), children::held())
}

/// Begins the uses by the release of a handle, unless something is in its way.
///
/// # Errors
///
/// The number of uses that ended with this look.
fn begin_if_free(id: Id) -> Result<Uses, u64> {
    // The claims before the look at the holders: a call that makes a holder is in the table until the holder is known.
    let uses = loop {
        let kept = kept_so_far();
        if let Some(uses) = begin_unless_used(id, kept) {
            break uses.ok_or(0_u64)?;
        }
    };
    let is_held = children::is_any_held() && !id.kind().is_counted() && children::is_held(id);
    match is_held {
        true => {
            uses.end();
            Err(1)
        }
        false => Ok(uses),
    }
}

/// Begins the uses by the release of a handle, unless something uses the handle, or uses exclusively what the handle
/// lives in. The release of one owner of a counted object is no use of the object, which the other owners have: it uses
/// what the object lives in.
///
/// Returns `None` if C got a handle to keep since it had got `kept` of them: `id` may live in others by now.
fn begin_unless_used(id: Id, kept: u64) -> Option<Option<Uses>> {
    let kind = id.kind();
    let own = Claim::of(id, true);
    let mut all = Claims::new();
    Use::noted(id, true).leaving().claim(&mut all);
    let ancestors = &all[1..];
    let depth = Depth::here();
    let uses = |entry: &UseEntry| {
        let is_in_way = match entry.by {
            // A call on a counted object has an owner of its own.
            By::Call | By::Barring => !own.is_counted(),
            // C's release sees to C's own threads, and may wait for them.
            By::Callback => entry.depth.thread == depth.thread,
            By::Release | By::Keeping | By::Owning => false,
        };
        let is_lent_of = |claim: &Claim| entry.claim.may_be_lent_of(claim);
        let is_callback_s = entry.by == By::Callback && entry.depth.thread == depth.thread;
        (entry.is_of_object(&own) || is_lent_of(&own)) && is_in_way
            || !own.is_counted() && entry.may_bar(&own)
            || ancestors.iter().any(|claim| entry.may_bar(claim))
            || entry.claim.exclusive
                && (entry.claim.viewed || entry.depth.is_left_by(depth))
                && ancestors.iter().any(|claim| entry.meets(claim) || is_lent_of(claim))
            // With the handle goes an owner of a counted object, which may be the last.
            || is_callback_s && ancestors.iter().any(|claim| claim.is_counted() && is_lent_of(claim))
    };
    let mut table = table();
    if kept != kept_so_far() {
        return None;
    }
    let may_be_used = is_any_barred()
        || table.may_hold(&own, true)
        || ancestors
            .iter()
            .any(|claim| table.may_hold(claim, claim.is_counted()));
    let is_used = may_be_used && table.entries().iter().any(uses) || table.has_stray(depth);
    Some((!is_used).then(|| {
        let claims = &mut all[usize::from(kind.is_counted())..];
        // The other objects of a group go on.
        for claim in &mut *claims {
            *claim = claim.without_group().releasing();
        }
        Uses::of(table.begin(claims, By::Release, depth))
    }))
}

inventory::submit! { HoldersGone(release_deferred) }

/// Runs the releases that waited for a use that has ended.
#[inline]
pub(crate) fn release_deferred() {
    if deferred::is_any_waiting() {
        release_waiting();
    }
}

#[cold]
fn release_waiting() {
    let here = thread::current().id();
    for (id, thread) in deferred::take_all() {
        let is_anyones = !id.kind().is_thread_bound();
        // Another thread takes it over between its calls: C may wait for the end of a callback of that thread.
        match thread == here || is_anyones && !is_inside() {
            true => deferred::release(id),
            false => {
                LEFT.set(LEFT.get() || is_anyones);
                deferred::defer_again((id, thread));
            }
        }
    }
}

thread_local! {
    /// Set if a call in a callback of this thread left releases that any thread may run.
    static LEFT: Cell<bool> = const { Cell::new(false) };
}

/// Leaves the releases that wait to the end of the callbacks of this thread ([`AtCallbackEnd`]).
pub(super) fn leave_waiting() {
    if deferred::is_any_waiting() {
        LEFT.set(true);
    }
}

/// Set while a thread is being started that looks at the releases that were left.
static STARTING: AtomicBool = AtomicBool::new(false);

inventory::submit! { InChild(|| STARTING.store(false, Ordering::Release)) }

/// The end of a callback outside of calls, as on a thread of C's own: no call of the thread runs the releases that
/// waited for the calls of the callback, or for the end of one that is `exclusive`. When this is dropped, a thread of
/// its own runs them, since C may wait for the end of this one.
pub(crate) struct AtCallbackEnd;

impl Drop for AtCallbackEnd {
    #[inline]
    fn drop(&mut self) {
        if LEFT.get() && !is_inside() {
            start_releases();
        }
    }
}

#[cold]
fn start_releases() {
    LEFT.set(false);
    if STARTING.swap(true, Ordering::AcqRel) {
        return;
    }
    let started = thread::Builder::new().spawn(|| {
        STARTING.store(false, Ordering::Release);
        let _python = ReentrancyGuard::begin();
        attach_if_running(release_deferred);
    });
    if started.is_err() {
        // The next call of another thread runs them.
        STARTING.store(false, Ordering::Release);
    }
}

/// The end of a call: releases that waited for it run when this is dropped.
#[derive(Debug)]
pub(crate) struct AtEnd;

impl Drop for AtEnd {
    #[inline]
    fn drop(&mut self) {
        release_deferred();
    }
}
