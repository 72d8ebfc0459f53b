//! The table of the handles that live in others.

use std::collections::{BTreeMap, BTreeSet};
use std::iter;
use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::ThreadId;

use smallvec::SmallVec;

use crate::children::id_set::IdSet;
use crate::fork::Lock;
use crate::handle::kind::Id;
use crate::side_table::LentValues;
use crate::uses::watching;

/// The handles that one handle lives in.
#[derive(Debug, Default)]
pub(super) struct Parents {
    /// The parent that the release function may need.
    pub(super) first: Option<Id>,
    /// The other parents that the handle was made in.
    pub(super) others: Vec<Id>,
    /// Parents of a former handle at this address, which C was given and has returned or freed.
    pub(super) inherited: Vec<Id>,
    /// The held ones among all of these: `parent = &mut P`.
    pub(super) held: Vec<Id>,
    /// The values of handles that C lent by calls on this handle: they stay until this one has ended.
    pub(super) values: Vec<LentValues>,
}

impl Parents {
    pub(super) fn iter(&self) -> impl Iterator<Item = Id> {
        let others = self.others.iter().chain(&self.inherited).copied();
        self.first.into_iter().chain(others)
    }

    /// Returns the parents whose release waits for this handle. The other parents have one owner more.
    pub(super) fn waiting(&self) -> impl Iterator<Item = Id> {
        self.iter().filter(|parent| !parent.kind.is_counted())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.iter().next().is_none() && self.values.is_empty()
    }

    /// Returns whether the handle was made in `parent`.
    pub(super) fn names(&self, parent: Id) -> bool {
        self.first == Some(parent) || self.others.contains(&parent)
    }

    /// Moves all parents to `inherited`.
    pub(super) fn inherit(&mut self) {
        self.inherited.extend(self.first.take());
        self.inherited.append(&mut self.others);
    }
}

/// The end of a handle that C has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The release of this handle.
    With(Id),
    /// A release that runs now, by its number.
    Now(u64),
    /// Nobody knows.
    Never,
}

/// A handle that lives in another one, or that others live in.
#[derive(Debug, Default)]
pub(super) struct HandleEntry {
    pub(super) parents: Parents,
    /// The number of times that other handles name this one as a parent.
    pub(super) children: usize,
    /// The number of children that borrow the handle exclusively for their life.
    pub(super) holders: usize,
    /// Set while the release waits for the last child. The inner value is the only thread that may release the handle,
    /// if the handle is bound to one.
    pub(super) awaits_children: Option<Option<ThreadId>>,
    /// Set while the release waits for the end of a use ([`deferred`](crate::deferred)).
    pub(super) is_deferred: bool,
    /// The ends of a handle that C has: it is gone when all of them have come. Empty for a handle of ours.
    pub(super) ends: Vec<End>,
    /// Set if this package owns the handle. Recorded for kinds that C also lends to callbacks.
    pub(super) is_ours: bool,
    /// Set if C was given the handle; otherwise C lends it.
    pub(super) is_transferred: bool,
    /// Set if C lent the handle, also after it was given it.
    pub(super) is_lent: bool,
    /// Set if C lent a handle at this address through a callback's handle, so the entry may be of another object.
    pub(super) is_unknown: bool,
    /// Set while a call gives the handle to C: the number of that transfer.
    pub(super) transfer: Option<u64>,
    /// The number that names C's permanent uses of the ancestors, if C was given the handle and its end is unknown.
    pub(super) for_good: Option<u64>,
    /// The handles of C's that end with this one.
    pub(super) keeps: IdSet,
    /// The counted objects of which C was given an owner, which it may keep in this handle.
    pub(super) owned: IdSet,
}

impl HandleEntry {
    pub(super) fn is_over(&self) -> bool {
        let has_no_relatives = self.children == 0 && self.holders == 0 && self.parents.is_empty();
        has_no_relatives
            && !self.is_ours
            && !self.is_owned_by_c()
            && self.awaits_children.is_none()
            && self.keeps.is_empty()
            && self.owned.is_empty()
    }

    /// Returns whether C has the handle.
    pub(super) fn is_owned_by_c(&self) -> bool {
        !self.ends.is_empty() || self.transfer.is_some()
    }

    /// Returns whether the handle lives in its first parent at most, and C keeps nothing in it.
    pub(super) fn lives_in_first_only(&self) -> bool {
        let Parents {
            others, inherited, ..
        } = &self.parents;
        let has_no_others = others.is_empty() && inherited.is_empty();
        has_no_others && self.ends.is_empty() && self.keeps.is_empty() && self.owned.is_empty()
    }

