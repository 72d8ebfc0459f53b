//! The check that the handles of one call belong together: if the types of two arguments have a common ancestor type,
//! both live in the same ancestor. For example, C looks up a database's number in the environment of the transaction,
//! not in the environment that made the number.
//!
//! From Python, `python::same_ancestor` asks what the Python objects keep. Calls of C ask in which handles C made
//! theirs; a handle of which nobody knows that passes.

use std::ptr;
use std::sync::atomic::{AtomicU8, Ordering::Relaxed};

use smallvec::SmallVec;

use crate::children::ancestors::above;
use crate::children::table::with_table;
use crate::error::{Error, Result};
use crate::handle::kind::{HandleKind, Id};

/// Two arguments of a call, which have to live in the same ancestor if their types have one in common.
#[doc(hidden)]
#[derive(Debug)]
pub struct SameAncestor(AtomicU8);

const NO: u8 = 1;
const YES: u8 = 2;
/// Yes, and an ancestor of the first argument may have the type of the other one.
const WITHIN: u8 = 3;

impl SameAncestor {
    /// Returns the check, before it is known whether the types have a common ancestor.
    pub const fn new() -> Self {
        SameAncestor(AtomicU8::new(0))
    }

    /// Checks `other` against `first`; `None` for an argument that is not there, or no handle.
    ///
    /// # Errors
    ///
    /// `Error::Value` if the handles live in different ancestors.
    #[inline]
    pub fn check(&self, first: Option<Id>, other: Option<Id>) -> Result<()> {
        let (Some(first), Some(other)) = (first, other) else {
            return Ok(());
        };
        let is_shared = match self.0.load(Relaxed) {
            0 => self.compare(first.kind(), other.kind()),
            known => known,
        };
        match is_shared {
            NO => Ok(()),
            shared => check_pair(first, other, shared == WITHIN),
        }
    }

    /// Finds out whether the types have a common ancestor.
    #[cold]
    fn compare(&self, first: &'static HandleKind, other: &'static HandleKind) -> u8 {
        let is_shared = !other.is_counted() && has_common(first, other, true);
        let answer = match is_shared {
            false => NO,
            true if first.parents().any(|parent| is_within(parent, other)) => WITHIN,
            true => YES,
        };
        self.0.store(answer, Relaxed);
        answer
    }
}

impl Default for SameAncestor {
    fn default() -> Self {
        Self::new()
    }
}

/// Returns whether `first` is, or lives in, a handle of the kind `at`, or of one that `at` lives in.
fn has_common(first: &'static HandleKind, at: &'static HandleKind, is_argument: bool) -> bool {
    let is_found = match is_argument {
        // Two handles of one type are compared by what they live in.
        true => first.parents().any(|parent| is_within(parent, at)),
        false => is_within(first, at),
    };
    is_found || at.parents().any(|parent| has_common(first, parent, false))
}

fn is_within(kind: &'static HandleKind, within: &'static HandleKind) -> bool {
    ptr::eq(kind, within) || kind.parents().any(|parent| is_within(parent, within))
}

#[inline]
fn check_pair(first: Id, other: Id, may_be_within: bool) -> Result<()> {
    // Mostly both are parts of one handle, or one is part of the other.
    let owner = |id: Id| id.kind().is_view().then(|| above(id))?;
    let (up, up_other) = (owner(first), owner(other));
    if up.is_some() && up == up_other || up == Some(other) || up_other == Some(first) {
        return Ok(());
    }
    // Or one lives in the handle that the other one is part of. It lives in no part besides: parts are no parents.
    if up_other.is_some() && up_other == first_parent(first) {
        return Ok(());
    }
    // Nobody knows what the other part lives in: only the part itself could be another one than an ancestor.
    if up_other.is_none() && other.kind().is_view() && !may_be_within {
        return Ok(());
    }
    compare_all(first, other)
}

/// Returns the handle in which C made this one.
fn first_parent(id: Id) -> Option<Id> {
    match id.kind().is_view() {
        true => None,
        false => with_table(|table| table.get(&id)?.parents.first),
    }
}

/// A handle as the check sees it: what it lives in. From Python that is what the Python objects keep, in Rust what C
/// made the handle in.
pub(crate) trait LivesInOthers: Copy {
    /// Returns the facts of the type.
    fn kind(self) -> &'static HandleKind;

    /// Returns whether both are one handle.
    fn is(self, other: Self) -> bool;

    /// Returns the handles that it lives in, or is part of.
    fn parents(self) -> impl Iterator<Item = Self>;
}

impl LivesInOthers for Id {
    fn kind(self) -> &'static HandleKind {
        self.kind
    }

    fn is(self, other: Self) -> bool {
        self == other
    }

    fn parents(self) -> impl Iterator<Item = Self> {
        parents_of(self).into_iter()
    }
}

fn parents_of(id: Id) -> SmallVec<[Id; 2]> {
    if id.kind().is_view() {
        return above(id).into_iter().collect();
    }
    // Those in which C keeps a parent are no ancestors by the annotation.
    let is_declared = |parent: &&Id| id.kind().parents().any(|kind| ptr::eq(kind, parent.kind()));
    with_table(|table| {
        let parents = table.get(&id).map(|entry| &entry.parents);
        let parents = parents
            .into_iter()
            .flat_map(|it| it.first.iter().chain(&it.others));
        parents.filter(is_declared).copied().collect()
    })
}

/// Checks `other` against `first`.
///
/// # Errors
///
/// `Error::Value` if the handles live in different ancestors.
#[inline(never)]
pub(crate) fn compare_all<N: LivesInOthers>(first: N, other: N) -> Result<()> {
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
fn find_stranger<N: LivesInOthers>(first: N, other: N, at: N) -> Option<N> {
    if at.kind().is_counted() {
        return None;
    }
    match relation(first, at, at.is(other), true) {
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
/// other, and so are a part of a tree and what is part of another one.
fn relation<N: LivesInOthers>(here: N, at: N, is_argument: bool, is_first: bool) -> Relation {
    if here.is(at) {
        return Relation::Same;
    }
    let is_exempt = match at.kind().tree() {
        Some(_) => is_argument || is_first,
        None => is_argument && is_first,
    };
    let mut found = match ptr::eq(here.kind(), at.kind()) && !is_exempt {
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
