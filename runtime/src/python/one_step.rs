//! A call and the question what went wrong, as one step, on free-threaded Python.
//!
//! With a GIL no call comes between that holds it, and a detached one is refused while compiling (`asking`). Without a GIL
//! a critical section of the outermost handle keeps other calls on what lives in that away. As the GIL, it is given up
//! while the thread waits or is detached, so that it cannot deadlock.

use pyo3::prelude::*;

use super::call::BorrowRequest;

/// Runs `call`, which uses the handles of `holds`.
#[cfg(not(Py_GIL_DISABLED))]
#[inline(always)]
pub(super) fn one_step<R>(
    _: Python<'_>,
    _: &[Option<BorrowRequest<'_>>],
    call: impl FnOnce() -> R,
) -> R {
    call()
}

/// Runs `call`, which uses the handles of `holds`, while no other call on asked handles of the same outermost handles runs.
#[cfg(Py_GIL_DISABLED)]
pub(super) fn one_step<R>(
    py: Python<'_>,
    holds: &[Option<BorrowRequest<'_>>],
    call: impl FnOnce() -> R,
) -> R {
    use pyo3::sync::critical_section::{with_critical_section, with_critical_section2};

    let asked = holds
        .iter()
        .flatten()
        .filter(|hold| hold.state().kind().is_asked());
    let mut roots = asked.filter_map(|hold| hold.root(py));
    let Some(first) = roots.next() else {
        return call();
    };
    // Handles of one call have their common ancestors in common, so a second root is rare, and a third is not looked for.
    match roots.find(|root| !root.is(&first)) {
        None => with_critical_section(&first, call),
        Some(second) => with_critical_section2(&first, &second, call),
    }
}
