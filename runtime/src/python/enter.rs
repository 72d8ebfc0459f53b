//! The borrows of all handles of a call.
//!
//! If a handle refuses, the call releases the borrows of the others before it waits, so two calls never hold borrows
//! that the other one waits for.
//!
//! Calls that wait for a handle take turns, in the order in which they came: a waiting exclusive borrow bars new shared
//! borrows, and a waiting shared borrow bars new exclusive ones. A call waits in one queue at a time, so two calls
//! never bar each other. A thread that must not wait passes the queue.

use std::ptr;

use pyo3::prelude::*;

use super::ancestors::Refused;
use super::borrow_request::{BorrowRequest, Mode};
use super::exceptions::to_pyerr;
use super::handle_class::HandleClass;
use super::state::ResourceState;
use super::waiting::Place;
use crate::error::Error;

/// The number of handles that a call may have, with its receiver.
pub(super) const AT_MOST: usize = 9;

/// Borrowed handles. The drop releases the borrows.
pub(super) struct BorrowGuards<'a>(pub(super) &'a [Option<BorrowRequest<'a>>]);

impl Drop for BorrowGuards<'_> {
    #[inline]
    fn drop(&mut self) {
        match self.0 {
            [None] => {}
            [Some(request)] => request.release(),
            requests => requests
                .iter()
                .rev()
                .flatten()
                .for_each(BorrowRequest::release),
        }
    }
}

/// Borrows all handles. Returns `None` if another owner adopted one of them during the wait: make the requests anew.
#[inline]
pub(super) fn enter<'a>(
    py: Python<'_>,
    requests: &'a [Option<BorrowRequest<'a>>],
) -> PyResult<Option<BorrowGuards<'a>>> {
    // Most calls have one handle, which nothing else uses.
    match requests {
        [None] => {}
        [Some(request)] if request.enter_quick() => {}
        [Some(request)] if request.is_free() && request.enter(|_| false).is_ok() => {}
        [_, _, ..] if enter_all_quick(requests) => {}
        _ => return enter_all(py, requests),
    }
    Ok(Some(BorrowGuards(requests)))
}

/// Borrows all handles, if one load of the borrow state of each suffices.
#[inline]
fn enter_all_quick(requests: &[Option<BorrowRequest<'_>>]) -> bool {
    for (index, request) in requests.iter().enumerate() {
        if request
            .as_ref()
            .is_some_and(|request| !request.enter_quick())
        {
            let entered = requests[..index].iter().rev().flatten();
            entered.for_each(BorrowRequest::release);
            return false;
        }
    }
    true
}

#[inline(never)]
fn enter_all<'a>(
    py: Python<'_>,
    requests: &'a [Option<BorrowRequest<'a>>],
) -> PyResult<Option<BorrowGuards<'a>>> {
    for request in requests.iter().flatten() {
        request
            .state
            .check_owner()
            .map_err(|error| to_pyerr(py, error))?;
    }
    // Keeps the resources alive during the wait, because another thread may let another owner adopt a part. Declared
    // before `place`, so it is dropped after it.
    let mut waited_for = None;
    let mut place: Option<Place<'_>> = None;
    loop {
        // A thread that must not wait may be inside of a call that those in the queue wait for.
        let passes = |state: &ResourceState| {
            !state.may_wait() || place.as_ref().is_some_and(|place| place.passes(state))
        };
        let Err((wanted, at, refusal)) = try_enter(requests, &passes) else {
            return Ok(Some(BorrowGuards(requests)));
        };
        if refusal == Refused::Closed || wanted.resource.borrow_state.is_closing() {
            let error = match wanted.state {
                stale if stale.is_stale() => Error::Stale(stale.kind().name()),
                closed if closed.is_closed() => Error::Closed(closed.kind().name()),
                _ => Error::Closed(at.kind().name()),
            };
            return Err(to_pyerr(py, error));
        }
        if refusal == Refused::Held {
            return Err(to_pyerr(py, at.held_error()));
        }
        if requests
            .iter()
            .flatten()
            .any(|request| excludes(request, at, requests))
        {
            return Err(to_pyerr(py, Error::Busy(at.kind().name())));
        }
        let exclusive = wanted.wants_exclusively(at);
        if exclusive && at.is_exported() {
            return Err(to_pyerr(py, Error::Exported(at.kind().name())));
        }
        waited_for.get_or_insert_with(|| resource_objects(py, requests));
        at.queue(py, &mut place, exclusive)?;
        if requests.iter().flatten().any(BorrowRequest::was_adopted) {
            return Ok(None);
        }
    }
}

