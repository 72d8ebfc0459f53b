//! Parents and children: handles of C that live in other handles of C.
//!
//! Safe code may forget a guard, so the release of a parent cannot rely on the drop of its children's guards. One table
//! holds the parents of each child, from the instruction after C made the child until its release has ended. The
//! release of a parent with living children is deferred until the last child is gone. If C keeps the children, this is
//! the normal order. If their guards should have been dropped first, the guards were forgotten, or C refused the
//! release of a child. The parent is then leaked as well, and the leak is reported.
//!
//! A handle that C has, one that it was given or one of its own that it lends, ends with other handles: with those that C
//! keeps it in, or that it was lent from ([`End`]). What it lives in stays open until then, and so does what C keeps in it.
//! If C gives it out before, it is ours with all of that. Where nobody knows when C ends it, it never ends: its parents
//! are leaked, and that is reported.
//!
//! A parent whose owners C counts gets one owner more for each child, so its release is not deferred.

#![expect(
    clippy::mutable_key_type,
    reason = "a key is compared by its addresses"
)]

mod given;

use std::cell::Cell;
use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use crate::error::{Error, Owner};
use crate::fork::{Lock, watch_forks};
use crate::handle::kind::HandleKind;
use crate::handle::{Handle, ReleaseError};
use crate::interpreter::report;
use crate::uses;

pub use given::Unplaced;
pub(crate) use given::{Given, check_childless, check_givable, given_out, is_any_given, own};

/// One handle among those of all kinds.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Id {
    kind: &'static HandleKind,
    raw: *mut (),
}

// SAFETY: Rust: the pointer is only compared. Who follows it vouches for the handle: `HandleKind::release_once`, `HandleKind::retain`.
unsafe impl Send for Id {}
// SAFETY: Rust: as for `Send`, the pointer is only compared.
unsafe impl Sync for Id {}

impl PartialEq for Id {
    fn eq(&self, other: &Self) -> bool {
        ptr::eq(self.kind, other.kind) && self.raw == other.raw
    }
}

impl Eq for Id {}

impl Ord for Id {
    fn cmp(&self, other: &Self) -> Ordering {
        // Handles of one address, whatever their types, are neighbors.
        let kind = || ptr::from_ref(self.kind).cmp(&ptr::from_ref(other.kind));
        self.raw.cmp(&other.raw).then_with(kind)
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Id {
    pub(crate) fn new(kind: &'static HandleKind, raw: *mut ()) -> Self {
        Id { kind, raw }
    }

    pub(crate) fn kind(self) -> &'static HandleKind {
        self.kind
    }

    pub(crate) fn raw(self) -> *mut () {
        self.raw
    }

    pub(crate) fn address(self) -> usize {
        self.raw.addr()
    }

    /// Returns the identity of a handle.
    #[inline]
    pub fn of<T: Handle>(handle: &T) -> Self {
        Id::new(T::kind(), handle.as_raw().cast())
    }
}

/// The handles that one handle lives in.
#[derive(Debug, Default)]
struct Parents {
    /// The parent that the release function may need.
    first: Option<Id>,
    /// The other parents that the handle was made in.
    others: Vec<Id>,
    /// The parents of a handle that C was given, and that had the same address: C gave that one out again, or freed it.
    inherited: Vec<Id>,
    /// The held ones among all of these: `parent = &mut P`.
    held: Vec<Id>,
}

impl Parents {
    fn iter(&self) -> impl Iterator<Item = Id> {
        let others = self.others.iter().chain(&self.inherited).copied();
        self.first.into_iter().chain(others)
    }

    /// Returns the parents whose release waits for this handle. The other parents have one owner more.
    fn waiting(&self) -> impl Iterator<Item = Id> {
        self.iter().filter(|parent| !parent.kind.is_counted())
    }

    fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// Returns whether the handle was made in `parent`.
    fn names(&self, parent: Id) -> bool {
        self.first == Some(parent) || self.others.contains(&parent)
    }

