//! The table of uses: entries, and counts that spare nearly every use a look at the entries.
//!
//! A use begins and ends in a time that does not depend on the number of entries: the counts say that no entry can be
//! of the same object, and the entries that end are the newest ones. The entries are looked at where the counts cannot
//! tell, and where uses end in another order than they began, as on several threads.

use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use smallvec::SmallVec;

use super::author_code::runs_author_code;
use super::depth::{Depth, this_thread};
pub(super) use super::key::Key;
use super::key::{Among, buckets};
use super::locks;
use super::strays;
use crate::fork::Lock;
use crate::handle::kind::{HandleKind, Id};

/// A use of one object, or of an object that it lives in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Claim {
    /// The object. What the type says of it is looked up where claims are compared, which the counts mostly spare.
    id: Id,
    buckets: [u8; 2],
    /// Set if the group of the object is not used with it.
    is_without_group: bool,
    pub(super) exclusive: bool,
    /// Set if the object is given to C, or released: C may free it before the use ends.
    pub(super) leaves: bool,
    /// Set if a callback gives C an owner of the object: C may have others.
    joins: bool,
    /// Set if the use is exclusive because C has an owner of the object in a handle that is used so.
    within: bool,
    /// Set for a handle that a callback has by another type, which C lends to callbacks only.
    pub(super) viewed: bool,
    /// Set for a handle that C passed to a callback and that is none of ours: it may live in any handle of a kind that
    /// keeps or lends such handles.
    stray: bool,
    /// Set for a handle that a callback bars, if nobody knows what that lives in.
    unplaced: bool,
}

/// The claims of one call, callback or release. Most have one or two handles, each of which lives in one other.
pub(super) type Claims = SmallVec<[Claim; 4]>;

impl Claim {
    #[inline]
    pub(super) fn of(id: Id, exclusive: bool) -> Self {
        Claim {
            id,
            buckets: buckets(id),
            is_without_group: false,
            exclusive,
            leaves: false,
            joins: false,
            within: false,
            viewed: false,
            stray: false,
            unplaced: false,
        }
    }

    /// Returns what the use is of: the object, or the group that it is borrowed with.
    fn key(&self) -> Key {
        match self.is_without_group {
            true => self.object(),
            false => Key::borrowed(self.id),
        }
    }

    /// Returns the object.
    pub(super) fn object(&self) -> Key {
        Key::object(self.id)
    }

    /// Returns whether both are uses of one object.
    #[inline]
    pub(super) fn is_of_same_object(&self, other: &Claim) -> bool {
        self.id.address() == other.id.address() && self.object() == other.object()
    }

    /// Returns whether the object has counted owners.
    #[inline]
    pub(super) fn is_counted(&self) -> bool {
        self.id.kind().is_counted()
    }

