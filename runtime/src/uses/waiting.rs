//! Waiting for the end of another thread's use: a call from Python waits for that as it waits for the borrow of a handle.
//!
//! A thread that waits holds no entry of the table and runs no callback, so nothing waits for it in turn.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::depth::{Depth, is_inside};
use super::table::{By, Claim, ENDED, Table, WAITING, table};
use crate::error::Result;
use crate::interpreter::{detach, handles_signals, may_wait, run_signal_handlers};

const SIGNALS_EVERY: Duration = Duration::from_millis(20);

/// Returns whether this thread may wait for the uses that exclude the claim: only calls of other threads are in the way, and
/// nobody waits for this one.
#[cold]
pub(super) fn may_wait_for(table: &Table, claim: &Claim, depth: Depth) -> bool {
    let all = table.entries().iter();
    let mut in_way = all
        .clone()
        .filter(|entry| entry.excludes(claim, By::Call, depth));
    let mut own = all
        .clone()
        .filter(|entry| entry.depth.thread == depth.thread);
    may_wait()
        && !is_inside()
        && own.next().is_none()
        && in_way.all(|entry| entry.by != By::Callback)
}

/// Waits for a short time, at most until a use ends. `ends` is the number of uses that had ended when one was in the way.
///
/// # Errors
///
/// What a signal handler raised meanwhile.
pub(super) fn wait(ends: u64) -> Result<()> {
    detach(|| {
        let table = table();
        WAITING.fetch_add(1, Ordering::Relaxed);
        if table.ends() == ends {
            let waited = ENDED.wait_timeout(table, SIGNALS_EVERY);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
        }
        WAITING.fetch_sub(1, Ordering::Relaxed);
    });
    match handles_signals() {
        true => run_signal_handlers(),
        false => Ok(()),
    }
}
