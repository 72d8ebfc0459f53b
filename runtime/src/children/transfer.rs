//! Handles that C is given, and gets out again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::mem::{self, ManuallyDrop};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use crate::children::ancestors::{Ids, ancestors, resource_of};
use crate::children::release::{Ended, release_parents, take_ended};
use crate::children::table::{
    End, HandleEntry, Table, add_end, all_keepers, all_within, next_number, remove_if_over,
    waits_for, with_table,
};
use crate::error::Error;
use crate::handle::kind::Id;
use crate::interpreter::report;
use crate::restore_guard::RestoreGuard;
use crate::uses::keeping::{kept_for_good, no_longer_kept, now_kept};
use crate::uses::owners::{self, left_to_c};
use crate::uses::table::is_lent_here;
use crate::uses::watching::watch_hidden;

/// Set once C lent a handle or was given one.
static ANY: AtomicBool = AtomicBool::new(false);

/// Notes that C lends a handle, or is given one.
pub(super) fn expect() {
    ANY.store(true, Relaxed);
}

/// Returns whether C was ever lent a handle or given one: then [`given_out`] looks closer.
#[inline]
pub(crate) fn is_any_transferred() -> bool {
    ANY.load(Relaxed)
}

/// Adds to the uses of running calls after C got `id` to keep, or something to keep in `id`.
pub(super) fn note_kept(id: Id) {
    let reached = ancestors(id);
    if reached.is_empty() {
        return;
    }
    let (keepers, is_for_good) = with_table(|table| {
        let mut keepers = all_keepers(table, [id].into_iter());
        keepers.insert(id);
        (keepers, is_kept_for_good(table, id))
    });
    now_kept(keepers.iter().copied(), reached.iter().copied());
    if is_for_good {
        let lives_in = reached.into_iter().filter(|id| !keepers.contains(id));
        let number = kept_for_good(lives_in);
        let former = with_table(|table| table.entry(id).or_default().for_good.replace(number));
        former.into_iter().for_each(no_longer_kept);
    }
}

/// Records that C keeps an owner of the counted object `owned` in `keeper`: calls on `keeper` then use the object.
/// Counted keepers record nothing: their types are `independent` or borrowed as one. If the end of the keeper is
/// unknown, any call may use the object.
pub(crate) fn keep_owner(owned: Id, keeper: Id) {
    let keeper = match resource_of(keeper) {
        Some(keeper) if keeper.kind.is_counted() => return,
        Some(keeper) if !is_lost(keeper) => keeper,
        _ => return left_to_c(owned),
    };
    keeper.kind.note_relatives();
    watch_hidden();
    with_table(|table| {
        table.note_linked(keeper);
        table.entry(keeper).or_default().owned.insert(owned);
    });
    note_kept(keeper);
}

/// Notes that C keeps a handle of ours in `keeper`, where its owner leaves it: calls on that one use the handle.
pub(crate) fn keep_ours(id: Id, keeper: Id) {
    let is_known = |table: &mut Table| table.contains_key(&id);
    if id.kind.has_relatives() && with_table(is_known) {
        expect();
        with_table(|table| add_end(table, id, End::With(keeper)));
        note_kept(id);
    }
}

/// Notes that C no longer keeps a handle of ours: the end of [`keep_ours`].
pub(crate) fn take_back(id: Id) {
    if id.kind.has_relatives() {
        let _same = giving_back();
        given_out(id);
    }
}

thread_local! {
    /// Set while the results of a call get their owners that C had before the call: `gives_back`.
    static GIVES_BACK: Cell<bool> = const { Cell::new(false) };
}

/// Marks that the results of a call get their owners, and that C had them before the call, until the guard is dropped.
pub(crate) fn giving_back() -> RestoreGuard<bool> {
    RestoreGuard::set(&GIVES_BACK, true)
}

/// Records that C returned `id` as `Owned`: a handle that C had, or a new one at that address. For a new one, C may
/// have moved what the former handle kept to that handle's keepers, so it also ends with them. `gives_back` states that
/// the handle is the former one.
#[cold]
pub(crate) fn given_out(id: Id) {
    // What is released at the end is nothing that the call gave back.
    let call = RestoreGuard::set(&GIVES_BACK, false);
    let is_same = call.previous();
    let (out, for_good) = with_table(|table| {
        add_other_type(table, id);
        let out = take_out(table, id, is_same);
        (out.unwrap_or_default(), no_longer_for_good(table, id))
    });
    // Before C's other uses of these end.
    out.left_to_c.into_iter().for_each(left_to_c);
    for_good.into_iter().for_each(no_longer_kept);
    note_kept(id);
    release_parents(&[], out.touched, false);
}