    /// The name of the object's type.
    pub(super) fn name(&self) -> &'static str {
        self.id.kind().name()
    }

    /// The address of the object's kind.
    fn kind(&self) -> usize {
        ptr::from_ref(self.id.kind()).addr()
    }

    /// For a part that does not know its owner: the address of the owner's kind.
    fn owner(&self) -> Option<usize> {
        let owner = self.id.kind().hidden_resource_kind();
        owner.map(|kind| ptr::from_ref(kind).addr())
    }

    /// Makes it the use by a callback that gives C an owner of the object.
    pub(super) fn joining(self) -> Self {
        Claim {
            joins: true,
            ..self
        }
    }

    /// Makes it the use of an object that C has an owner of in a handle that is used exclusively.
    pub(super) fn within(self) -> Self {
        Claim {
            within: true,
            ..self
        }
    }

    /// Returns whether an argument of the call is used exclusively, and not what C keeps in one: the other arguments
    /// may be that.
    pub(super) fn is_of_argument(&self) -> bool {
        self.exclusive && !self.within
    }

    /// Makes it the use by a release, which releases the owners that C has in the handle.
    pub(super) fn releasing(self) -> Self {
        Claim {
            exclusive: self.is_of_argument(),
            ..self
        }
    }

    /// Makes it the use of a handle that a callback has by another type, which C lends to callbacks only.
    pub(super) fn viewed(self) -> Self {
        Claim {
            viewed: true,
            ..self
        }
    }

    /// Makes it the use of a handle that C passed to a callback, and that is none of ours.
    pub(super) fn stray(self) -> Self {
        Claim {
            stray: true,
            ..self
        }
    }

    /// Makes it the claim on a handle that a callback bars and that may live in others.
    pub(super) fn unplaced(self) -> Self {
        Claim {
            unplaced: true,
            ..self
        }
    }

    /// Returns whether nobody knows what the barred handle lives in.
    pub(super) fn is_unplaced(&self) -> bool {
        self.unplaced
    }

    /// Returns whether `other` changes a handle that this stray one may live in.
    fn may_live_in(&self, other: &Claim) -> bool {
        self.stray && other.exclusive && strays::may_hold(other.kind(), self.kind())
    }

    /// Returns whether the object may be in `keeper`, with all that C keeps there: nobody knows what it lives in.
    fn may_be_in(&self, keeper: &Claim) -> bool {
        match self.owner() {
            Some(owner) => owner == keeper.kind() || strays::may_hold(keeper.kind(), owner),
            None => self.stray && strays::may_hold(keeper.kind(), self.kind()),
        }
    }

    /// Returns whether this claim on what a callback bars may be of a part of the object that `other` is of, or of a
    /// handle in that, or in what that may be part of.
    fn may_be_barred_in(&self, other: &Claim) -> bool {
        let place = match self.owner() {
            Some(owner) if owner == other.kind() => return true,
            Some(owner) => owner,
            None => self.kind(),
        };
        let is_same = |lent: &HandleKind| {
            let kind = other.id.kind();
            lent.is_callback_only()
                && (kind.c_type() == lent.c_type() || kind.hidden_resource_kind().is_some())
        };
        // What C lends to callbacks only may be any object of its C type.
        self.id.kind().hidden_resource_kind().is_some_and(is_same)
            || self.unplaced
                && match other.owner() {
                    Some(owner) => strays::may_be_together(owner, place),
                    None => strays::may_hold(other.kind(), place),
                }
    }

    /// Returns whether this is of a handle that C lends to callbacks only, or of a part of one, and `other` bars the
    /// same object by another type, or what C may have it in.
    fn is_lent_of_barred(&self, other: &Claim) -> bool {
        let lent = self.id.kind().resource_kind();
        let is_same_object = self.id.address() == other.id.address();
        lent.is_callback_only()
            && (is_same_object || strays::may_hold(other.kind(), ptr::from_ref(lent).addr()))
    }

    /// Makes it the use by a call that gives the object to C, or releases it.
    pub(super) fn leaving(self) -> Self {
        Claim {
            leaves: true,
            ..self
        }
    }

    /// Leaves out the group.
    pub(super) fn without_group(self) -> Self {
        Claim {
            is_without_group: true,
            buckets: [self.buckets[1]; 2],
            ..self
        }
    }

    pub(super) fn meets(&self, other: &Claim) -> bool {
        self.is_of_same_object(other) || self.key() == other.key()
    }

    /// Returns whether C lends this to callbacks only, and `other` may be the same object by another type.
    pub(super) fn may_be_lent_of(&self, other: &Claim) -> bool {
        self.id.address() == other.id.address()
            && matches!(self.object().among, Among::CallbackOnly(_))
            && !matches!(other.object().among, Among::Kind(_))
    }
}

/// The user of a handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum By {
    Call,
    Callback,
    /// A callback that is `exclusive`, of the handles that it belongs to.
    Barring,
    Release,
    /// C, for good: it keeps what lives in the object, and nobody knows until when.
    Keeping,
    /// C, as long as something of ours owns the object, too: a callback gave C an owner.
    Owning,
}

impl By {
    /// Returns whether it is C, whose uses belong to no thread.
    pub(super) fn is_c(self) -> bool {
        matches!(self, By::Keeping | By::Owning)
    }
}

/// An entry of the table.
#[derive(Debug)]
pub(super) struct UseEntry {
    /// The number of the call, callback or release.
    pub(super) number: u64,
    pub(super) by: By,
    pub(super) depth: Depth,
    pub(super) claim: Claim,
    /// Set for a callback that bars the object, if its thread holds a lock of the library's until that has returned.
    is_locked: bool,
    /// The address of the kind of an object that C gave out, at the address of the object that leaves; 0 if C has not.
    successor: usize,
}

/// The user whose uses begin.
#[derive(Debug, Clone, Copy)]
pub(super) struct Beginner {
    pub(super) by: By,
    pub(super) depth: Depth,
    /// Set for a call that enters a lock of the library's before it calls C.
    pub(super) enters_lock: bool,
}

impl UseEntry {
    /// Returns whether both are uses of one object.
    pub(super) fn meets(&self, claim: &Claim) -> bool {
        self.claim.meets(claim) && self.successor != claim.kind()
    }

