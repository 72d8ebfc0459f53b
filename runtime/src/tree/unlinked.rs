//! The table of unlinked subtrees, by their topmost parts, and their releases.
//!
//! Each owner has a list of its subtrees, and a queue of *unsettled* ones, in which a Python object has yet to be
//! looked for. Both are chains through the entries, so that no step but [`reserve`] needs memory.
//!
//! Most calls that may unlink a part unlink none. So each thread keeps the room that it reserved, and the next call
//! need not lock the table for that.

use std::cell::Cell;
use std::collections::{HashMap, TryReserveError};
use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustc_hash::FxBuildHasher;

use crate::error::{Error, Result};
use crate::fork::{InChild, Lock};
use crate::handle::TreeOps;
use crate::handle::kind::{HandleKind, Id};
use crate::interpreter::Attached;
use crate::uses::begin_release_of_parts;

/// A table by addresses, which nobody outside chooses.
type Map<K, V> = HashMap<K, V, FxBuildHasher>;
/// The addresses of the kind and of the handle.
type OwnerKey = (usize, usize);

/// The topmost part of an unlinked subtree.
struct Root {
    kind: &'static HandleKind,
    raw: *mut (),
    owner: Id,
    newer: *mut (),
    older: *mut (),
    /// A part of the subtree that has a Python object or that C keeps; null if none is known.
    witness: *mut (),
    /// Set if the root is in the queue of its owner.
    queued: bool,
    /// The next one in the queue.
    next_queued: *mut (),
    /// The one before in the queue; null for the first one.
    previous_queued: *mut (),
}

/// The subtrees of one owner.
struct Owner {
    newest: *mut (),
    queue: *mut (),
    /// Set if the witness of a subtree was dropped, and nobody has looked which subtree that is.
    recheck: bool,
}