/// The consequences for others when C gives out a handle.
#[derive(Default)]
struct GivenOut {
    /// The parents whose release may have waited for the handle.
    touched: Ids,
    /// The counted objects whose owners C may have moved to where nobody knows when they end.
    left_to_c: BTreeSet<Id>,
}

/// Makes the handle ours.
fn take_out(table: &mut Table, id: Id, is_same: bool) -> Option<GivenOut> {
    let entry = table.get_mut(&id)?;
    entry.parents.inherit();
    (entry.is_transferred, entry.transfer, entry.is_unknown) = (false, None, false);
    entry.is_lent = false;
    let (kept, owned) = (entry.keeps.clone(), entry.owned.clone());
    let (former, touched) = (entry.ends.clone(), entry.parents.iter().collect());
    let mut out = GivenOut {
        touched,
        left_to_c: BTreeSet::new(),
    };
    let is_later = |end: &&End| !is_same && !matches!(end, End::Now(_));
    for end in former.iter().filter(is_later) {
        for kept in kept.iter().filter(|kept| !is_kept_by(end, **kept)) {
            add_end(table, *kept, *end);
        }
        match end {
            End::With(keeper) if keeper.kind.is_counted() => {}
            End::With(keeper) => {
                table.note_linked(*keeper);
                table
                    .entry(*keeper)
                    .or_default()
                    .owned
                    .extend(owned.iter().copied());
            }
            End::Now(_) | End::Never => out.left_to_c.extend(owned.iter().copied()),
        }
    }
    take_ends(table, id);
    Some(out)
}

/// Removes and returns the permanent uses (`for_good`) of `id`, and of what C keeps in it, that no longer apply.
fn no_longer_for_good(table: &mut Table, id: Id) -> Vec<u64> {
    let is_over = |id: &Id| !all_within(table, *id).any(|(id, _)| is_kept_for_good(table, id));
    let over: Vec<Id> = all_within(table, id)
        .map(|(id, _)| id)
        .filter(is_over)
        .collect();
    let for_good = |id: &Id| table.get_mut(id)?.for_good.take();
    over.iter().filter_map(for_good).collect()
}

/// Returns whether C was given the handle, or one that C keeps it in, until nobody knows when.
fn is_kept_for_good(table: &Table, id: Id) -> bool {
    let mut keepers = all_keepers(table, [id].into_iter());
    keepers.insert(id);
    let never_ends = |id: &Id| {
        let entry = table.get(id);
        entry.is_some_and(|entry| entry.is_transferred && entry.ends.contains(&End::Never))
    };
    keepers.iter().any(never_ends)
}

fn is_kept_by(end: &End, id: Id) -> bool {
    matches!(end, End::With(keeper) if *keeper == id)
}

/// Takes the handle from all that C keeps it in.
fn take_ends(table: &mut Table, id: Id) {
    let ends = table.get_mut(&id).map(|entry| mem::take(&mut entry.ends));
    for end in ends.into_iter().flatten() {
        if let End::With(keeper) = end {
            if let Some(entry) = table.get_mut(&keeper) {
                entry.keeps.remove(&id);
            }
            remove_if_over(table, keeper);
        }
    }
    remove_if_over(table, id);
}

/// Keeps what C has at the same address under another type as long as the handle: it may be the same object.
fn add_other_type(table: &mut Table, id: Id) {
    let is_pointer = |id: &Id| !id.kind.is_integer();
    if !is_pointer(&id) {
        return;
    }
    // Handles of one address are neighbors in the table.
    let is_same = |(other, _): &(&Id, &HandleEntry)| other.raw == id.raw;
    let before = table.range(..id).rev().take_while(is_same);
    let after = table.range(id..).take_while(is_same);
    let same = before
        .chain(after)
        .filter(|(other, entry)| **other != id && is_pointer(other) && entry.is_owned_by_c());
    let same: Vec<Id> = same.map(|(other, _)| *other).collect();
    for other in same {
        add_end(table, other, End::With(id));
    }
}

/// A handle that a call gives to C, from the look at what lives in it until it is known who has it. When it is dropped
/// C is done with the handle; when it is forgotten nobody knows.
#[derive(Debug)]
pub(crate) struct TransferRecord {
    id: Id,
    number: u64,
}

impl TransferRecord {
    /// Notes that a call gives the handle to C. `None` for one that lives in no other, and that C keeps nothing in.
    pub(crate) fn begin(id: Id) -> Option<Self> {
        expect();
        let number = next_number();
        with_table(|table| {
            let entry = table.get_mut(&id)?;
            let has_no_relatives = entry.parents.is_empty() && entry.keeps.is_empty();
            if has_no_relatives && entry.owned.is_empty() && !entry.is_ours {
                return None;
            }
            entry.transfer = Some(number);
            Some(TransferRecord { id, number })
        })
    }

