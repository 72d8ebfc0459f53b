//! The check that the handles of a call from Python live in the same ancestor, by what the Python objects keep.

use std::ptr;

use super::borrow_request::BorrowRequest;
use super::state::HandleState;
use crate::children::{LivesInOthers, compare_all};
use crate::error::Error;
use crate::handle::kind::HandleKind;

/// Checks each pair of handles of a call. A set bit in `foreign` exempts the handle at that index.
#[inline(never)]
pub(super) fn check(requests: &[Option<BorrowRequest<'_>>], foreign: u32) -> Result<(), Error> {
    let mut handles = requests.iter().enumerate().filter_map(|(index, request)| {
        let exempt = index < 32 && foreign & (1 << index) != 0;
        request
            .as_ref()
            .filter(|_| !exempt)
            .map(BorrowRequest::state)
    });
    while let Some(first) = handles.next() {
        handles
            .clone()
            .try_for_each(|other| compare_all(first, other))?;
    }
    Ok(())
}

impl LivesInOthers for &HandleState {
    fn kind(self) -> &'static HandleKind {
        HandleState::kind(self)
    }

    fn is(self, other: Self) -> bool {
        ptr::eq(self, other)
    }

    fn parents(self) -> impl Iterator<Item = Self> {
        HandleState::parents(self)
    }
}
