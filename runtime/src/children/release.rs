//! The release of a handle that lives in others, or that others live in.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::Ordering::Relaxed;
use std::thread::{self, ThreadId};

use smallvec::SmallVec;

use crate::children::ancestors::Ids;
use crate::children::id_set::IdSet;
use crate::children::table::{
    End, HELD, HandleEntry, Parents, Table, all_keepers, all_kept, next_number, remove,
    remove_if_over, replace_end, waits_for, with_table,
};
use crate::deferred;
use crate::error::Error;
use crate::handle::ReleaseError;
use crate::handle::kind::Id;
use crate::interpreter::report;
use crate::restore_guard::RestoreGuard;
use crate::uses::owners;

/// A function that runs when children that held their parents have gone.
pub(crate) struct HoldersGone(pub(crate) fn());

inventory::collect!(HoldersGone);

thread_local! {
    /// The parent of the handle that this thread releases now.
    static PARENT: Cell<*mut ()> = const { Cell::new(ptr::null_mut()) };
}

/// Returns the parent of the handle that this thread releases now.
#[doc(hidden)]
pub fn parent_of_released() -> NonNull<()> {
    let parent = NonNull::new(PARENT.get());
    parent.unwrap_or_else(|| unreachable!("it was noted when C made the handle"))
}

/// What a handle lived in, and what C keeps in it, during its release. Drop it after the release. Forget it if the
/// outcome is unknown.
#[derive(Debug)]
pub(crate) struct ReleaseRecord {
    /// The parent that the release function may need.
    first: Option<Id>,
    /// `None` for a handle that lived in this parent only, while nothing lived in the handle.
    relatives: Option<Box<Relatives>>,
}

#[derive(Debug)]
struct Relatives {
    parents: Parents,
    keeps: IdSet,
    owned: IdSet,
    /// The kept handles that lived in the handle itself, and whether they held it.
    inside: Vec<(Id, bool)>,
    /// The number of the release.
    number: u64,
    /// Set in a forked child whose parent process has the handle.
    is_from_parent_process: bool,
}

/// Takes the handle out of the table: it is about to be released, and its address may become another one's.
pub(crate) fn end(id: Id) -> Option<ReleaseRecord> {
    with_table(|table| {
        let entry = table.get(&id)?;
        if let Some(parent) = entry.only_relative() {
            remove(table, id);
            return Some(ReleaseRecord {
                first: Some(parent),
                relatives: None,
            });
        }
        let inside = match entry.keeps.is_empty() {
            true => Vec::new(),
            false => take_inside(table, id),
        };
        let entry = table.get_mut(&id)?;
        (entry.is_ours, entry.is_deferred) = (false, false);
        let relatives = Relatives {
            parents: mem::take(&mut entry.parents),
            keeps: mem::take(&mut entry.keeps),
            owned: mem::take(&mut entry.owned),
            inside,
            number: next_number(),
            is_from_parent_process: false,
        };
        for kept in &relatives.keeps {
            replace_end(table, *kept, End::With(id), End::Now(relatives.number));
        }
        remove_if_over(table, id);
        let has_none = relatives.parents.is_empty()
            && relatives.keeps.is_empty()
            && relatives.owned.is_empty();
        (!has_none).then(|| ReleaseRecord {
            first: relatives.parents.first,
            relatives: Some(Box::new(relatives)),
        })
    })
}

/// Removes the handle from the parents of what C keeps in it.
fn take_inside(table: &mut Table, id: Id) -> Vec<(Id, bool)> {
    let (mut taken, mut children, mut holders) = (Vec::new(), 0, 0);
    for kept in all_kept(table, id) {
        let Some(entry) = table.get_mut(&kept) else {
            continue;
        };
        let parents = &mut entry.parents;
        let first = usize::from(parents.first.take_if(|first| *first == id).is_some());
        let is_it = |parent: &mut Id| *parent == id;
        let others = parents.others.extract_if(.., is_it).count();
        let inherited = parents.inherited.extract_if(.., is_it).count();
        let held = parents.held.extract_if(.., is_it).count();
        let count = first + others + inherited;
        (children, holders) = (children + count, holders + held);
        taken.extend((0..count).map(|index| (kept, index < held)));
    }
    if let Some(entry) = table.get_mut(&id) {
        entry.children -= children;
        entry.holders -= holders;
        HELD.fetch_sub(holders, Relaxed);
    }
    taken
}