    /// C left the handle where it was.
    pub(crate) fn restore(self) {
        let transfer = ManuallyDrop::new(self);
        with_table(|table| {
            if transfer.take(table) {
                table.entry(transfer.id).or_default().is_ours = transfer.id.kind.is_noted_as_ours();
                // C may have lent it meanwhile.
                take_ends(table, transfer.id);
            }
        });
    }

    /// Ends the transfer. Returns whether the handle did not come out again meanwhile.
    fn take(&self, table: &mut Table) -> bool {
        let entry = table
            .get_mut(&self.id)
            .filter(|entry| entry.transfer == Some(self.number));
        entry.is_some_and(|entry| {
            (entry.transfer, entry.is_ours) = (None, false);
            true
        })
    }

    /// C keeps the handle in `keepers`, or in what they are part of: it ends with the last of them.
    pub(crate) fn kept_in(self, keepers: &[Id]) {
        if keepers.is_empty() {
            // C is done with it.
            return;
        }
        let end_of = |keeper: &Id| match resource_of(*keeper) {
            Some(keeper) if !keeper.kind.is_counted() && !is_lost(keeper) => End::With(keeper),
            // C owns the keeper, or has owners of it.
            _ => End::Never,
        };
        self.ends_with(keepers.iter().map(end_of).collect(), report_leak);
    }

    /// C keeps the handle as long as it likes: nobody hears when that ends.
    pub(crate) fn never_ends(self) {
        self.ends_with(vec![End::Never], report_leak);
    }

    /// Nobody knows whether C has the handle. The caller reports that.
    pub(crate) fn may_be_owned_by_c(self) {
        self.ends_with(vec![End::Never], |_| ());
    }

    /// Notes the ends of the handle. Calls `report` where that leaks others.
    fn ends_with(self, ends: Vec<End>, report: fn(Id)) {
        let transfer = ManuallyDrop::new(self);
        let never = ends.contains(&End::Never);
        let (touched, has_no_relatives) = with_table(|table| {
            if !transfer.take(table) {
                return (Ids::new(), None);
            }
            for end in ends {
                add_end(table, transfer.id, end);
            }
            let entry = table.entry(transfer.id).or_default();
            entry.is_transferred = true;
            let has_no_relatives = entry.parents.is_empty() && entry.keeps.is_empty();
            (entry.parents.iter().collect(), Some(has_no_relatives))
        });
        if never && has_no_relatives == Some(false) {
            report(transfer.id);
        }
        note_kept(transfer.id);
        release_parents(&[], touched, false);
    }
}

#[cold]
fn report_leak(given: Id) {
    report(Error::Value(format!(
        "a {0} was given to C, and its release cannot be observed: its parents, and what C keeps in it, are leaked unless C \
         returns the {0}",
        given.kind.name()
    )));
}

impl Drop for TransferRecord {
    fn drop(&mut self) {
        let ended = with_table(|table| {
            self.take(table).then(|| {
                let end = End::Now(self.number);
                add_end(table, self.id, end);
                take_ended(table, [self.id], end)
            })
        });
        if let Some(Ended {
            parents,
            touched,
            owned,
        }) = ended
        {
            release_parents(&parents, touched, false);
            owners::no_longer_kept(owned);
        }
    }
}

/// Notes that a handle is ours that C lends to callbacks, too.
#[cold]
pub(crate) fn own(id: Id) {
    with_table(|table| table.entry(id).or_default().is_ours = true);
}

/// Refuses to give a handle to C in which others live, and one that lives in a handle that C may release at any time.
///
/// # Errors
///
/// [`Error::Value`], which names it.
pub(crate) fn check_transferable(id: Id) -> Result<(), Error> {
    check_childless(id)?;
    let mut lent = Vec::new();
    let unknown = with_table(|table| find_unknown(table, id, &mut lent));
    // What C was given it may have freed: what it lends to a callback is perhaps one of its own, at the same address.
    let lent_now = || lent.into_iter().find(|lent| is_lent_here(*lent));
    match unknown.or_else(lent_now) {
        None => Ok(()),
        Some(parent) => Err(Error::Value(format!(
            "a {} cannot be given to C: it lives in a {} that C may release first, because C lends it to a callback or a \
             running call gives it to C",
            id.kind.name(),
            parent.kind.name()
        ))),
    }
}