/// What has to be looked at of an owner.
enum Unsettled {
    None,
    /// This subtree, and perhaps others.
    Subtree(&'static HandleKind, *mut ()),
    /// Any subtree may have lost its witness.
    Any,
}

struct Table {
    roots: Map<usize, Root>,
    /// The topmost part of each subtree, by its witness.
    witnesses: Map<usize, *mut ()>,
    owners: Map<OwnerKey, Owner>,
    /// The parts that C keeps somewhere, with the number of places.
    kept: Map<usize, usize>,
    /// The number of entries for which there is room: that of all threads ([`Room`]).
    reserved: usize,
}

// SAFETY: Rust: the pointers are keys. Who follows them vouches for the parts: `settle`, `release_all`.
unsafe impl Send for Table {}

static TABLE: Mutex<Table> = Mutex::new(Table {
    roots: HashMap::with_hasher(FxBuildHasher),
    witnesses: HashMap::with_hasher(FxBuildHasher),
    owners: HashMap::with_hasher(FxBuildHasher),
    kept: HashMap::with_hasher(FxBuildHasher),
    reserved: 0,
});
/// The number of subtrees.
static ROOTS: AtomicUsize = AtomicUsize::new(0);
/// The number of parts that C keeps somewhere.
static KEPT: AtomicUsize = AtomicUsize::new(0);
/// The number of unsettled subtrees, and of owners that have to be looked at.
static UNSETTLED: AtomicUsize = AtomicUsize::new(0);

inventory::submit! { Lock(|| Box::new(table())) }

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether any subtree is unlinked.
#[inline]
pub(super) fn is_any() -> bool {
    ROOTS.load(Ordering::Relaxed) > 0
}

/// Returns whether any subtree is unsettled.
#[cfg(feature = "python")]
#[inline(always)]
pub(crate) fn is_any_unsettled() -> bool {
    UNSETTLED.load(Ordering::Relaxed) > 0
}

fn key(owner: Id) -> OwnerKey {
    owner.kind().key(owner.raw())
}

/// The room that a thread has in the table.
struct Room {
    /// The number of entries.
    entries: Cell<usize>,
    /// The number of entries that running calls may need.
    taken: Cell<usize>,
}

/// The number of entries that a thread keeps room for between its calls.
const KEPT_ROOM: usize = 4;

thread_local! {
    static ROOM: Room = const {
        Room {
            entries: Cell::new(0),
            taken: Cell::new(0),
        }
    };
}

impl Drop for Room {
    fn drop(&mut self) {
        let entries = self.entries.take();
        if entries > 0 {
            table().reserved -= entries;
        }
    }
}

inventory::submit! { InChild(forget_other_threads) }

/// Forgets the room of threads that a forked child has not.
fn forget_other_threads() {
    let own = ROOM.try_with(|room| room.entries.get()).unwrap_or(0);
    table().reserved = own;
}

/// Makes room for one more subtree, until [`unreserve`].
///
/// # Errors
///
/// [`Error::OutOfMemory`](crate::Error).
#[inline]
pub(super) fn reserve() -> Result<()> {
    let from_thread = ROOM.try_with(|room| {
        let taken = room.taken.get();
        let has_room = taken < room.entries.get();
        if has_room {
            room.taken.set(taken + 1);
        }
        has_room
    });
    match from_thread {
        Ok(true) => Ok(()),
        _ => reserve_in_table(),
    }
}

#[cold]
fn reserve_in_table() -> Result<()> {
    table()
        .make_room()
        .map_err(|_| Error::OutOfMemory("the list of unlinked parts"))?;
    // A thread that ends has no room of its own, and gives back each entry at once.
    let _ = ROOM.try_with(|room| {
        room.entries.set(room.entries.get() + 1);
        room.taken.set(room.taken.get() + 1);
    });
    Ok(())
}

/// Ends [`reserve`].
#[inline]
pub(super) fn unreserve() {
    let given_back = ROOM.try_with(|room| {
        room.taken.set(room.taken.get() - 1);
        let too_many = room.entries.get() > KEPT_ROOM;
        if too_many {
            room.entries.set(room.entries.get() - 1);
        }
        too_many
    });
    if given_back != Ok(false) {
        table().reserved -= 1;
    }
}

impl Table {
    /// Makes room for one more subtree.
    fn make_room(&mut self) -> Result<(), TryReserveError> {
        let wanted = self.reserved + 1;
        self.roots.try_reserve(wanted)?;
        self.owners.try_reserve(wanted)?;
        // Each subtree may get a witness, and another one after that. A table that is never more than half full needs
        // no memory for what comes in the place of others.
        let most = 2 * (wanted + self.roots.len());
        self.witnesses.try_reserve(most - self.witnesses.len())?;
        self.reserved = wanted;
        Ok(())
    }

    /// Adds a subtree, or takes note that the subtree has changed. Returns `true` if it was added.
    fn insert(&mut self, kind: &'static HandleKind, raw: *mut (), owner: Id) -> bool {
        let is_new = !self.roots.contains_key(&raw.addr());
        if is_new {
            debug_assert!(
                self.roots.capacity() > self.roots.len(),
                "the room is there"
            );
            let entry = self.owners.entry(key(owner)).or_insert(Owner {
                newest: ptr::null_mut(),
                queue: ptr::null_mut(),
                recheck: false,
            });
            let older = std::mem::replace(&mut entry.newest, raw);
            if let Some(older) = self.roots.get_mut(&older.addr()) {
                older.newer = raw;
            }
            let root = Root {
                kind,
                raw,
                owner,
                newer: ptr::null_mut(),
                older,
                witness: ptr::null_mut(),
                queued: false,
                next_queued: ptr::null_mut(),
                previous_queued: ptr::null_mut(),
            };
            self.roots.insert(raw.addr(), root);
            ROOTS.fetch_add(1, Ordering::Relaxed);
            kind.count_unlinked(1);
        }
        self.queue(raw);
        is_new
    }