impl ReleaseRecord {
    /// Runs the release of the handle, which can ask for the first parent.
    pub(crate) fn during<R>(&self, release: impl FnOnce() -> R) -> R {
        let parent = self.first.map_or(ptr::null_mut(), |parent| parent.raw);
        let _outer = RestoreGuard::set(&PARENT, parent);
        release()
    }

    /// Ends the record, and releases no owners of counted parents: these and the handle belong to the process that this
    /// one was forked from.
    pub(crate) fn end_in_forked_child(mut self) {
        if let Some(relatives) = &mut self.relatives {
            relatives.is_from_parent_process = true;
        }
    }

    /// Puts the parents back into the table: the handle is still there, with its owner.
    pub(crate) fn put_back(mut self, id: Id) {
        let (first, relatives) = (self.first.take(), self.relatives.take());
        let relatives =
            relatives.map_or_else(|| Relatives::of_child(first), |relatives| *relatives);
        relatives.put_back(id);
    }
}

impl Relatives {
    /// The relatives of a handle that lived in this parent only.
    fn of_child(first: Option<Id>) -> Self {
        Relatives {
            parents: Parents {
                first,
                ..Parents::default()
            },
            keeps: IdSet::default(),
            owned: IdSet::default(),
            inside: Vec::new(),
            number: next_number(),
            is_from_parent_process: false,
        }
    }

    fn put_back(mut self, id: Id) {
        with_table(|table| {
            if !self.keeps.is_empty() || !self.owned.is_empty() {
                table.note_linked(id);
            }
            let entry = table.entry(id).or_default();
            // The author's code may have added to these since.
            let since = mem::replace(&mut entry.parents, self.parents);
            entry.parents.inherited.extend(since.iter());
            entry.parents.held.extend(since.held);
            entry.parents.values.extend(since.values);
            entry.owned.append(&mut self.owned);
            entry.is_ours = id.kind.is_noted_as_ours();
            for (kept, held) in self.inside {
                if let Some(kept) = table.get_mut(&kept).filter(|kept| kept.is_owned_by_c()) {
                    kept.parents.others.push(id);
                    kept.parents.held.extend(held.then_some(id));
                    let entry = table.entry(id).or_default();
                    entry.children += 1;
                    entry.holders += usize::from(held);
                    HELD.fetch_add(usize::from(held), Relaxed);
                }
            }
            for kept in self.keeps {
                let now = End::Now(self.number);
                if table
                    .get(&kept)
                    .is_some_and(|kept| kept.ends.contains(&now))
                {
                    replace_end(table, kept, now, End::With(id));
                    table.entry(id).or_default().keeps.insert(kept);
                }
            }
            remove_if_over(table, id);
        });
    }

    fn end(self) {
        let mut ended = Ended::default();
        if !self.keeps.is_empty() {
            let end = End::Now(self.number);
            ended = with_table(|table| take_ended(table, self.keeps, end));
        }
        ended.parents.push(self.parents);
        let Ended {
            parents,
            touched,
            owned,
        } = ended;
        release_parents(&parents, touched, self.is_from_parent_process);
        owners::no_longer_kept(self.owned.into_iter().chain(owned));
    }
}

impl Drop for ReleaseRecord {
    fn drop(&mut self) {
        match (self.relatives.take(), self.first) {
            (Some(relatives), _) => relatives.end(),
            (None, Some(parent)) => release_only_parent(parent),
            (None, None) => {}
        }
    }
}

/// What ended with a handle.
#[derive(Debug, Default)]
pub(super) struct Ended {
    /// The parents of each handle that ended.
    pub(super) parents: SmallVec<[Parents; 1]>,
    /// The parents of the handles that lost one of several ends.
    pub(super) touched: Ids,
    /// The counted objects of which C had owners in the ended handles.
    pub(super) owned: IdSet,
}