    /// Returns the parent of a handle that lives in that one only, without counted owners and without a hold, while
    /// nothing lives in the handle, and C has nothing to do with it.
    pub(super) fn only_relative(&self) -> Option<Id> {
        let has_none = self.children == 0 && self.holders == 0 && !self.is_owned_by_c();
        let is_child_only = self.parents.held.is_empty() && self.parents.values.is_empty();
        let waits = self.awaits_children.is_some();
        let parent = self
            .parents
            .first
            .filter(|parent| !parent.kind.is_counted())?;
        (self.lives_in_first_only() && has_none && is_child_only && !waits).then_some(parent)
    }

    /// The handles that this one ends with.
    pub(super) fn keepers(&self) -> impl Iterator<Item = Id> {
        self.ends.iter().filter_map(|end| match end {
            End::With(keeper) => Some(*keeper),
            End::Now(_) | End::Never => None,
        })
    }
}

/// A number for a release or a transfer, which no other one has.
pub(super) fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

/// All entries, and which of them may be linked to others by what C keeps.
#[derive(Debug)]
pub(super) struct Table {
    entries: BTreeMap<Id, HandleEntry>,
    /// Handles that C keeps, keeps something in, or has owners in. May hold former ones, which [`Table::linked`] leaves
    /// out.
    linked: BTreeSet<Id>,
}

impl Deref for Table {
    type Target = BTreeMap<Id, HandleEntry>;

    fn deref(&self) -> &Self::Target {
        &self.entries
    }
}

impl DerefMut for Table {
    fn deref_mut(&mut self) -> &mut Self::Target {
        &mut self.entries
    }
}

impl Table {
    /// Notes that C keeps the handle, or something in the handle.
    pub(super) fn note_linked(&mut self, id: Id) {
        id.kind.note_reaching();
        self.linked.insert(id);
    }

    /// Returns the handles that C keeps, or that C keeps something in.
    pub(super) fn linked(&self) -> impl Iterator<Item = Id> {
        let is_linked = |id: &&Id| {
            self.get(id).is_some_and(|entry| {
                !entry.keeps.is_empty()
                    || !entry.owned.is_empty()
                    || entry.keepers().next().is_some()
            })
        };
        self.linked.iter().filter(is_linked).copied()
    }
}

/// The entries of all handles. Locked for a few instructions, in which neither C nor the author's code runs.
pub(super) static TABLE: Mutex<Table> = Mutex::new(Table {
    entries: BTreeMap::new(),
    linked: BTreeSet::new(),
});

inventory::submit! { Lock(|| Box::new(lock())) }

pub(super) fn lock() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn with_table<R>(f: impl FnOnce(&mut Table) -> R) -> R {
    f(&mut lock())
}

/// Records the parent of a new child, as [`record`] does, if the child lives in nothing else, and no table but this one
/// has to know. Returns false otherwise.
pub(super) fn record_only_child(table: &mut Table, child: Id, parent: Id) -> bool {
    let is_plain = !parent.kind.is_counted() && !child.kind.sharing().holds_parent;
    if !is_plain || table.contains_key(&child) {
        return false;
    }
    let entry = table.entry(parent).or_default();
    if !entry.ends.is_empty() {
        return false;
    }
    entry.children += 1;
    child.kind.note_reaching();
    parent.kind.note_relatives();
    let parents = Parents {
        first: Some(parent),
        ..Parents::default()
    };
    let entry = HandleEntry {
        parents,
        ..HandleEntry::default()
    };
    table.insert(child, entry);
    true
}

/// Records the parents of a child. Returns the counted ones, which get one owner more.
pub(super) fn record(table: &mut Table, child: Id, mut parents: Parents) -> Vec<Id> {
    let before = table.get_mut(&child);
    let mut before = before.map_or_else(Parents::default, |entry| mem::take(&mut entry.parents));
    before.inherit();
    if !parents.is_empty() {
        child.kind.note_reaching();
    }
    let mut counted = Vec::new();
    for parent in parents.iter() {
        if let Some(index) = before.inherited.iter().position(|other| *other == parent) {
            // It is counted already.
            before.inherited.swap_remove(index);
        } else if parent.kind.is_counted() {
            counted.push(parent);
        } else {
            parent.kind.note_relatives();
            table.entry(parent).or_default().children += 1;
        }
    }
    for parent in &parents.held {
        if let Some(index) = before.held.iter().position(|other| other == parent) {
            before.held.swap_remove(index);
        } else {
            table.entry(*parent).or_default().holders += 1;
            HELD.fetch_add(1, Relaxed);
            watching::watch_related();
        }
    }
    parents.inherited = before.inherited;
    parents.held.extend(before.held);
    parents.values.extend(before.values);
    table.entry(child).or_default().parents = parents;
    counted
}

