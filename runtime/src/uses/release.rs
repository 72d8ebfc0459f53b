//! Releases, and the uses that are in their way.
//!
//! A release of a handle is put off while something uses the handle, while something uses exclusively what the handle lives
//! in, and while another child holds that. It runs when that use has ended ([`deferred`](crate::deferred)).

use std::thread;

use super::depth::{Depth, is_inside};
use super::table::{By, Claim, Entry, table};
use super::watching::is_watching;
use super::{Use, Uses};
use crate::callback::expected;
use crate::children::{self, HoldersGone, Id};
use crate::deferred;
use crate::fork::watch_forks;

/// The uses by the release of a handle, which asks [`put_off_release`] before. The release of one owner of a counted object
/// is no use of the object, which the other owners have: it uses what the object lives in.
pub(crate) fn releasing(id: Id) -> Option<Uses> {
    expected::is_expected().then(|| {
        let mut claims = Vec::new();
        let used = Use {
            id,
            exclusive: true,
            reads_parent: false,
            handle: std::marker::PhantomData,
        };
        used.claim(&mut claims);
        let own = usize::from(id.kind().is_counted());
        // The other objects of a group go on.
        let claims = claims.into_iter().skip(own).map(Claim::without_group);
        let claims: Vec<_> = claims.collect();
        watch_forks();
        table().begin(&claims, By::Release, Depth::here())
    })
}

/// Puts the release of the handle off if a use is in its way: who has the handle leaves its release to this module. Returns
/// false if the handle can be released now.
#[inline]
pub(crate) fn put_off_release(id: Id) -> bool {
    is_watching() && put_off_if_used(id)
}

fn put_off_if_used(id: Id) -> bool {
    if !is_in_use(id) {
        return false;
    }
    deferred::defer(id);
    true
}

/// Returns whether something uses the handle, or uses exclusively what the handle lives in, or a child holds that.
fn is_in_use(id: Id) -> bool {
    let kind = id.kind();
    if children::is_any_held() && !kind.is_counted() && children::is_held(id) {
        return true;
    }
    let depth = Depth::here();
    let own = Claim::of(id, true);
    let ancestors: Vec<Claim> = match kind.has_relatives() {
        true => children::ancestors(id),
        false => Vec::new(),
    }
    .into_iter()
    .map(|id| Claim::of(id, false))
    .collect();
    let uses = |entry: &Entry| {
        let is_in_way = match entry.by {
            // A call on a counted object has an owner of its own.
            By::Call => !own.counted,
            // C's release sees to C's own threads, and may wait for them.
            By::Callback => entry.depth.thread == depth.thread,
            By::Release => false,
        };
        entry.claim.object == own.object && is_in_way
            || entry.claim.exclusive
                && entry.depth.is_left_by(depth)
                && ancestors.iter().any(|claim| entry.claim.meets(claim))
    };
    let table = table();
    let may_be_used =
        table.may_hold(&own, true) || ancestors.iter().any(|claim| table.may_hold(claim, false));
    may_be_used && table.entries().iter().any(uses)
}

inventory::submit! { HoldersGone(release_put_off) }

/// Runs the releases that waited for a use that has ended.
#[inline]
pub(crate) fn release_put_off() {
    if deferred::is_any_waiting() {
        release_waiting();
    }
}

#[cold]
fn release_waiting() {
    let here = thread::current().id();
    for (id, thread) in deferred::take_all() {
        // Another thread takes it over between its calls: C may wait for the end of a callback of that thread.
        let is_ours = thread == here || !id.kind().is_thread_bound() && !is_inside();
        match is_ours {
            true => deferred::release(id),
            false => deferred::defer_again((id, thread)),
        }
    }
}

/// The end of a call: releases that waited for it run when this is dropped.
#[derive(Debug)]
pub(crate) struct AtEnd;

impl Drop for AtEnd {
    #[inline]
    fn drop(&mut self) {
        release_put_off();
    }
}