/// Ends the handles that C keeps, unless they have another end than this one, and all that ends with them.
pub(super) fn take_ended(table: &mut Table, kept: impl IntoIterator<Item = Id>, end: End) -> Ended {
    let mut ended = Ended::default();
    let mut ending: Vec<(Id, End)> = kept.into_iter().map(|kept| (kept, end)).collect();
    while let Some((id, end)) = ending.pop() {
        let Some(entry) = table.get_mut(&id) else {
            continue;
        };
        let before = entry.ends.len();
        entry.ends.retain(|other| *other != end);
        if entry.ends.len() == before {
            continue;
        }
        if !entry.ends.is_empty() {
            ended.touched.extend(parents_of_all_in(table, id));
            continue;
        }
        let keeps = mem::take(&mut entry.keeps);
        ended.parents.push(mem::take(&mut entry.parents));
        ending.extend(keeps.into_iter().map(|kept| (kept, End::With(id))));
        entry.is_transferred = false;
        ended.owned.append(&mut entry.owned);
        remove_if_over(table, id);
    }
    ended
}

/// Returns the parents of a handle that C has, and of all that C keeps in it.
fn parents_of_all_in(table: &Table, id: Id) -> Vec<Id> {
    let (mut seen, mut reached, mut found) = (BTreeSet::from([id]), vec![id], Vec::new());
    while let Some(here) = reached.pop() {
        let Some(entry) = table.get(&here) else {
            continue;
        };
        found.extend(entry.parents.iter());
        reached.extend(entry.keeps.iter().filter(|kept| seen.insert(**kept)));
    }
    found
}

/// Removes ended handles from their parents: releases their owners of counted parents, and the parents that waited for
/// them.
pub(super) fn release_parents(all: &[Parents], mut touched: Ids, is_from_parent_process: bool) {
    let counted = all.iter().flat_map(Parents::iter);
    let counted = counted.filter(|parent| parent.kind.is_counted() && !is_from_parent_process);
    for parent in counted {
        // SAFETY: guarantee 21: `born` added this owner, and nobody else releases it.
        if let Err(unreleased) = unsafe { parent.kind.release(parent.raw) } {
            report(unreleased.error);
        }
    }
    let due: SmallVec<[_; 1]> = with_table(|table| {
        for parents in all {
            for held in &parents.held {
                if let Some(entry) = table.get_mut(held) {
                    entry.holders -= 1;
                }
                HELD.fetch_sub(1, Relaxed);
                touched.push(*held);
            }
            for parent in parents.waiting() {
                if let Some(entry) = table.get_mut(&parent) {
                    entry.children -= 1;
                }
                touched.push(parent);
            }
        }
        touched.sort_unstable();
        touched.dedup();
        touched
            .into_iter()
            .filter_map(|id| take_due(table, id))
            .collect()
    });
    due.into_iter().for_each(release_due);
    if all.iter().any(|parents| !parents.held.is_empty()) {
        for hook in inventory::iter::<HoldersGone> {
            (hook.0)();
        }
    }
}

/// Does what [`release_parents`] does, for one parent without counted owners.
fn release_only_parent(parent: Id) {
    let due = with_table(|table| {
        table.get_mut(&parent)?.children -= 1;
        take_due(table, parent)
    });
    due.into_iter().for_each(release_due);
}

/// Returns the handle if its deferred release is due. Removes the entry of a handle that C owns, because its end is not
/// reported.
fn take_due(table: &mut Table, id: Id) -> Option<(Id, Option<ThreadId>)> {
    let awaits_children = table.get(&id)?.awaits_children.is_some();
    let is_due = awaits_children && waits_for(table, id).next().is_none();
    let due = match is_due {
        true => table.get_mut(&id)?.awaits_children.take(),
        false => None,
    };
    if is_due || id.kind.is_lent_to_callbacks() {
        remove_if_over(table, id);
    }
    due.map(|thread| (id, thread))
}

/// Releases a handle whose guard has gone before what lived in it.
#[cold]
fn release_due((id, thread): (Id, Option<ThreadId>)) {
    if let Some(thread) = thread.filter(|thread| *thread != thread::current().id()) {
        return deferred::defer_to(thread, id);
    }
    // SAFETY: guarantee 2: who had the handle left its only release to the table (`defer_until_childless`), which gives
    // it out once.
    if let Err(unreleased) = unsafe { id.kind.release_once(id.raw) } {
        report(unreleased.error);
    }
}