    /// Returns whether both are uses of one object, and not only of its group.
    pub(super) fn is_of_object(&self, claim: &Claim) -> bool {
        self.claim.is_of_same_object(claim) && self.successor != claim.kind()
    }

    /// Returns whether another thread releases the object. A call outside of callbacks does not have that one: it has
    /// what C made at its address, after C has freed it and before the release has ended.
    fn is_released_elsewhere(&self, one: Beginner) -> bool {
        let is_release = self.by == By::Release && self.claim.leaves;
        let is_other = self.depth.thread != one.depth.thread;
        is_release && one.by == By::Call && is_other && one.depth.callbacks == 0
    }

    /// Returns whether C passed the handle to the callback that bars the object.
    fn is_of_same_callback(&self, one: Beginner) -> bool {
        let is_barred = self.by == By::Barring && one.by == By::Callback;
        is_barred && self.depth == one.depth.around()
    }

    /// Returns whether a callback of another thread bars the object, and that thread holds a lock of the library's.
    pub(super) fn is_locked_elsewhere(&self, one: Beginner) -> bool {
        self.is_locked && self.depth.thread != one.depth.thread
    }

    /// Returns whether a callback bars what may be in the object, or what the object may be in: nobody knows the owner
    /// of a part that does not know it.
    pub(super) fn may_bar(&self, claim: &Claim) -> bool {
        self.by == By::Barring
            && (claim.may_be_in(&self.claim) || self.claim.may_be_barred_in(claim))
    }

    /// Returns whether this use is in no way of another one, whatever that is of.
    fn admits(&self, one: Beginner) -> bool {
        self.is_of_same_callback(one) || self.is_released_elsewhere(one)
    }

    /// Returns whether this use excludes one that begins.
    pub(super) fn excludes(&self, claim: &Claim, one: Beginner) -> bool {
        let meets = || match (self.claim.exclusive, claim.exclusive) {
            // The callback writes by what C lends it.
            (true, _) if self.claim.may_be_lent_of(claim) => true,
            // The call that uses the object exclusively lets the callback use it. What begins later is not that call.
            (false, true) if claim.may_be_lent_of(&self.claim) => true,
            (false, true) if self.claim.may_be_lent_of(claim) => true,
            _ if self.claim.may_live_in(claim) || claim.may_live_in(&self.claim) => true,
            _ if self.may_bar(claim) => true,
            _ => self.meets(claim),
        };
        meets()
            && !self.admits(one)
            && !(claim.joins && self.by == By::Owning)
            && !(claim.viewed && self.claim.exclusive && matches!(self.by, By::Call | By::Release))
            && match self.claim.exclusive {
                // A callback uses what it has by `&mut`, and a call may be interrupted from its own thread. What a
                // callback has by another type it does not use by this one.
                true => {
                    one.by == By::Callback
                        || self.claim.viewed
                        || self.depth.is_left_by(one.depth)
                        || claim.exclusive && runs_author_code()
                }
                false => claim.exclusive,
            }
    }
}

impl Beginner {
    /// Returns a user on this thread that enters no lock.
    pub(super) fn here(by: By) -> Self {
        Beginner {
            by,
            depth: Depth::here(),
            enters_lock: false,
        }
    }
}

/// The numbers of claims by bucket. A claim counts for its key and for its object.
type Counts = [u32; 256];

/// A call that waits for the uses of others.
pub(super) struct Waiting {
    /// The number of its turn.
    pub(super) turn: u64,
    pub(super) thread: usize,
    pub(super) claims: Vec<Claim>,
}

/// The uses by all running calls and callbacks of all threads.
pub(super) struct Table {
    entries: Vec<UseEntry>,
    next: u64,
    /// The number of calls, callbacks and releases whose uses have ended.
    ends: u64,
    /// The calls that wait, in the order in which they came.
    pub(super) waiting: Vec<Waiting>,
    /// The number of exclusive entries.
    exclusive: usize,
    /// The number of entries of stray handles.
    strays: usize,
    /// The number of handles that callbacks bar: parts that do not know their owner may be in them, and are among them.
    barred: usize,
    /// All entries, by the buckets of their claims.
    all: Counts,
    /// The exclusive entries, by the buckets of their claims.
    exclusive_counts: Counts,
}

/// Locked for a few instructions.
static TABLE: Mutex<Table> = Mutex::new(Table {
    entries: Vec::new(),
    next: 0,
    ends: 0,
    waiting: Vec::new(),
    exclusive: 0,
    strays: 0,
    barred: 0,
    all: [0; 256],
    exclusive_counts: [0; 256],
});
/// The number of exclusive uses in it.
static EXCLUSIVE: AtomicUsize = AtomicUsize::new(0);