    /// Puts a subtree into the queue of its owner.
    fn queue(&mut self, raw: *mut ()) {
        let Some(root) = self.roots.get_mut(&raw.addr()) else {
            return;
        };
        let witness = std::mem::replace(&mut root.witness, ptr::null_mut());
        self.forget_witness(raw, witness);
        let Some(root) = self.roots.get_mut(&raw.addr()) else {
            return;
        };
        let Some(owner) = self
            .owners
            .get_mut(&key(root.owner))
            .filter(|_| !root.queued)
        else {
            return;
        };
        root.queued = true;
        let next = std::mem::replace(&mut owner.queue, raw);
        root.next_queued = next;
        if let Some(next) = self.roots.get_mut(&next.addr()) {
            next.previous_queued = raw;
        }
        UNSETTLED.fetch_add(1, Ordering::Relaxed);
    }

    /// Returns what has to be looked at: of several subtrees the one that came last.
    fn unsettled(&self, owner: Id) -> Unsettled {
        let Some(entry) = self.owners.get(&key(owner)) else {
            return Unsettled::None;
        };
        match self.roots.get(&entry.queue.addr()) {
            _ if entry.recheck => Unsettled::Any,
            Some(root) => Unsettled::Subtree(root.kind, root.raw),
            None => Unsettled::None,
        }
    }

    /// Takes the subtree that came last out of the queue of `owner`.
    fn take_queued(&mut self, owner: Id) -> Option<(&'static HandleKind, *mut ())> {
        let first = self.owners.get(&key(owner))?.queue;
        let root = self.roots.get(&first.addr())?;
        let taken = (root.kind, root.raw);
        self.take_out_of_queue(owner, first);
        Some(taken)
    }

    /// Removes a subtree, if it is there.
    fn remove(&mut self, raw: *mut ()) {
        let Some(root) = self.roots.get(&raw.addr()) else {
            return;
        };
        if root.queued {
            self.take_out_of_queue(root.owner, raw);
        }
        let Some(root) = self.roots.remove(&raw.addr()) else {
            return;
        };
        self.forget_witness(raw, root.witness);
        match self.roots.get_mut(&root.newer.addr()) {
            Some(newer) => newer.older = root.older,
            None => {
                if let Some(owner) = self.owners.get_mut(&key(root.owner)) {
                    owner.newest = root.older;
                }
            }
        }
        if let Some(older) = self.roots.get_mut(&root.older.addr()) {
            older.newer = root.newer;
        }
        let owner = key(root.owner);
        if let Some(entry) = self.owners.get(&owner)
            && entry.newest.is_null()
        {
            if entry.recheck {
                UNSETTLED.fetch_sub(1, Ordering::Relaxed);
            }
            self.owners.remove(&owner);
        }
        ROOTS.fetch_sub(1, Ordering::Relaxed);
        root.kind.count_unlinked(-1);
    }

    fn take_out_of_queue(&mut self, owner: Id, raw: *mut ()) {
        let Some(root) = self.roots.get_mut(&raw.addr()) else {
            return;
        };
        let next = std::mem::replace(&mut root.next_queued, ptr::null_mut());
        let previous = std::mem::replace(&mut root.previous_queued, ptr::null_mut());
        root.queued = false;
        if let Some(next) = self.roots.get_mut(&next.addr()) {
            next.previous_queued = previous;
        }
        if let Some(previous) = self.roots.get_mut(&previous.addr()) {
            previous.next_queued = next;
        } else if let Some(entry) = self.owners.get_mut(&key(owner)) {
            entry.queue = next;
        }
        UNSETTLED.fetch_sub(1, Ordering::Relaxed);
    }

    /// Notes the witness of a subtree.
    fn note_witness(&mut self, top: *mut (), witness: *mut ()) {
        if let Some(root) = self.roots.get_mut(&top.addr()) {
            let former = std::mem::replace(&mut root.witness, witness);
            self.forget_witness(top, former);
            self.witnesses.insert(witness.addr(), top);
        }
    }

    /// Forgets that a part was the witness of the subtree.
    fn forget_witness(&mut self, top: *mut (), witness: *mut ()) {
        if self.witnesses.get(&witness.addr()) == Some(&top) {
            self.witnesses.remove(&witness.addr());
        }
    }