/// Returns whether C lends the handle to a callback, and it is none of ours: C may release it at any time.
fn is_lent_to_callback(table: &Table, id: Id) -> bool {
    let is_known =
        |entry: &HandleEntry| (entry.is_ours || !entry.ends.is_empty()) && !entry.is_unknown;
    id.kind.is_lent_to_callbacks() && !table.get(&id).is_some_and(is_known)
}

/// Returns whether nobody hears of the end of the handle: C lends it to a callback, or has it in such a handle.
fn is_lost(id: Id) -> bool {
    let (is_lost, given) = with_table(|table| {
        let mut keepers = all_keepers(table, [id].into_iter());
        keepers.insert(id);
        let is_lost = keepers.iter().any(|id| is_lent_to_callback(table, *id));
        let is_ours = |id: &Id| table.get(id).is_some_and(|entry| entry.is_ours);
        let lent = |id: &Id| id.kind.is_lent_to_callbacks() && !is_ours(id);
        (
            is_lost,
            keepers.into_iter().filter(lent).collect::<Vec<_>>(),
        )
    });
    // What C was given it may have freed, as for `check_transferable`.
    is_lost || given.into_iter().any(is_lent_here)
}

/// Returns the handle that this one lives in and that ends nobody knows when. `lent` gets those of which that depends
/// on the callbacks that run.
fn find_unknown(table: &Table, id: Id, lent: &mut Vec<Id>) -> Option<Id> {
    let parents = |id: Id| {
        let entry = table.get(&id).into_iter();
        entry.flat_map(|entry| entry.parents.waiting().chain(entry.keepers()))
    };
    let (mut seen, mut reached) = (BTreeSet::new(), parents(id).collect::<Vec<_>>());
    while let Some(here) = reached.pop() {
        let entry = table.get(&here);
        let is_unknown = match entry {
            None => here.kind.is_lent_to_callbacks(),
            Some(entry) if entry.transfer.is_some() || entry.is_unknown => true,
            Some(entry) => {
                let is_lent = here.kind.is_lent_to_callbacks() && !entry.is_ours;
                lent.extend(is_lent.then_some(here));
                is_lent && entry.ends.is_empty()
            }
        };
        if is_unknown {
            return Some(here);
        }
        reached.extend(parents(here).filter(|parent| seen.insert(*parent)));
    }
    None
}

/// Refuses to give the handle to C, or to release it, after the author's code ran: if others live in it, or if C keeps
/// something in it that the transfer or the release does not know of.
///
/// # Errors
///
/// [`Error::Value`], which names it.
pub(crate) fn check_unchanged(id: Id) -> Result<(), Error> {
    check_childless(id)?;
    let keeps_more = with_table(|table| {
        let entry = table.get(&id);
        entry.is_some_and(|entry| {
            entry.transfer.is_none() && !(entry.keeps.is_empty() && entry.owned.is_empty())
        })
    });
    match keeps_more {
        false => Ok(()),
        true => Err(Error::Value(format!(
            "a {} is not given to C, because C got something to keep in it while the call was prepared",
            id.kind().name()
        ))),
    }
}

/// Refuses to give the handle to C while others live in it.
///
/// # Errors
///
/// [`Error::Value`], which names it.
fn check_childless(id: Id) -> Result<(), Error> {
    let is_childless = with_table(|table| waits_for(table, id).next().is_none());
    match is_childless {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "a {} cannot be given to C while other handles live in it",
            id.kind.name()
        ))),
    }
}

/// The handles that a call without a receiver gave to C, until it is known which handles C keeps them in: those of the
/// result, or none, if C was done with them when it returned.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Unplaced {
    transfers: RefCell<Vec<TransferRecord>>,
    owned: RefCell<Vec<Id>>,
    keepers: RefCell<Vec<Id>>,
}

impl Unplaced {
    pub(crate) fn push(&self, transfer: TransferRecord) {
        self.transfers.borrow_mut().push(transfer);
    }

    /// Adds a counted object that C got an owner of.
    pub(crate) fn push_owned(&self, owned: Id) {
        self.owned.borrow_mut().push(owned);
    }

    /// Adds a handle of the result.
    pub(crate) fn add_keeper(&self, keeper: Id) {
        self.keepers.borrow_mut().push(keeper);
    }

    /// Gives them to the handles of the result.
    pub(crate) fn place(&self) {
        let keepers = self.keepers.take();
        for owned in self.owned.take() {
            keepers.iter().for_each(|keeper| keep_owner(owned, *keeper));
        }
        for transfer in self.transfers.take() {
            transfer.kept_in(&keepers);
        }
    }
}
