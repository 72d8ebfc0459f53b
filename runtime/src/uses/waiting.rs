//! Waiting for the end of another thread's use: a call from Python waits for that as it waits for the borrow of a
//! handle.
//!
//! A thread that waits holds no entry of the table and runs no callback, so nothing waits for it in turn. The exception
//! is a thread that waits for the end of an `exclusive` callback as for a lock (`locks`): that callback waits for no
//! use.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::depth::{Depth, is_inside};
use super::locks;
use super::table::{Beginner, By, Claim, ENDED, Table, WAITING, Waiting, table};
use crate::error::Result;
use crate::interpreter::{detach, handles_signals, may_wait, run_signal_handlers};

/// The turn of a call that waits, until this is dropped. Calls that wait for one object take turns: those that came
/// later wait for those that came before.
pub(super) struct Turn(u64);

impl Turn {
    /// Queues the call, or what it claims by now.
    pub(super) fn queue(
        turn: &mut Option<Turn>,
        table: &mut Table,
        claims: &[Claim],
        depth: Depth,
    ) {
        let claims = claims.to_vec();
        let number = turn.get_or_insert_with(|| Turn(table.next_number())).0;
        match table.waiting.iter_mut().find(|one| one.turn == number) {
            Some(waiting) => waiting.claims = claims,
            None => table.waiting.push(Waiting {
                turn: number,
                thread: depth.thread,
                claims,
            }),
        }
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut table = table();
        table.waiting.retain(|one| one.turn != self.0);
        table.note_end();
    }
}

/// Returns whether a call has to wait for those that wait already. A thread that must not wait passes them, and so does
/// one that waits already and runs a signal handler meanwhile: others may wait for it.
#[cold]
pub(super) fn comes_later(
    table: &Table,
    turn: Option<&Turn>,
    claims: &[Claim],
    depth: Depth,
) -> bool {
    let excludes =
        |one: &Claim, other: &Claim| one.meets(other) && (one.exclusive || other.exclusive);
    let is_before = |one: &&Waiting| turn.is_none_or(|turn| one.turn < turn.0);
    let mut before = table.waiting.iter().filter(is_before);
    let is_this_thread =
        |one: &Waiting| one.thread == depth.thread && turn.is_none_or(|turn| turn.0 != one.turn);
    before.any(|one| {
        one.claims
            .iter()
            .any(|one| claims.iter().any(|claim| excludes(one, claim)))
    }) && !table.waiting.iter().any(is_this_thread)
        && may_wait_here(table, depth)
}

const SIGNALS_EVERY: Duration = Duration::from_millis(20);

/// Returns whether this thread may wait for the uses that exclude the claim: only calls of other threads are in the
/// way, and nobody waits for this one. A call that enters a lock of the library's may wait in any case where only
/// callbacks are in the way whose threads hold one.
#[cold]
pub(super) fn may_wait_for(table: &Table, claim: &Claim, call: Beginner) -> bool {
    let all = table.entries().iter();
    let mut in_way = all.filter(|entry| entry.excludes(claim, call));
    if call.enters_lock && !locks::is_held() {
        let mut in_way = in_way.clone();
        if in_way.all(|entry| entry.is_locked_elsewhere(call)) {
            return true;
        }
    }
    may_wait_here(table, call.depth)
        && in_way.all(|entry| !matches!(entry.by, By::Callback | By::Keeping | By::Owning))
}

/// Returns whether nobody waits for this thread.
fn may_wait_here(table: &Table, depth: Depth) -> bool {
    let mut all = table.entries().iter();
    may_wait() && !is_inside() && all.all(|entry| entry.depth.thread != depth.thread)
}

/// Returns whether this thread may wait, and calls or releases of other threads run that it can wait for.
#[cold]
pub(super) fn may_wait_for_others() -> bool {
    let (table, depth) = (table(), Depth::here());
    let mut all = table.entries().iter();
    may_wait_here(&table, depth) && all.any(|entry| matches!(entry.by, By::Call | By::Release))
}

/// Waits for a short time, at most until a use ends.
///
/// # Errors
///
/// What a signal handler raised meanwhile.
pub(super) fn wait_for_any() -> Result<()> {
    let ends = table().ends();
    wait(ends)
}

/// Waits for a short time, at most until a use ends. `ends` is the number of uses that had ended when one was in the
/// way.
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
