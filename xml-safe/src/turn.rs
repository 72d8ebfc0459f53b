//! One evaluation at a time on a document that refers to entities, for libxml2 2.13 and newer.
//!
//! These versions mark an entity while they expand it, and take the mark of another thread for a loop: text would be left
//! out. Whoever waits for a turn sees signals, and a turn that another process had when this one was forked is over.

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
    /// How many turns this thread has.
    static MINE: Cell<u32> = const { Cell::new(0) };
}

/// Ends the turn.
pub(crate) struct Ending<'d>(&'d Turn);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.0.store(0, Ordering::Release);
        MINE.set(MINE.get() - 1);
    }
}

/// Prepare a document that has just been parsed.
pub(crate) fn prepare(document: &Document) {
    if document.internal_subset().is_some() {
        attach(document, Turn::default());
    }
}

/// Wait for the turn, where a document needs one.
pub(crate) fn wait(document: &Document) -> Result<Option<Ending<'_>>> {
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
            return Ok(Some(Ending(turn)));
        }
        if MINE.get() > 0 {
            // A signal handler evaluates beside an evaluation of this thread, which may be what it would wait for.
            return Err(Error::Busy("Document"));
        }
        leakproof::detach(|| std::thread::sleep(Duration::from_millis(1)));
        Python::attach(|py| py.check_signals())?;
    }
}