    /// Makes them those of a handle at this address that C was given before.
    fn inherit(&mut self) {
        self.inherited.extend(self.first.take());
        self.inherited.append(&mut self.others);
    }
}

/// The end of a handle that C has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// The release of this handle.
    With(Id),
    /// A release that runs now, by its number.
    Now(u64),
    /// Nobody knows.
    Never,
}

/// A handle that lives in another one, or that others live in.
#[derive(Debug, Default)]
struct Entry {
    parents: Parents,
    /// The number of times that other handles name this one as a parent.
    children: usize,
    /// The number of children that borrow the handle exclusively for their life.
    holders: usize,
    /// Set while the release waits for the last child. Inside is the only thread that may release the handle, if there
    /// is one.
    put_off: Option<Option<ThreadId>>,
    /// The ends of a handle that C has: it is gone when all of them have come. Empty for a handle of ours.
    ends: Vec<End>,
    /// Set if the handle is known to be ours: of those that C lends to callbacks.
    is_ours: bool,
    /// Set if C was given the handle; otherwise C lends it.
    is_given: bool,
    /// Set while a call gives the handle to C: the number of that transfer.
    transfer: Option<u64>,
    /// The handles of C's that end with this one.
    keeps: BTreeSet<Id>,
}

impl Entry {
    fn is_over(&self) -> bool {
        let is_alone = self.children == 0 && self.holders == 0 && self.parents.is_empty();
        is_alone
            && !self.is_ours
            && !self.is_c_s()
            && self.put_off.is_none()
            && self.keeps.is_empty()
    }

    /// Returns whether C has the handle.
    fn is_c_s(&self) -> bool {
        !self.ends.is_empty() || self.transfer.is_some()
    }

    /// The handles that this one ends with.
    fn keepers(&self) -> impl Iterator<Item = Id> {
        self.ends.iter().filter_map(|end| match end {
            End::With(keeper) => Some(*keeper),
            End::Now(_) | End::Never => None,
        })
    }
}

/// A number for a release or a transfer, which no other one has.
fn next_number() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Relaxed)
}

type Table = BTreeMap<Id, Entry>;

/// The entries of all handles. Locked for a few instructions, in which neither C nor the author's code runs.
static TABLE: Mutex<Table> = Mutex::new(Table::new());

inventory::submit! { Lock(|| Box::new(lock())) }

fn lock() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn with_table<R>(f: impl FnOnce(&mut Table) -> R) -> R {
    f(&mut lock())
}

/// Returns the first parent of `id`. For a part, returns the owner, if the part knows it.
fn above(id: Id) -> Option<Id> {
    match id.kind.is_view() {
        // SAFETY: guarantee 3: the handle that the call starts from is borrowed, so all that it lives in is valid.
        true => unsafe { id.kind.owner(id.raw) },
        false => with_table(|table| {
            let entry = table.get(&id)?;
            entry.parents.first.or_else(|| entry.keepers().next())
        }),
    }
}

/// Returns the handle with a release that `id` is, or is part of.
fn home(id: Id) -> Option<Id> {
    let mut here = id;
    while here.kind.is_view() {
        here = above(here)?;
    }
    Some(here)
}

/// Returns the handle of the kind `to` that `from` is, or lives in.
fn ancestor(from: Id, to: &'static HandleKind) -> Option<Id> {
    let mut here = Some(from);
    while let Some(id) = here
        && !ptr::eq(id.kind, to)
    {
        here = above(id);
    }
    here
}

/// Returns the ancestors that an exclusive use of the handle uses exclusively.
pub(crate) fn exclusive_parents(id: Id) -> Vec<Id> {
    let mut found = Vec::new();
    let mut here = id;
    let uses_parent = |id: Id| {
        let sharing = id.kind.sharing();
        sharing.holds_parent || sharing.mut_parent
    };
    while uses_parent(here)
        && let Some(parent) = above(here)
    {
        found.push(parent);
        here = parent;
    }
    found
}

/// The handles that the handle lives in, all of which a call on it may reach.
pub(crate) fn ancestors(id: Id) -> Vec<Id> {
    let (mut here, mut found) = (id, Vec::new());
    while here.kind.is_view()
        && let Some(owner) = above(here)
    {
        found.push(owner);
        here = owner;
    }
    if here.kind.has_relatives() {
        let first = with_table(|table| reached_from(table, here));
        add_ancestors(first, &mut found);
        found.retain(|ancestor| *ancestor != here);
    }
    found
}