inventory::submit! { Lock(|| Box::new(table())) }

pub(super) fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Returns whether anything is used exclusively.
#[inline]
pub(super) fn is_any_exclusive() -> bool {
    EXCLUSIVE.load(Ordering::Acquire) != 0
}

/// Returns whether C passed the handle, which is none of ours, to a callback that this thread runs, and no call has the
/// handle that the callback runs in: calls in the callback have the handle from there.
#[cold]
pub(crate) fn is_lent_here(id: Id) -> bool {
    let (object, here) = (Key::object(id), this_thread());
    let table = table();
    let of_thread = table.entries().iter().filter(|entry| {
        let depth = entry.depth;
        depth.thread == here && entry.claim.object() == object
    });
    let passed = |entry: &&UseEntry| entry.by == By::Callback && entry.claim.stray;
    let depths = |entry: &UseEntry| entry.depth.callbacks;
    let Some(outermost) = of_thread.clone().filter(passed).map(depths).min() else {
        return false;
    };
    let is_outside = |entry: &UseEntry| entry.by == By::Call && depths(entry) < outermost;
    !of_thread.into_iter().any(is_outside)
}

/// The number of handles in it that callbacks bar.
static BARRED: AtomicUsize = AtomicUsize::new(0);

/// Returns whether a callback bars any handle.
#[inline]
pub(super) fn is_any_barred() -> bool {
    BARRED.load(Ordering::Acquire) != 0
}

/// Notified when a use ends that somebody may wait for.
pub(super) static ENDED: Condvar = Condvar::new();
/// The number of threads that wait.
pub(super) static WAITING: AtomicUsize = AtomicUsize::new(0);

impl Table {
    /// Adds the claims. Returns the number of the call, callback or release, by which [`Table::end`] removes them.
    pub(super) fn begin(&mut self, claims: &[Claim], by: By, depth: Depth) -> u64 {
        let number = self.next_number();
        let is_locked = by == By::Barring && locks::is_held();
        // Each entry is written in its place: the processor would wait for the bytes of one that is copied there.
        self.entries.extend(claims.iter().map(|claim| UseEntry {
            number,
            by,
            depth,
            claim: *claim,
            is_locked,
            successor: 0,
        }));
        for claim in claims {
            self.count(claim, by, true);
        }
        number
    }

    /// Adds `claims` to each call, callback and release that uses one of `keepers`, or that may have something of them.
    pub(super) fn extend(&mut self, keepers: &[Claim], claims: &[Claim]) {
        let mut all = std::mem::take(&mut self.entries);
        let uses = |entry: &UseEntry| {
            let reaches =
                |keeper: &Claim| entry.is_of_object(keeper) || entry.claim.may_be_in(keeper);
            keepers.iter().any(reaches)
        };
        let mut added: Vec<UseEntry> = Vec::new();
        for entry in all.iter().filter(|entry| uses(entry)) {
            if added.last().is_some_and(|last| last.number == entry.number) {
                continue;
            }
            for claim in claims {
                self.count(claim, entry.by, true);
                added.push(UseEntry {
                    claim: *claim,
                    successor: 0,
                    ..*entry
                });
            }
        }
        all.extend(added);
        // The entries of one call stay together.
        all.sort_by_key(|entry| entry.number);
        self.entries = all;
    }

    /// Removes the entries of one call, callback or release.
    pub(super) fn end(&mut self, number: u64) {
        self.note_end();
        while let Some(ended) = self.entries.pop_if(|entry| entry.number == number) {
            self.count(&ended.claim, ended.by, false);
        }
        // The entries are in the order of their numbers.
        if self
            .entries
            .last()
            .is_some_and(|entry| entry.number > number)
        {
            self.remove_where(|entry| entry.number == number);
        }
    }

    /// Forgets the uses of an object that left, as C gave out one at its address: `claim` is of that. Of another kind
    /// it may also be a part of the object, which is still there.
    pub(super) fn forget_former(&mut self, claim: &Claim) {
        let is_former =
            |entry: &UseEntry| entry.claim.leaves && entry.claim.is_of_same_object(claim);
        self.remove_where(|entry| is_former(entry) && entry.claim.kind() == claim.kind());
        for entry in self.entries.iter_mut().filter(|entry| is_former(entry)) {
            entry.successor = claim.kind();
        }
    }