/// Defers the release of the handle if other handles live in it. The caller then leaves the release to the table.
///
/// # Errors
///
/// The children whose guards should have gone first, or the handle that waits for this one in turn.
pub(crate) fn defer_until_childless(id: Id) -> Option<Result<(), ReleaseError>> {
    let thread = id.kind.is_thread_bound().then(deferred::owner_thread);
    let error = with_table(|table| {
        // Nobody forgot a guard of those that end by themselves.
        let is_ours = |(child, entry): &(Id, &HandleEntry)| {
            entry.parents.names(id) && !ends_by_itself(table, *child, entry)
        };
        waits_for(table, id).next()?;
        let ours = waits_for(table, id).find(is_ours);
        let error = ours.map(|(child, _)| still_needed(id, child));
        table.entry(id).or_default().awaits_children = Some(thread);
        Some(error.or_else(|| find_cycle(table, id).map(|other| in_cycle(id, other))))
    })?;
    Some(match error {
        None => Ok(()),
        Some(error) => Err(ReleaseError {
            error,
            kept: false,
            lost: true,
        }),
    })
}

/// Returns whether the handle ends without its guard: C has it, or its release waits for a use, or only for such
/// handles.
fn ends_by_itself(table: &Table, id: Id, entry: &HandleEntry) -> bool {
    let waits_only = || waits_for(table, id).all(|(id, entry)| ends_by_itself(table, id, entry));
    entry.is_owned_by_c() || entry.is_deferred || entry.awaits_children.is_some() && waits_only()
}

/// The reason why the release of a closed handle waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Closed {
    /// A use is in its way.
    Deferred,
    /// Other handles live in it.
    AwaitsChildren,
}

/// Returns why the release of the handle waits, if the handle was closed.
#[cold]
pub(crate) fn closed(id: Id) -> Option<Closed> {
    with_table(|table| match table.get(&id)? {
        entry if entry.is_deferred => Some(Closed::Deferred),
        entry => entry
            .awaits_children
            .is_some()
            .then_some(Closed::AwaitsChildren),
    })
}

/// Notes that the release of the handle waits for the end of a use.
pub(crate) fn note_deferred(id: Id) {
    with_table(|table| {
        if let Some(entry) = table.get_mut(&id) {
            entry.is_deferred = true;
        }
    });
}

/// Notes that the handle is never released. Returns the handles that it lives in whose release waits for it.
pub(crate) fn note_leaked(id: Id) -> Vec<Id> {
    with_table(|table| {
        if let Some(entry) = table.get_mut(&id) {
            entry.is_deferred = false;
        }
        let (mut found, mut reached) = (Vec::new(), vec![id]);
        while let Some(here) = reached.pop() {
            let parents = table.get(&here).into_iter();
            let parents = parents.flat_map(|entry| entry.parents.waiting());
            let waits = |id: &Id| {
                table
                    .get(id)
                    .is_some_and(|entry| entry.awaits_children.is_some())
            };
            for parent in parents.filter(waits) {
                if !found.contains(&parent) {
                    found.push(parent);
                    reached.push(parent);
                }
            }
        }
        found
    })
}

/// Returns the handle that waits for this one, if this one waits for it, too.
fn find_cycle(table: &Table, id: Id) -> Option<Id> {
    let (mut seen, mut reached) = (BTreeSet::new(), vec![id]);
    while let Some(here) = reached.pop() {
        let children: Vec<Id> = waits_for(table, here).map(|(child, _)| child).collect();
        let keepers = all_keepers(table, children.into_iter());
        // What ends with this handle and with others waits for those.
        if here != id && keepers.contains(&id) {
            return Some(here);
        }
        let waits = |id: &Id| {
            table
                .get(id)
                .is_some_and(|entry| entry.awaits_children.is_some())
        };
        reached.extend(
            keepers
                .into_iter()
                .filter(|keeper| waits(keeper) && seen.insert(*keeper)),
        );
    }
    None
}

#[cold]
fn in_cycle(id: Id, other: Id) -> Error {
    Error::Value(format!(
        "a {0} is never released: C keeps a child of it in a {1}, and a child of that {1} in the {0}. Take one of the \
         children back from C first",
        id.kind.name(),
        other.kind.name()
    ))
}

#[cold]
fn still_needed(id: Id, child: Id) -> Error {
    let (name, child) = (id.kind.name(), child.kind.name());
    Error::Value(format!(
        "the release of a {name} waits for a {child} that lives in it: the guard of the {child} was forgotten, C refused its \
         release, or it was leaked"
    ))
}
