//! Parents and children: handles of C that live in other handles of C.
//!
//! Safe code may forget a guard, so the release of a parent cannot rely on the drop of its children's guards. One table
//! holds the parents of each child, from the instruction after C made the child until its release has ended. The
//! release of a parent with living children is deferred until the last child is gone. If C keeps the children, this is
//! the normal order. If their guards should have been dropped first, the guards were forgotten, or C refused the
//! release of a child. The parent is then leaked as well, and the leak is reported.
//!
//! A handle that was passed to C keeps its parents open as long as C keeps the handle: in the table its parents become
//! the parents of the handle that C keeps it in.
//!
//! A parent whose owners C counts gets one owner more for each child, so its release is not deferred.

#![expect(
    clippy::mutable_key_type,
    reason = "a key is compared by its addresses"
)]

use std::cell::{Cell, RefCell};
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::{self, ThreadId};

use crate::error::{Error, Owner};
use crate::fork::{Lock, watch_forks};
use crate::handle::kind::HandleKind;
use crate::handle::{Handle, ReleaseError};
use crate::interpreter::report;
use crate::uses;

/// A handle, identified by its kind and its address.
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
        let kind = ptr::from_ref(self.kind).cmp(&ptr::from_ref(other.kind));
        kind.then(self.raw.cmp(&other.raw))
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
    /// The parents of handles that C keeps in this one.
    given: Vec<Id>,
    /// The parents, of all of these, that the handle borrows exclusively for its life: `parent = &mut P`.
    held: Vec<Id>,
}

impl Parents {
    fn iter(&self) -> impl Iterator<Item = Id> {
        let others = self.others.iter().chain(&self.given).copied();
        self.first.into_iter().chain(others)
    }

    /// Returns the parents whose release waits for this handle. The other parents have one owner more.
    fn waiting(&self) -> impl Iterator<Item = Id> {
        self.iter().filter(|parent| !parent.kind.is_counted())
    }

    fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }
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
    /// The handles that lent this one, if C owns it: it goes with one of them.
    lenders: Vec<Id>,
    /// The handles owned by C that were lent from this one.
    lent: Vec<Id>,
}

impl Entry {
    fn is_over(&self) -> bool {
        let is_alone = self.children == 0 && self.holders == 0 && self.parents.is_empty();
        is_alone && self.put_off.is_none() && self.lenders.is_empty() && self.lent.is_empty()
    }
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
            entry.parents.first.or(entry.lenders.first().copied())
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
        let first = with_table(|table| {
            let parents = table.get(&here).map(|entry| entry.parents.iter().collect());
            parents.unwrap_or_default()
        });
        add_ancestors(first, &mut found);
    }
    found
}

/// The handles that a handle lives in that is on its way to C.
pub(crate) fn ancestors_of(lived: &Lived) -> Vec<Id> {
    let mut found = Vec::new();
    add_ancestors(lived.0.iter().collect(), &mut found);
    found
}

fn add_ancestors(mut reached: Vec<Id>, found: &mut Vec<Id>) {
    with_table(|table| {
        while let Some(here) = reached.pop() {
            if found.contains(&here) {
                continue;
            }
            found.push(here);
            if let Some(entry) = table.get(&here) {
                reached.extend(entry.parents.iter());
            }
        }
    });
}

/// Records that C made `child` by a call on `maker`. `maker` is a handle of the kind `parent`, or lives in one. The
/// child lives in that handle and in `beside`.
pub(crate) fn born(child: Id, maker: Id, parent: &'static HandleKind, beside: &[Id]) {
    // Of a handle that C lends to a callback nobody knows what it lives in. C may release it at any time.
    let first = ancestor(maker, parent);
    let mut parents = Parents {
        first,
        others: beside.to_vec(),
        given: Vec::new(),
        held: first
            .filter(|_| child.kind.sharing().holds_parent)
            .into_iter()
            .collect(),
    };
    if parent.is_lent() {
        let lenders =
            first.and_then(|first| with_table(|table| Some(table.get(&first)?.lenders.clone())));
        parents.others.extend(lenders.into_iter().flatten());
    }
    for counted in parents.iter().filter(|parent| parent.kind.is_counted()) {
        // SAFETY: guarantee 3: the call that made the child borrows its parents.
        unsafe { counted.kind.retain(counted.raw) };
    }
    watch_forks();
    child.kind.note_relatives();
    with_table(|table| {
        for parent in parents.waiting() {
            parent.kind.note_relatives();
            table.entry(parent).or_default().children += 1;
        }
        for held in &parents.held {
            table.entry(*held).or_default().holders += 1;
            HELD.fetch_add(1, Relaxed);
            uses::watch();
        }
        // C may have kept others in the handle before it gave it out.
        let own = &mut table.entry(child).or_default().parents;
        own.first = parents.first;
        own.others.extend(parents.others);
        own.held.extend(parents.held);
    });
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
        let mut reached = vec![(id, 0)];
        while let Some((here, own)) = reached.pop() {
            let Some(entry) = table.get(&here) else {
                continue;
            };
            if entry.holders > own {
                return true;
            }
            let parents = &entry.parents;
            let holds = |parent: Id| parents.held.iter().filter(|held| **held == parent).count();
            reached.extend(parents.iter().map(|parent| (parent, holds(parent))));
        }
        false
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
                reached.extend(entry.parents.iter().chain(entry.lenders.iter().copied()));
            }
        }
        false
    })
}