    /// Removes the entries that `is_over` names.
    pub(super) fn remove_where(&mut self, is_over: impl Fn(&UseEntry) -> bool) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| {
            let ends = is_over(entry);
            if ends {
                self.count(&entry.claim, entry.by, false);
            }
            !ends
        });
        self.entries = entries;
    }

    /// Counts an entry that begins or ends.
    fn count(&mut self, claim: &Claim, by: By, begins: bool) {
        let step = match begins {
            true => 1,
            false => u32::MAX,
        };
        let one = if begins { 1 } else { -1 };
        if claim.stray {
            self.strays = self.strays.wrapping_add_signed(one);
        }
        if by == By::Barring {
            self.barred = self.barred.wrapping_add_signed(one);
            BARRED.store(self.barred, Ordering::Release);
        }
        let [key, object] = claim.buckets;
        self.count_in(key, claim.exclusive, step);
        if object != key {
            self.count_in(object, claim.exclusive, step);
        }
        if claim.exclusive {
            self.exclusive = self.exclusive.wrapping_add_signed(one);
            EXCLUSIVE.store(self.exclusive, Ordering::Release);
        }
    }

    #[inline]
    fn count_in(&mut self, bucket: u8, exclusive: bool, step: u32) {
        let bucket = usize::from(bucket);
        self.all[bucket] = self.all[bucket].wrapping_add(step);
        if exclusive {
            self.exclusive_counts[bucket] = self.exclusive_counts[bucket].wrapping_add(step);
        }
    }

    /// Returns the use that excludes the claim. It may have another name: one object of C may have several types.
    pub(super) fn refuses(&self, claim: &Claim, one: Beginner) -> Option<&UseEntry> {
        let no_strays = !claim.stray && self.strays == 0;
        if no_strays && self.barred == 0 && !self.may_hold(claim, claim.exclusive) {
            return None;
        }
        let mut entries = self.entries.iter();
        entries.find(|entry| entry.excludes(claim, one) || self.bars_lent(entry, claim, one))
    }

    /// Returns whether a callback bars the handle that an outer callback got from C, and that C lends to callbacks
    /// only. What C passed to that callback, or to one within, is used there.
    fn bars_lent(&self, entry: &UseEntry, claim: &Claim, one: Beginner) -> bool {
        let is_passed_within = |other: &UseEntry| {
            other.by == By::Callback
                && other.depth.thread == entry.depth.thread
                && entry.depth.is_left_by(other.depth)
                && match claim.owner() {
                    Some(owner) => other.claim.kind() == owner,
                    None => other.claim.is_of_same_object(claim),
                }
        };
        entry.by == By::Barring
            && one.by == By::Call
            && claim.is_lent_of_barred(&entry.claim)
            && !self.entries.iter().any(is_passed_within)
    }

    /// Returns whether a callback of this thread has a stray handle.
    pub(super) fn has_stray(&self, depth: Depth) -> bool {
        let is_here = |entry: &UseEntry| entry.claim.stray && entry.depth.thread == depth.thread;
        self.strays != 0 && self.entries.iter().any(is_here)
    }

    /// Returns whether a callback of this thread has the object as a stray handle.
    pub(super) fn is_stray(&self, object: Key, depth: Depth) -> bool {
        let is_it = |entry: &UseEntry| {
            entry.claim.stray
                && entry.depth.thread == depth.thread
                && entry.claim.object() == object
        };
        self.entries.iter().any(is_it)
    }

    /// Returns false if no entry meets the claim. `shared` says that shared entries count, too.
    pub(super) fn may_hold(&self, claim: &Claim, shared: bool) -> bool {
        let counts = match shared {
            true => &self.all,
            false => &self.exclusive_counts,
        };
        let [key, object] = claim.buckets;
        counts[usize::from(key)] != 0 || object != key && counts[usize::from(object)] != 0
    }

    /// Returns a number that no other call, callback, release or turn has.
    pub(super) fn next_number(&mut self) -> u64 {
        self.next += 1;
        self.next - 1
    }

    /// Lets those that wait look once more.
    pub(super) fn note_end(&mut self) {
        self.ends += 1;
        if WAITING.load(Ordering::Relaxed) != 0 {
            ENDED.notify_all();
        }
    }

    /// The number of calls, callbacks and releases whose uses have ended.
    pub(super) fn ends(&self) -> u64 {
        self.ends
    }

    /// The entries.
    pub(super) fn entries(&self) -> &[UseEntry] {
        &self.entries
    }
}