/// The handles that these end with, directly or not, if C has them.
pub(super) fn all_keepers(table: &Table, of: impl Iterator<Item = Id>) -> BTreeSet<Id> {
    let (mut found, mut reached) = (BTreeSet::new(), of.collect::<SmallVec<[Id; 4]>>());
    while let Some(here) = reached.pop() {
        let keepers = table.get(&here).into_iter().flat_map(HandleEntry::keepers);
        reached.extend(keepers.filter(|keeper| found.insert(*keeper)));
    }
    found
}

/// The handles that end with this one, directly or not, and no later.
pub(super) fn all_kept(table: &Table, by: Id) -> BTreeSet<Id> {
    if table.get(&by).is_none_or(|entry| entry.keeps.is_empty()) {
        return BTreeSet::new();
    }
    let mut found = BTreeSet::from([by]);
    let mut reached = vec![by];
    while let Some(here) = reached.pop() {
        for kept in table.get(&here).into_iter().flat_map(|entry| &entry.keeps) {
            let ends_here = |end: &End| matches!(end, End::With(keeper) if found.contains(keeper));
            let ends = table
                .get(kept)
                .is_some_and(|kept| kept.ends.iter().all(ends_here));
            // One that ends with several is reached by the last of them.
            if ends && found.insert(*kept) {
                reached.push(*kept);
            }
        }
    }
    found.remove(&by);
    found
}

/// The handle, and all that C keeps in it, directly or not, whatever else these end with. Those that the table does not
/// know are left out.
pub(super) fn all_within(table: &Table, id: Id) -> impl Iterator<Item = (Id, &HandleEntry)> {
    // C keeps nothing in most handles; then this allocates nothing.
    let (mut found, mut reached) = (BTreeSet::new(), SmallVec::<[Id; 4]>::from_slice(&[id]));
    iter::from_fn(move || {
        loop {
            let here = reached.pop()?;
            if let Some(entry) = table.get(&here) {
                let keeps = entry.keeps.iter().copied();
                reached.extend(keeps.filter(|kept| *kept != id && found.insert(*kept)));
                return Some((here, entry));
            }
        }
    })
}

/// Returns whether C has an owner of the counted object in a handle that is known.
pub(crate) fn is_kept_owner(owned: Id) -> bool {
    // It may be there by another type.
    let is_it = |entry: &HandleEntry| entry.owned.iter().any(|other| other.raw == owned.raw);
    with_table(|table| table.values().any(is_it))
}

/// The number of children that borrow their parent exclusively for their life.
pub(super) static HELD: AtomicUsize = AtomicUsize::new(0);

/// Returns whether there are children that borrow their parent exclusively for their life.
#[inline]
pub(crate) fn is_any_held() -> bool {
    held() != 0
}

/// Returns the number of these children.
#[inline]
pub(crate) fn held() -> usize {
    HELD.load(Relaxed)
}

/// Adds an end to those of a handle that C has. Returns whether it is a new one.
pub(super) fn add_end(table: &mut Table, kept: Id, end: End) -> bool {
    let ends = &mut table.entry(kept).or_default().ends;
    if ends.contains(&end) {
        return false;
    }
    ends.push(end);
    if let End::With(keeper) = end {
        keeper.kind.note_relatives();
        table.note_linked(keeper);
        table.note_linked(kept);
        watching::watch_hidden();
        table.entry(keeper).or_default().keeps.insert(kept);
    }
    true
}

pub(super) fn replace_end(table: &mut Table, kept: Id, from: End, to: End) {
    let ends = table.get_mut(&kept).map(|entry| &mut entry.ends);
    for end in ends.into_iter().flatten().filter(|end| **end == from) {
        *end = to;
    }
}

pub(super) fn remove_if_over(table: &mut Table, id: Id) {
    if table.get(&id).is_some_and(HandleEntry::is_over) {
        remove(table, id);
    }
}

/// Removes the entry of a handle that is over.
pub(super) fn remove(table: &mut Table, id: Id) {
    table.entries.remove(&id);
    table.linked.remove(&id);
}

/// The handles that live in this one and do not end with it.
pub(super) fn waits_for(table: &Table, id: Id) -> impl Iterator<Item = (Id, &HandleEntry)> {
    let has_children = table.get(&id).is_some_and(|entry| entry.children != 0);
    let kept = match has_children {
        true => all_kept(table, id),
        false => BTreeSet::new(),
    };
    let all = has_children.then(|| table.iter()).into_iter().flatten();
    let children = all.filter(move |(_, entry)| entry.parents.iter().any(|parent| parent == id));
    let others = children.filter(move |(child, _)| !kept.contains(child));
    others.map(|(child, entry)| (*child, entry))
}