/// Returns the Python objects of the resources that the handles are part of.
fn resource_objects<'py>(
    py: Python<'py>,
    requests: &[Option<BorrowRequest<'_>>],
) -> [Option<Bound<'py, HandleClass>>; AT_MOST] {
    let views = requests
        .iter()
        .flatten()
        .filter(|request| request.is_view());
    let mut objects = views.map(|request| request.resource_object(py));
    std::array::from_fn(|_| objects.next().flatten())
}

/// Returns whether the call's own requests exclude each other: `request` borrows `at` exclusively, and another request
/// also borrows `at`.
fn excludes(
    request: &BorrowRequest<'_>,
    at: &ResourceState,
    requests: &[Option<BorrowRequest<'_>>],
) -> bool {
    request.wants_exclusively(at)
        && requests
            .iter()
            .flatten()
            .any(|other| !ptr::eq(other, request) && !other.joined && other.uses(at))
}

fn try_enter<'a>(
    requests: &'a [Option<BorrowRequest<'a>>],
    passes: &impl Fn(&ResourceState) -> bool,
) -> Result<(), (&'a BorrowRequest<'a>, &'a ResourceState, Refused)> {
    for (index, request) in requests.iter().enumerate() {
        let Some(request) = request else { continue };
        if let Err((at, refusal)) = request.enter(passes) {
            requests[..index]
                .iter()
                .rev()
                .flatten()
                .for_each(BorrowRequest::release);
            return Err((request, at, refusal));
        }
    }
    Ok(())
}

/// Merges two exclusive borrows of one parent: by a handle that the call gives to C, and by the handle that C keeps it
/// in, or the parent itself.
pub(super) fn join_parents(requests: &mut [Option<BorrowRequest<'_>>]) {
    for index in 0..requests.len() {
        let given = requests[index]
            .and_then(|request| Some((request.parent_of_given()?, request.resource)));
        let Some((parent, given)) = given else {
            continue;
        };
        let (before, rest) = requests.split_at_mut(index);
        let Some(([Some(request)], after)) = rest.split_at_mut_checked(1) else {
            continue;
        };
        let mut others = before.iter_mut().chain(after).flatten();
        if others.any(|other| other.borrow_parent_for(parent, given)) {
            request.leave_parent();
        }
    }
}

/// Merges the requests of each group, so that one of them borrows the group for all. Two handles of one object still
/// exclude each other, unless both are borrowed shared.
pub(super) fn join_groups(requests: &mut [Option<BorrowRequest<'_>>]) {
    for index in 1..requests.len() {
        let (before, rest) = requests.split_at_mut(index);
        let Some(Some(request)) = rest.first_mut() else {
            continue;
        };
        let object = request.resource;
        if object.kind().group().is_none() {
            continue;
        }
        let same_group = |other: &&mut BorrowRequest<'_>| {
            !other.joined && ptr::eq(other.resource.lock_owner(), object.lock_owner())
        };
        let Some(first) = before.iter_mut().flatten().find(same_group) else {
            continue;
        };
        let core = |state: &ResourceState| state.parent().map(ptr::from_ref);
        let exclusive = request.mode != Mode::Shared || first.mode != Mode::Shared;
        if exclusive && core(first.resource) == core(object) {
            continue;
        }
        request.joined = true;
        if request.mode != Mode::Shared {
            first.group_mode = Mode::Exclusive;
        }
    }
}

/// Merges the requests for the parts of one tree, and for its owner, if one of them is exclusive: a call that changes a
/// tree may have several parts of it. A body may also have views of parts, to which C's functions do not link parts. A
/// call that gets the owner as `Owned` may release the parts, so it has none.
pub(super) fn join_parts(requests: &mut [Option<BorrowRequest<'_>>], is_body: bool) {
    let is_in_tree = |request: &BorrowRequest<'_>| match is_body {
        true => request.is_in_tree(),
        false => request.is_tree_part(),
    };
    for index in 1..requests.len() {
        let (before, rest) = requests.split_at_mut(index);
        let Some(Some(request)) = rest.first_mut() else {
            continue;
        };
        let (owner, is_given) = (request.resource, request.given);
        let same_tree = |other: &&mut BorrowRequest<'_>| {
            !(other.joined || other.given || is_given)
                && ptr::eq(other.resource, owner)
                && match (is_in_tree(other), is_in_tree(request)) {
                    (true, true) => true,
                    (true, false) => !request.is_view(),
                    (false, true) => !other.is_view(),
                    (false, false) => false,
                }
        };
        let Some(first) = before.iter_mut().flatten().find(same_tree) else {
            continue;
        };
        if request.mode == Mode::Shared && first.group_mode == Mode::Shared {
            continue;
        }
        request.joined = true;
        if request.mode != Mode::Shared {
            first.group_mode = Mode::Exclusive;
        }
    }
}
