//! Critical section of a call and its error, on free-threaded Python. No other call that needs the GIL elsewhere may
//! run on the same handles meanwhile, nor come between a failed call and the question to C what went wrong.
//!
//! With a GIL, no other call with the GIL comes between, and a detached call is refused at compile time
//! (`asks_handle`). Without a GIL, a critical section of the outermost handle excludes other calls on handles that live
//! in it. A critical section is given up while the thread waits or is detached, as the GIL is, so it cannot deadlock.
//! Where a call in a `#[detach]` body or in a callback attaches the thread again, the section is entered again, too.

use pyo3::prelude::*;

use super::borrow_request::BorrowRequest;

/// Runs `call`, which uses the handles of `requests`.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub(super) fn one_step<R>(
    _: Python<'_>,
    _: &[Option<BorrowRequest<'_>>],
    call: impl FnOnce() -> R,
) -> R {
    call()
}

/// Runs `call`, which uses the handles of `requests`. Meanwhile no other call runs on handles with the same outermost
/// handles, unless one of the two is detached.
#[cfg(Py_GIL_DISABLED)]
pub(super) fn one_step<R>(
    py: Python<'_>,
    requests: &[Option<BorrowRequest<'_>>],
    call: impl FnOnce() -> R,
) -> R {
    use pyo3::sync::critical_section::{with_critical_section, with_critical_section2};

    let mut roots = requests
        .iter()
        .flatten()
        .filter_map(|request| request.root(py));
    let Some(first) = roots.next() else {
        return call();
    };
    // Handles of one call have their common ancestors in common, so a second root is rare, and a third is not looked
    // for.
    match roots.find(|root| !root.is(&first)) {
        None => with_critical_section(&first, call),
        Some(second) => with_critical_section2(&first, &second, call),
    }
}