fn add_ancestors(mut reached: Vec<Id>, found: &mut Vec<Id>) {
    with_table(|table| {
        while let Some(here) = reached.pop() {
            if found.contains(&here) {
                continue;
            }
            found.push(here);
            reached.extend(reached_from(table, here));
        }
    });
}

/// Returns the parents of the handle, and those of the handles that C keeps in it.
fn reached_from(table: &Table, id: Id) -> Vec<Id> {
    let kept = all_kept(table, id).into_iter().chain([id]);
    let entries = kept.filter_map(|kept| table.get(&kept));
    entries.flat_map(|entry| entry.parents.iter()).collect()
}

/// Records that C made `child` by a call on `maker`. `maker` is a handle of the kind `parent`, or lives in one. The
/// child lives in that handle and in `beside`.
pub(crate) fn born(child: Id, maker: Id, parent: &'static HandleKind, extra_parents: &[Id]) {
    // Of a handle that C lends to a callback nobody knows what it lives in. C may release it at any time.
    let first = ancestor(maker, parent);
    let mut parents = Parents {
        first,
        others: extra_parents.to_vec(),
        inherited: Vec::new(),
        held: first
            .filter(|_| child.kind.sharing().holds_parent)
            .into_iter()
            .collect(),
    };
    watch_forks();
    child.kind.note_relatives();
    let counted = with_table(|table| {
        // A parent that C has goes with the handles that C keeps it in, or that it was lent from.
        parents.others.extend(all_keepers(table, parents.iter()));
        record(table, child, parents)
    });
    for parent in counted {
        // SAFETY: guarantee 3: the call that made the child borrows its parents.
        unsafe { parent.kind.retain(parent.raw) };
    }
}

/// Records the parents of a child. Returns the counted ones, which get one owner more.
fn record(table: &mut Table, child: Id, mut parents: Parents) -> Vec<Id> {
    let before = table.get_mut(&child);
    let mut before = before.map_or_else(Parents::default, |entry| mem::take(&mut entry.parents));
    before.inherit();
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
            uses::watch();
        }
    }
    parents.inherited = before.inherited;
    parents.held.extend(before.held);
    table.entry(child).or_default().parents = parents;
    counted
}

/// The handles that these end with, directly or not, if C has them.
fn all_keepers(table: &Table, of: impl Iterator<Item = Id>) -> BTreeSet<Id> {
    let (mut found, mut reached) = (BTreeSet::new(), of.collect::<Vec<_>>());
    while let Some(here) = reached.pop() {
        let keepers = table.get(&here).into_iter().flat_map(Entry::keepers);
        reached.extend(keepers.filter(|keeper| found.insert(*keeper)));
    }
    found
}