    /// Notes that a subtree of `owner` may have lost its witness.
    fn settle_later(&mut self, owner: Id) {
        if let Some(entry) = self.owners.get_mut(&key(owner))
            && !std::mem::replace(&mut entry.recheck, true)
        {
            UNSETTLED.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes the newest subtree of an owner.
    fn take_newest(&mut self, owner: Id) -> Option<(&'static HandleKind, *mut ())> {
        let newest = self.owners.get(&key(owner))?.newest;
        let root = self.roots.get(&newest.addr())?;
        let (kind, raw) = (root.kind, root.raw);
        self.remove(raw);
        Some((kind, raw))
    }
}

/// Notes that the part is the topmost one of an unlinked subtree. There is room for it: this thread has reserved that
/// ([`reserve`]).
pub(super) fn insert(kind: &'static HandleKind, raw: *mut (), owner: Id) {
    let mut table = table();
    if !table.insert(kind, raw, owner) {
        return;
    }
    // The entry is where the thread had room for one. Others may have no memory for the next one.
    table.reserved -= 1;
    if table.make_room().is_err()
        && ROOM
            .try_with(|room| room.entries.set(room.entries.get() - 1))
            .is_err()
    {
        // Until the reservation ends, which is not used again.
        table.reserved += 1;
    }
}

/// Notes that the part is linked.
pub(super) fn remove(raw: *mut ()) {
    table().remove(raw);
}

/// Notes that a part of the subtree was unlinked, which may be the witness.
pub(super) fn unsettle(raw: *mut ()) {
    table().queue(raw);
}

/// Returns whether the part is the topmost one of an unlinked subtree.
pub(super) fn contains(raw: *mut ()) -> bool {
    table().roots.contains_key(&raw.addr())
}

/// Notes that C keeps the part somewhere, until [`end_keeping`].
///
/// # Errors
///
/// [`Error::OutOfMemory`](crate::Error).
pub(super) fn keep(raw: *mut ()) -> Result<()> {
    let mut table = table();
    let no_memory = |_| Error::OutOfMemory("the list of parts that C keeps");
    table.kept.try_reserve(1).map_err(no_memory)?;
    *table.kept.entry(raw.addr()).or_insert(0) += 1;
    KEPT.fetch_add(1, Ordering::Relaxed);
    Ok(())
}

/// Ends [`keep`]. The part is released when the next use of `owner` ends, if nothing else keeps it.
pub(super) fn end_keeping(raw: *mut (), owner: Id) {
    let mut table = table();
    KEPT.fetch_sub(1, Ordering::Relaxed);
    if let Some(places) = table.kept.get_mut(&raw.addr()) {
        *places -= 1;
        if *places == 0 {
            table.kept.remove(&raw.addr());
        }
    }
    table.settle_later(owner);
}

/// Returns whether C keeps the part somewhere.
pub(super) fn is_kept(raw: *mut ()) -> bool {
    KEPT.load(Ordering::Relaxed) > 0 && table().kept.contains_key(&raw.addr())
}

/// Finds a witness in each unsettled subtree of `owner`, and releases the subtrees that have none. A witness is a part
/// with a Python object, or a part that C keeps. `mark` gets the field of a part. It marks the object that the field
/// refers to as that of the witness, and returns false if there is none. While a callback has a part, or the owner, the
/// subtrees stay unsettled.
///
/// # Safety
///
/// `owner` is valid, and nobody else uses it, or a part of it, except a callback.
pub(crate) unsafe fn settle(owner: Id, mark: impl Fn(*mut *mut c_void) -> bool) {
    // Most calls that unlink a part have its object, so that nothing is released.
    // SAFETY: the caller's promise.
    if unsafe { settle_at_top(owner, &mark) } {
        return;
    }
    let Some(_exclusive) = begin_release_of_parts(owner) else {
        return;
    };
    recheck(owner);
    loop {
        let queued = table().take_queued(owner);
        let Some((kind, raw)) = queued else {
            return;
        };
        let Some(ops) = kind.tree() else { continue };
        // SAFETY: the caller's promise; the parts of an unlinked subtree are valid until it is released.
        unsafe {
            match find_witness(ops, raw, raw, &mark) {
                Some(witness) => table().note_witness(raw, witness),
                None => {
                    table().remove(raw);
                    release(ops, raw);
                }
            }
        }
    }
}

/// Settles the subtrees of `owner` whose topmost parts have objects, up to the first one that is not such. Returns
/// whether these are all.
///
/// # Safety
///
/// As for [`settle`].
unsafe fn settle_at_top(owner: Id, mark: &impl Fn(*mut *mut c_void) -> bool) -> bool {
    let mut next = table().unsettled(owner);
    loop {
        let (kind, raw) = match next {
            Unsettled::None => return true,
            Unsettled::Subtree(kind, raw) => (kind, raw),
            Unsettled::Any => return false,
        };
        let Some(ops) = kind.tree() else { return false };
        // SAFETY: the caller's promise; the parts of an unlinked subtree are valid until it is released.
        if !unsafe { mark(ops.object(raw)) } {
            return false;
        }
        let mut table = table();
        table.take_out_of_queue(owner, raw);
        table.note_witness(raw, raw);
        next = table.unsettled(owner);
    }
}

/// Looks at all subtrees of `owner`, as [`settle`] does.
///
/// # Safety
///
/// As for [`settle`]; no part has a Python object.
pub(super) unsafe fn settle_all(owner: Id) {
    table().settle_later(owner);
    // SAFETY: the caller's promise.
    unsafe { settle(owner, |_| false) };
}

/// Returns the first part from `start` on, within the subtree of `top`, that can be the witness. Marks its object
/// ([`settle`]).
///
/// # Safety
///
/// The parts are valid, and `start` is in the subtree.
unsafe fn find_witness(
    ops: &TreeOps,
    top: *mut (),
    start: *mut (),
    mark: &impl Fn(*mut *mut c_void) -> bool,
) -> Option<*mut ()> {
    let mut next = Some(start);
    while let Some(here) = next {
        // SAFETY: the caller's promise.
        unsafe {
            if mark(ops.object(here)) || is_kept(here) {
                return Some(here);
            }
            next = ops.next_within(top, here);
        }
    }
    None
}

/// Releases a subtree that was taken out of the table.
///
/// # Safety
///
/// As for [`TreePart::release`](super::TreePart).
unsafe fn release(ops: &TreeOps, raw: *mut ()) {
    let _attached = Attached::reattach();
    // SAFETY: the caller's promise; it is in the table no longer, so nobody else releases it.
    unsafe { ops.release(raw) };
}

/// Puts all subtrees of `owner` into the queue, if a witness was dropped while somebody used the owner.
fn recheck(owner: Id) {
    let mut here = {
        let mut table = table();
        let Some(entry) = table.owners.get_mut(&key(owner)) else {
            return;
        };
        if !std::mem::take(&mut entry.recheck) {
            return;
        }
        UNSETTLED.fetch_sub(1, Ordering::Relaxed);
        entry.newest
    };
    loop {
        let root = |root: &Root| (root.raw, root.older);
        let root = table().roots.get(&here.addr()).map(root);
        let Some((raw, older)) = root else {
            return;
        };
        // The part may have a new object by now, which is not marked as a witness.
        table().queue(raw);
        here = older;
    }
}

/// Settles the subtree that has lost its witness, the object of the part at `raw`.
///
/// # Safety
///
/// `owner` and the part are valid, and nobody else uses them.
#[cfg(feature = "python")]
pub(crate) unsafe fn settle_around(
    ops: &TreeOps,
    raw: *mut (),
    owner: Id,
    mark: impl Fn(*mut *mut c_void) -> bool,
) {
    // Otherwise the part was linked since, or another one is the witness.
    let Some(top) = table().witnesses.get(&raw.addr()).copied() else {
        return;
    };
    // The search goes on where the last one ended: objects die most often in the order of the tree.
    // SAFETY: the caller's promise.
    match unsafe { find_witness(ops, top, raw, &mark) } {
        Some(witness) => table().note_witness(top, witness),
        None => {
            table().queue(top);
            // SAFETY: the caller's promise.
            unsafe { settle(owner, mark) };
        }
    }
}

/// Notes that a witness was dropped while somebody used `owner`.
#[cfg(feature = "python")]
pub(crate) fn settle_later(owner: Id) {
    table().settle_later(owner);
}

/// Releases all unlinked subtrees of `owner`, newest first.
///
/// # Safety
///
/// `owner` is valid, and nobody uses it any more, or a part of it.
#[inline(always)]
pub(crate) unsafe fn release_all(owner: Id) {
    if is_any() {
        // SAFETY: the caller's promise.
        unsafe { release_each(owner) };
    }
}

/// Releases the subtrees of [`release_all`].
///
/// # Safety
///
/// As for [`release_all`].
#[inline(never)]
unsafe fn release_each(owner: Id) {
    loop {
        let newest = table().take_newest(owner);
        let Some((kind, raw)) = newest else { return };
        let Some(ops) = kind.tree() else { continue };
        // SAFETY: the caller's promise.
        unsafe { release(ops, raw) };
    }
}

/// The number of calls that gave C an owner of which they released parts.
static RELEASES_BEFORE_END: AtomicUsize = AtomicUsize::new(0);

/// Releases all unlinked subtrees of `owner`, which C is about to end.
///
/// # Safety
///
/// As for [`release_all`].
pub(crate) unsafe fn release_before_end(owner: Id) {
    let has_unlinked = is_any() && table().owners.contains_key(&key(owner));
    if has_unlinked {
        RELEASES_BEFORE_END.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise.
        unsafe { release_all(owner) };
    }
}

/// Returns the number of calls that gave C an owner of which they released parts: Python may have objects of these.
#[cfg(feature = "python")]
pub(crate) fn releases_before_end() -> usize {
    RELEASES_BEFORE_END.load(Ordering::Relaxed)
}

/// Forgets all unlinked subtrees of `owner`, which belongs to the process that this one was forked from.
pub(crate) fn forget_all(owner: Id) {
    while is_any() && table().take_newest(owner).is_some() {}
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::{KEPT_ROOM, ROOM, forget_other_threads, reserve, table, unreserve};

    /// Runs `test` on a thread whose room nobody has used.
    fn on_new_thread(test: impl FnOnce() + Send + 'static) {
        std::thread::spawn(test).join().unwrap();
    }

    fn entries() -> usize {
        ROOM.with(|room| room.entries.get())
    }

    // One test, as all others would change the number of entries that are reserved.
    #[test]
    fn room_stays_with_a_thread_until_that_ends() {
        let before = table().reserved;
        on_new_thread(move || {
            for _ in 0..3 {
                reserve().unwrap();
                assert_eq!((entries(), table().reserved), (1, before + 1));
                unreserve();
            }
            for _ in 0..2 * KEPT_ROOM {
                reserve().unwrap();
            }
            let table_has = table().reserved - before;
            assert_eq!((entries(), table_has), (2 * KEPT_ROOM, 2 * KEPT_ROOM));
            for _ in 0..2 * KEPT_ROOM {
                unreserve();
            }
            assert_eq!(
                (entries(), table().reserved),
                (KEPT_ROOM, before + KEPT_ROOM)
            );
        });
        assert_eq!(table().reserved, before);

        // What a forked child does for the threads that it has not.
        let ((begins, has_begun), (end, ends)) = (channel(), channel::<()>());
        let other = std::thread::spawn(move || {
            reserve().unwrap();
            begins.send(()).unwrap();
            ends.recv().unwrap();
            // The thread's room is gone: the child would not have the thread.
            ROOM.with(|room| room.entries.take());
        });
        has_begun.recv().unwrap();
        on_new_thread(move || {
            reserve().unwrap();
            assert_eq!(table().reserved, before + 2);
            forget_other_threads();
            assert_eq!(table().reserved, 1);
            unreserve();
        });
        assert_eq!(table().reserved, 0);
        end.send(()).unwrap();
        other.join().unwrap();
    }
}
