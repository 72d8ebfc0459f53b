//! One evaluation at a time on a document that refers to entities, for libxml2 2.13 and newer.
//!
//! These versions mark an entity during its expansion. They take the mark of another thread for a loop, and leave out
//! the text. A thread that waits for its turn handles signals. A turn that the parent process held at a fork is over in
//! the child process.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use leakproof::prelude::*;
use leakproof::pyo3::Python;

use crate::document::Document;

/// The process that has the turn, or 0.
#[derive(Default)]
struct Turn(AtomicU32);

impl Attachment for Turn {}

thread_local! {
    /// The number of turns that this thread has.
    static MINE: Cell<u32> = const { Cell::new(0) };
}

/// Ends the turn when dropped.
pub(crate) struct TurnGuard<'d>(&'d Turn);

impl Drop for TurnGuard<'_> {
    fn drop(&mut self) {
        self.0.0.store(0, Ordering::Release);
        MINE.set(MINE.get() - 1);
    }
}

/// Prepares a document after parsing.
pub(crate) fn prepare(document: &Document) {
    if document.internal_subset().is_some() {
        attach(document, Turn::default());
    }
}

/// Waits for the turn, if the document needs one.
pub(crate) fn wait(document: &Document) -> Result<Option<TurnGuard<'_>>> {
    let Some(turn) = attached::<Turn, _>(document) else {
        return Ok(None);
    };
    let here = std::process::id();
    loop {
        let holder = turn.0.load(Ordering::Relaxed);
        let free = holder != here;
        if free
            && turn
                .0
                .compare_exchange(holder, here, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
        {
            MINE.set(MINE.get() + 1);
            return Ok(Some(TurnGuard(turn)));
        }
        if MINE.get() > 0 {
            // A signal handler runs beside an evaluation of this thread, and would wait for that evaluation.
            return Err(Error::Busy("Document"));
        }
        leakproof::detach(|| std::thread::sleep(Duration::from_millis(1)));
        Python::attach(|py| py.check_signals())?;
    }
}