/// Records that C lent `lent`, a handle with a release, in a call on `lenders`. If C owns the handle, the handles that
/// are made in it live in the lenders, too: the release of a lender may release the handle.
pub(crate) fn lent(lent: Id, lenders: impl Iterator<Item = Id>) {
    let lenders: Vec<Id> = lenders
        .filter(|lender| !lives_in(*lender, lent))
        .filter_map(home)
        .collect();
    if lenders.is_empty() {
        return;
    }
    lent.kind.note_lent();
    with_table(|table| {
        let entry = table.entry(lent).or_default();
        if entry.parents.first.is_some() {
            // It is not C's own.
            return;
        }
        let is_new = |lender: &Id| !entry.lenders.contains(lender);
        let new: Vec<Id> = lenders.into_iter().filter(is_new).collect();
        entry.lenders.extend(&new);
        for lender in new {
            lender.kind.note_relatives();
            table.entry(lender).or_default().lent.push(lent);
        }
    });
}

/// Removes the lenders of the handle: C returned it as owned, or made a new handle at its address.
#[cold]
pub(crate) fn not_lent(id: Id) {
    with_table(|table| {
        let lenders = table
            .get_mut(&id)
            .map(|entry| mem::take(&mut entry.lenders));
        for lender in lenders.into_iter().flatten() {
            if let Some(entry) = table.get_mut(&lender) {
                entry.lent.retain(|lent| *lent != id);
                if entry.is_over() {
                    table.remove(&lender);
                }
            }
        }
    });
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

/// The parents of a handle during its release, or during the call that gives the handle to C. Dropping it means that
/// the handle is gone. Forgetting it means that it is unknown whether the handle is gone.
#[derive(Debug)]
pub(crate) struct Lived(Parents);

/// Removes the handle from the table, because it is about to be released or given to C. Its address may become that of
/// another handle.
pub(crate) fn end(id: Id) -> Option<Lived> {
    let parents = with_table(|table| {
        let entry = table.get_mut(&id)?;
        let mut parents = mem::take(&mut entry.parents);
        let lent = mem::take(&mut entry.lent);
        if entry.is_over() {
            table.remove(&id);
        }
        for lent in lent {
            let Some(entry) = table.get_mut(&lent) else {
                continue;
            };
            entry.lenders.retain(|lender| *lender != id);
            if entry.lenders.is_empty() {
                // It goes with this handle, and so does what C keeps in it.
                let kept = mem::take(&mut entry.parents);
                parents.given.extend(kept.given);
                parents.held.extend(kept.held);
            }
            if entry.is_over() {
                table.remove(&lent);
            }
        }
        Some(parents)
    })?;
    (!parents.is_empty()).then_some(Lived(parents))
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
        let parent = self.0.first.map_or(ptr::null_mut(), |parent| parent.raw);
        let _outer = Outer(PARENT.replace(parent));
        release()
    }

    /// Keeps only parents without counted owners: the handle, and its owners of counted parents, belong to the process
    /// that this one was forked from.
    pub(crate) fn left_behind(mut self) {
        let waits = |parent: &mut Id| !parent.kind.is_counted();
        let Parents {
            first,
            others,
            given,
            ..
        } = &mut self.0;
        *first = first.take_if(waits);
        others.retain_mut(waits);
        given.retain_mut(waits);
    }

    /// Puts the parents back into the table: the handle is still there, with its owner.
    pub(crate) fn put_back(mut self, id: Id) {
        let parents = mem::take(&mut self.0);
        with_table(|table| table.entry(id).or_default().parents = parents);
    }

    /// Makes the parents those of `keeper`, or of the handle that `keeper` is part of: C keeps the handle there.
    pub(crate) fn kept_in(mut self, keeper: Id) {
        let Some(keeper) = home(keeper) else {
            // C owns it, so nobody knows when it goes.
            return mem::forget(self);
        };
        let is_keeper = |parent: &mut Id| *parent == keeper;
        let mut all: Vec<Id> = self.0.iter().collect();
        // A handle that went back into its parent is one less that lives there.
        let mut held = mem::take(&mut self.0.held);
        self.0 = Parents {
            others: all.extract_if(.., is_keeper).collect(),
            held: held.extract_if(.., is_keeper).collect(),
            ..Parents::default()
        };
        keeper.kind.note_relatives();
        if !all.is_empty() {
            uses::watch_hidden();
        }
        with_table(|table| {
            let parents = &mut table.entry(keeper).or_default().parents;
            parents.given.extend(all);
            parents.held.extend(held);
        });
    }
}

