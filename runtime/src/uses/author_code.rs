//! The author's code that runs while a call uses its handles: expressions in `when(…)` and `len`, and what
//! `ErrorSource` does before C is called. Expressions in `args` and `fields` run before that.
//!
//! Such code may use what the call uses, by `&`: it sees the same handles. It does not use them exclusively, by another
//! owner of a counted object or a handle that C lends, because C is about to use them, or has just lent what lies in
//! them. It edits no tree: a [`Tree`](crate::Tree) gives that out several times, and the table of uses does not know a
//! call that is quiet.

use std::cell::Cell;

use crate::restore_guard::RestoreGuard;

thread_local! {
    /// Set while this thread runs such code.
    static RUNS: Cell<bool> = const { Cell::new(false) };
}

/// The time in which this thread runs such code.
#[doc(hidden)]
#[derive(Debug)]
pub struct AuthorCode {
    _outer: RestoreGuard<bool>,
}

impl AuthorCode {
    /// Begins the time.
    #[must_use = "it ends when this is dropped"]
    pub fn begin() -> Self {
        AuthorCode {
            _outer: RestoreGuard::set(&RUNS, true),
        }
    }
}

/// Returns whether this thread runs such code.
#[inline]
pub(crate) fn runs_author_code() -> bool {
    RUNS.get()
}
