//! The check that the handles of one call belong together: if the types of two arguments have a common ancestor type,
//! both live in the same ancestor. For example, C looks up a database's number in the environment of the transaction,
//! not in the environment that made the number.

use std::ptr;

use super::borrow_request::BorrowRequest;
use super::state::HandleState;
use crate::error::Error;

/// Checks each handle of a call against the first one, which is the receiver where there is one. A set bit in `foreign`
/// exempts the handle at that index.
#[inline(never)]
pub(super) fn check(requests: &[Option<BorrowRequest<'_>>], foreign: u32) -> Result<(), Error> {
    let mut handles = requests.iter().enumerate().filter_map(|(index, request)| {
        let exempt = index < 32 && foreign & (1 << index) != 0;
        request
            .as_ref()
            .filter(|_| !exempt)
            .map(BorrowRequest::state)
    });
    let Some(first) = handles.next() else {
        return Ok(());
    };
    handles.try_for_each(|other| check_pair(first, other))
}

fn check_pair(first: &HandleState, other: &HandleState) -> Result<(), Error> {
    match find_stranger(first, other, other) {
        None => Ok(()),
        Some(ancestor) => Err(Error::Value(format!(
            "the {} belongs to another {} than the {}",
            other.kind().name(),
            ancestor.kind().name(),
            first.kind().name(),
        ))),
    }
}

/// Returns the innermost ancestor of `other`, from `at` outwards, whose type is the type of an ancestor of `first`,
/// unless it is the same handle.
fn find_stranger<'a>(
    first: &HandleState,
    other: &HandleState,
    at: &'a HandleState,
) -> Option<&'a HandleState> {
    if at.kind().is_counted() {
        return None;
    }
    let same_level = ptr::eq(at, other);
    match relation(first, at, same_level, true) {
        Relation::Same => None,
        Relation::Stranger => Some(at),
        Relation::None => at
            .parents()
            .find_map(|parent| find_stranger(first, other, parent)),
    }
}

enum Relation {
    /// No ancestor of the first handle has this type.
    None,
    /// The handle is the first handle or one of its ancestors.
    Same,
    /// The first handle's ancestors of this type are others.
    Stranger,
}

/// Compares `at` with `here` and its ancestors. Two handles of one type are compared by their ancestors, not with each
/// other.
fn relation(here: &HandleState, at: &HandleState, is_argument: bool, is_first: bool) -> Relation {
    if ptr::eq(here, at) {
        return Relation::Same;
    }
    let mut found = match ptr::eq(here.kind(), at.kind()) && !(is_argument && is_first) {
        true => Relation::Stranger,
        false => Relation::None,
    };
    for parent in here.parents() {
        match relation(parent, at, is_argument, false) {
            Relation::Same => return Relation::Same,
            Relation::Stranger => found = Relation::Stranger,
            Relation::None => {}
        }
    }
    found
}