impl Drop for Lived {
    fn drop(&mut self) {
        let parents = &self.0;
        for counted in parents.iter().filter(|parent| parent.kind.is_counted()) {
            // SAFETY: guarantee 21: `born` added this owner, and nobody else releases it.
            if let Err(unreleased) = unsafe { counted.kind.release(counted.raw) } {
                report(unreleased.error);
            }
        }
        let mut due = Vec::new();
        with_table(|table| {
            for held in &parents.held {
                if let Some(entry) = table.get_mut(held) {
                    entry.holders -= 1;
                }
                HELD.fetch_sub(1, Relaxed);
                due.extend(take_due(table, *held));
            }
            for parent in parents.waiting() {
                if let Some(entry) = table.get_mut(&parent) {
                    entry.children -= 1;
                }
                due.extend(take_due(table, parent));
            }
        });
        due.into_iter().for_each(release_put_off);
        if !parents.held.is_empty() {
            uses::release_put_off();
        }
    }
}

/// Returns the handle if its release was deferred and waits for nothing any more.
fn take_due(table: &mut Table, id: Id) -> Option<(Id, Option<ThreadId>)> {
    let entry = table.get_mut(&id)?;
    let is_free = entry.children == 0;
    let due = entry.put_off.take_if(|_| is_free);
    if entry.is_over() {
        table.remove(&id);
    }
    due.map(|thread| (id, thread))
}

/// Runs a deferred release.
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
/// An error that names a child whose guard should have been dropped first.
pub(crate) fn put_off(id: Id) -> Option<Result<(), ReleaseError>> {
    let thread = || id.kind.is_thread_bound().then(|| thread::current().id());
    let (children, given) = with_table(|table| {
        let children = table.get(&id).map_or(0, |entry| entry.children);
        if children == 0 {
            return None;
        }
        table.entry(id).or_default().put_off = Some(thread());
        let given = table.values().flat_map(|entry| &entry.parents.given);
        Some((children, given.filter(|parent| **parent == id).count()))
    })?;
    Some(match children - given {
        0 => Ok(()),
        _ => Err(ReleaseError {
            error: still_needed(id),
            kept: false,
            lost: true,
        }),
    })
}

#[cold]
fn still_needed(id: Id) -> Error {
    let child = with_table(|table| {
        let lives_here =
            |entry: &Entry| entry.parents.first == Some(id) || entry.parents.others.contains(&id);
        table
            .iter()
            .find_map(|(child, entry)| lives_here(entry).then(|| child.kind.name()))
    });
    let (name, child) = (id.kind.name(), child.unwrap_or("handle"));
    Error::Value(format!(
        "a {name} is not released yet, because a {child} that lives in it was not: the guard of the {child} was forgotten, or C \
         refused to release it"
    ))
}

/// Refuses to give the handle to C while others live in it.
///
/// # Errors
///
/// [`Error::Value`] if other handles live in it.
pub(crate) fn check_childless(id: Id) -> Result<(), Error> {
    let children = with_table(|table| table.get(&id).map_or(0, |entry| entry.children));
    match children {
        0 => Ok(()),
        _ => Err(Error::Value(format!(
            "a {} cannot be given to C while other handles live in it",
            id.kind.name()
        ))),
    }
}

/// The handles that a call without a receiver gave to C, until it is known which handle C keeps them in. This is the
/// handle in the result, or none if C was done with them when it returned.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Unplaced(RefCell<Vec<Lived>>);

impl Unplaced {
    pub(crate) fn push(&self, lived: Lived) {
        self.0.borrow_mut().push(lived);
    }

    pub(crate) fn kept_in(&self, keeper: Id) {
        for lived in self.0.take() {
            lived.kept_in(keeper);
        }
    }
}