/// The handles that end with this one, directly or not, and no later.
fn all_kept(table: &Table, by: Id) -> BTreeSet<Id> {
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

/// The number of children that borrow their parent exclusively for their life.
static HELD: AtomicUsize = AtomicUsize::new(0);

/// Returns whether there are children that borrow their parent exclusively for their life.
#[inline]
pub(crate) fn is_any_held() -> bool {
    HELD.load(Relaxed) != 0
}

/// Returns whether a child borrows the handle, or one that it lives in, exclusively, and the handle neither is the
/// child nor lives in the child. The borrow checker ensures that no such child exists, unless the guard of the child
/// was forgotten, C refused its release, or C keeps the child.
#[cold]
pub(crate) fn is_held(id: Id) -> bool {
    let Some(id) = home(id) else { return false };
    with_table(|table| {
        let (mut seen, mut reached) = (BTreeSet::from([(id, id)]), vec![(id, id)]);
        while let Some((here, from)) = reached.pop() {
            let Some(entry) = table.get(&here) else {
                continue;
            };
            let holds = |id: Id| {
                let held = table.get(&id).map_or(&[][..], |entry| &entry.parents.held);
                held.iter().filter(|held| **held == here).count()
            };
            // What C keeps in the handle itself leaves the handle to it.
            let own = || holds(from) + all_kept(table, here).into_iter().map(holds).sum::<usize>();
            if entry.holders != 0 && entry.holders > own() {
                return true;
            }
            let parents = entry.parents.iter().map(|parent| (parent, here));
            // The handle uses what C keeps in it.
            let kept = entry
                .keeps
                .iter()
                .filter_map(|kept| Some((*kept, table.get(kept)?)));
            let theirs = kept
                .flat_map(|(kept, entry)| entry.parents.iter().map(move |parent| (parent, kept)));
            reached.extend(parents.chain(theirs).filter(|step| seen.insert(*step)));
        }
        false
    })
}

/// Returns whether the handle was made in `parent`, as far as the table knows.
#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python's objects keep parents")
)]
pub(crate) fn is_made_in(id: Id, parent: Id) -> bool {
    with_table(|table| {
        let parents = table.get(&id).map(|entry| &entry.parents);
        parents.is_none_or(|parents| parents.first.is_none() || parents.names(parent))
    })
}

/// Returns whether `id` is the handle `to`, or lives in it.
fn lives_in(id: Id, to: Id) -> bool {
    let mut reached: Vec<Id> = home(id).into_iter().collect();
    with_table(|table| {
        while let Some(here) = reached.pop() {
            if here == to {
                return true;
            }
            if let Some(entry) = table.get(&here) {
                reached.extend(entry.parents.iter().chain(entry.keepers()));
            }
        }
        false
    })
}

/// Notes that C lent `lent`, which is a handle with a release, by a call on `lenders`. If it is one of C's own, it goes with
/// the lenders.
pub(crate) fn lent(lent: Id, lenders: impl Iterator<Item = Id>) {
    let lenders: Vec<Id> = lenders.collect();
    // One that a lender is or lives in was known before.
    if lenders.iter().any(|lender| lives_in(*lender, lent)) {
        return;
    }
    // Without a lender it is there for ever. One that C lends to a callback has no home.
    let for_ever = lenders.is_empty().then_some(End::Never);
    let lenders = lenders.into_iter().filter_map(home).map(End::With);
    let ends: Vec<End> = lenders.chain(for_ever).collect();
    if ends.is_empty() {
        return;
    }
    lent.kind.note_relatives();
    given::expect();
    with_table(|table| {
        let entry = table.entry(lent).or_default();
        let is_known = entry.is_ours || entry.parents.first.is_some();
        if is_known || entry.is_given || entry.transfer.is_some() {
            // It is not C's own.
            return;
        }
        for end in ends {
            keep(table, lent, end);
        }
    });
}

/// Adds an end to those of a handle that C has.
fn keep(table: &mut Table, kept: Id, end: End) {
    let ends = &mut table.entry(kept).or_default().ends;
    if ends.contains(&end) {
        return;
    }
    ends.push(end);
    if let End::With(keeper) = end {
        keeper.kind.note_relatives();
        uses::watch_hidden();
        table.entry(keeper).or_default().keeps.insert(kept);
    }
}

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

/// The parents of a handle, and what C keeps in it, from the beginning of its release to the end of that. When it is dropped
/// the handle is gone; when it is forgotten nobody knows whether the handle is.
#[derive(Debug)]
pub(crate) struct Lived {
    parents: Parents,
    keeps: BTreeSet<Id>,
    /// The kept handles that lived in the handle itself, and whether they held it.
    inside: Vec<(Id, bool)>,
    /// The number of the release.
    number: u64,
    /// Set in a forked child whose parent process has the handle.
    is_left_behind: bool,
}

