//! The author's code that runs while a call uses its handles: expressions in `when(…)` and `len`, and what
//! `ErrorSource` does before C is called. Expressions in `args` and `fields` run before that.
//!
//! Such code may use what the call uses, by `&`: it sees the same handles. It does not use them exclusively, by another
//! owner of a counted object or a handle that C lends, because C is about to use them, or has just lent what lies in
//! them. It edits no tree: a [`Tree`](crate::Tree) gives that out several times, and the table of uses does not know a
//! call that is quiet.
//!
//! What words the error of a call runs when everything has its owner, as expressions in `args` and `fields` run before
//! the uses. Nothing is out of bounds for these but to wait for a handle, which the call itself may borrow: closing one
//! that is in use raises `BusyError`, as in a method with a body. Neither does the other code wait.

use std::cell::Cell;

use crate::restore_guard::RestoreGuard;

/// The code may not use exclusively what the call uses.
const WITHIN: u8 = 1;
/// The call still borrows its handles.
const BORROWS: u8 = 2;

thread_local! {
    /// What this thread runs of such code.
    static RUNS: Cell<u8> = const { Cell::new(0) };
}

/// The time in which this thread runs such code.
#[doc(hidden)]
#[derive(Debug)]
pub struct AuthorCode {
    _outer: RestoreGuard<u8>,
}

impl AuthorCode {
    /// Begins the time.
    #[must_use = "it ends when this is dropped"]
    pub fn begin() -> Self {
        AuthorCode {
            _outer: RestoreGuard::set(&RUNS, WITHIN | BORROWS),
        }
    }

    /// Begins the time before the uses of the call, or after them.
    #[must_use = "it ends when this is dropped"]
    pub fn beside_uses() -> Self {
        AuthorCode {
            _outer: RestoreGuard::set(&RUNS, RUNS.get() | BORROWS),
        }
    }
}

/// Returns whether this thread runs such code.
#[inline]
pub(crate) fn runs_author_code() -> bool {
    RUNS.get() & WITHIN != 0
}

/// Returns whether this thread runs code of the author's in a call that still borrows its handles.
#[inline]
#[cfg(feature = "python")]
pub(crate) fn is_borrowing() -> bool {
    RUNS.get() & BORROWS != 0
}
