//! Handles that nothing uses while a callback runs that is `exclusive`: C may have them in pieces. They are those that
//! the callback belongs to, what an exclusive use of these uses exclusively, such as the owner of a part, and the
//! handles that C keeps them in or lends them by.
//!
//! The call that C calls back in uses such a handle itself, and goes on when the callback has returned. So what began
//! before the callback is no reason to refuse the callback. What the callback got from C is its own.

use super::call::Uses;
use super::depth::Depth;
use super::release::leave_waiting;
use super::table::{By, Claim, Claims, table};
use super::views::other_types;
use super::watching::watch;
use crate::children;
use crate::handle::kind::Id;

/// The time of an `exclusive` callback, until this is dropped: no use of its handles begins.
#[derive(Debug)]
pub(crate) struct Barred {
    _uses: Uses,
}

impl Barred {
    /// Bars the handles for the callback that this thread is about to run.
    pub(crate) fn begin(handles: &[Id]) -> Self {
        watch();
        let others = handles.iter().copied().flat_map(other_types);
        let handles: Vec<Id> = handles.iter().copied().chain(others).collect();
        let barred = children::used_alone_with(&handles).into_iter();
        let mut claims: Claims = barred.map(claim).collect();
        // What is known to be barred gives an error its name.
        claims.sort_by_key(Claim::is_unplaced);
        let number = table().begin(&claims, By::Barring, Depth::here().around());
        Barred {
            // When the callback has returned, C still has the handles in pieces.
            _uses: Uses::of(number).quietly(),
        }
    }
}

/// The claim on a handle that is barred.
fn claim(id: Id) -> Claim {
    let kind = id.kind();
    let is_unplaced = match kind.hidden_resource_kind() {
        Some(owner) => owner.is_lent_to_callbacks() || owner.is_callback_only(),
        None if kind.is_callback_only() => !children::at_address(id.raw())
            .into_iter()
            .any(children::is_placed),
        None => kind.is_lent_to_callbacks() && !children::is_placed(id),
    };
    let claim = Claim::of(id, true);
    match is_unplaced {
        true => claim.unplaced(),
        false => claim,
    }
}

impl Drop for Barred {
    fn drop(&mut self) {
        // Where no call runs that C calls back in, nobody else would run them.
        leave_waiting();
    }
}