/// Takes the handle out of the table: it is about to be released, and its address may become another one's.
pub(crate) fn end(id: Id) -> Option<Lived> {
    let lived = with_table(|table| {
        let inside = take_inside(table, id);
        let entry = table.get_mut(&id)?;
        entry.is_ours = false;
        let lived = Lived {
            parents: mem::take(&mut entry.parents),
            keeps: mem::take(&mut entry.keeps),
            inside,
            number: next_number(),
            is_left_behind: false,
        };
        for kept in &lived.keeps {
            replace_end(table, *kept, End::With(id), End::Now(lived.number));
        }
        remove_if_over(table, id);
        Some(lived)
    })?;
    let is_alone = lived.parents.is_empty() && lived.keeps.is_empty();
    (!is_alone).then_some(lived)
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

fn replace_end(table: &mut Table, kept: Id, from: End, to: End) {
    let ends = table.get_mut(&kept).map(|entry| &mut entry.ends);
    for end in ends.into_iter().flatten().filter(|end| **end == from) {
        *end = to;
    }
}

fn remove_if_over(table: &mut Table, id: Id) {
    if table.get(&id).is_some_and(Entry::is_over) {
        table.remove(&id);
    }
}

impl Lived {
    /// Runs the release of the handle, which can ask for the first parent.
    pub(crate) fn during<R>(&self, release: impl FnOnce() -> R) -> R {
        struct Outer(*mut ());
        impl Drop for Outer {
            fn drop(&mut self) {
                PARENT.set(self.0);
            }
        }
        let parent = self
            .parents
            .first
            .map_or(ptr::null_mut(), |parent| parent.raw);
        let _outer = Outer(PARENT.replace(parent));
        release()
    }

    /// Keeps only parents without counted owners: the handle, and its owners of counted parents, belong to the process
    /// that this one was forked from.
    pub(crate) fn left_behind(mut self) {
        self.is_left_behind = true;
    }

    /// Puts the parents back into the table: the handle is still there, with its owner.
    pub(crate) fn put_back(mut self, id: Id) {
        let (parents, keeps) = (mem::take(&mut self.parents), mem::take(&mut self.keeps));
        let inside = mem::take(&mut self.inside);
        with_table(|table| {
            let entry = table.entry(id).or_default();
            entry.parents = parents;
            entry.is_ours = id.kind.is_lent_to_callbacks();
            for (kept, held) in inside {
                if let Some(kept) = table.get_mut(&kept).filter(|kept| kept.is_c_s()) {
                    kept.parents.others.push(id);
                    kept.parents.held.extend(held.then_some(id));
                    let entry = table.entry(id).or_default();
                    entry.children += 1;
                    entry.holders += usize::from(held);
                    HELD.fetch_add(usize::from(held), Relaxed);
                }
            }
            for kept in keeps {
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
}

impl Drop for Lived {
    fn drop(&mut self) {
        let (parents, keeps) = (mem::take(&mut self.parents), mem::take(&mut self.keeps));
        let (mut all, touched) =
            with_table(|table| take_ended(table, keeps, End::Now(self.number)));
        all.push(parents);
        let_go(&all, touched, self.is_left_behind);
    }
}

/// Takes the parents of the handles that end now, and with these of others. Returns also the parents of handles that end
/// with fewer others from now on.
fn take_ended(table: &mut Table, kept: BTreeSet<Id>, end: End) -> (Vec<Parents>, BTreeSet<Id>) {
    let (mut all, mut touched) = (Vec::new(), BTreeSet::new());
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
            touched.extend(entry.parents.iter());
            continue;
        }
        let keeps = mem::take(&mut entry.keeps);
        all.push(mem::take(&mut entry.parents));
        ending.extend(keeps.into_iter().map(|kept| (kept, End::With(id))));
        entry.is_given = false;
        remove_if_over(table, id);
    }
    (all, touched)
}

/// Lets go what ended handles lived in.
fn let_go(all: &[Parents], mut touched: BTreeSet<Id>, is_left_behind: bool) {
    let counted = all.iter().flat_map(Parents::iter);
    let counted = counted.filter(|parent| parent.kind.is_counted() && !is_left_behind);
    for parent in counted {
        // SAFETY: guarantee 21: `born` added this owner, and nobody else releases it.
        if let Err(unreleased) = unsafe { parent.kind.release(parent.raw) } {
            report(unreleased.error);
        }
    }
    let due: Vec<_> = with_table(|table| {
        for parents in all {
            for held in &parents.held {
                if let Some(entry) = table.get_mut(held) {
                    entry.holders -= 1;
                }
                HELD.fetch_sub(1, Relaxed);
                touched.insert(*held);
            }
            for parent in parents.waiting() {
                if let Some(entry) = table.get_mut(&parent) {
                    entry.children -= 1;
                }
                touched.insert(parent);
            }
        }
        touched
            .into_iter()
            .filter_map(|id| take_due(table, id))
            .collect()
    });
    due.into_iter().for_each(release_put_off);
    if all.iter().any(|parents| !parents.held.is_empty()) {
        uses::release_put_off();
    }
}

/// Returns the handle if its release was deferred and waits for nothing any more.
fn take_due(table: &mut Table, id: Id) -> Option<(Id, Option<ThreadId>)> {
    let is_put_off = table.get(&id)?.put_off.is_some();
    let is_due = is_put_off && waits_for(table, id).next().is_none();
    let due = is_due.then(|| table.get_mut(&id)?.put_off.take())?;
    remove_if_over(table, id);
    due.map(|thread| (id, thread))
}

/// The handles that live in this one and do not end with it.
fn waits_for(table: &Table, id: Id) -> impl Iterator<Item = (Id, &Entry)> {
    let has_children = table.get(&id).is_some_and(|entry| entry.children != 0);
    let kept = match has_children {
        true => all_kept(table, id),
        false => BTreeSet::new(),
    };
    let all = has_children.then_some(table).into_iter().flatten();
    let children = all.filter(move |(_, entry)| entry.parents.iter().any(|parent| parent == id));
    let others = children.filter(move |(child, _)| !kept.contains(child));
    others.map(|(child, entry)| (*child, entry))
}

/// Releases a handle whose guard has gone before what lived in it.
#[cold]
fn release_put_off((id, thread): (Id, Option<ThreadId>)) {
    if thread.is_some_and(|thread| thread != thread::current().id()) {
        return report(Error::Owner(id.kind.name(), Owner::Thread));
    }
    // SAFETY: guarantee 2: who had the handle left its only release to the table (`put_off`), which gives it out once.
    if let Err(unreleased) = unsafe { id.kind.release_once(id.raw) } {
        report(unreleased.error);
    }
}

/// Defers the release of the handle if other handles live in it. The caller then leaves the release to the table.
///
/// # Errors
///
/// The children whose guards should have gone first, or the handle that waits for this one in turn.
pub(crate) fn put_off(id: Id) -> Option<Result<(), ReleaseError>> {
    let thread = || id.kind.is_thread_bound().then(|| thread::current().id());
    let error = with_table(|table| {
        // Of those that C has nobody forgot a guard.
        let is_ours = |(_, child): &(Id, &Entry)| !child.is_c_s() && child.parents.names(id);
        waits_for(table, id).next()?;
        let ours = waits_for(table, id).find(is_ours);
        let error = ours.map(|(child, _)| still_needed(id, child));
        table.entry(id).or_default().put_off = Some(thread());
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

/// Returns the handle that waits for this one, if this one waits for it, too.
fn find_cycle(table: &Table, id: Id) -> Option<Id> {
    let (mut seen, mut reached) = (BTreeSet::new(), vec![id]);
    while let Some(here) = reached.pop() {
        let children: Vec<Id> = waits_for(table, here).map(|(child, _)| child).collect();
        let keepers = all_keepers(table, children.into_iter());
        if keepers.contains(&id) {
            return Some(here);
        }
        let waits = |id: &Id| table.get(id).is_some_and(|entry| entry.put_off.is_some());
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
        "a {} is never released, because C keeps handles that live in it in a {}, and handles that live in that one in the \
         first: take one of them back from C before",
        id.kind.name(),
        other.kind.name()
    ))
}

#[cold]
fn still_needed(id: Id, child: Id) -> Error {
    let (name, child) = (id.kind.name(), child.kind.name());
    Error::Value(format!(
        "a {name} is not released yet, because a {child} that lives in it was not: the guard of the {child} was forgotten, or C \
         refused to release it"
    ))
}
