//! The uses of the handles of a call: what they claim, how they begin, and what refuses them.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicBool, Ordering};

use smallvec::SmallVec;

use super::depth::{is_inside, this_thread};
use super::keeping::{kept_so_far, may_keep};
use super::locks;
use super::owners::owned_by_c;
use super::release::release_deferred;
use super::table::{Beginner, By, Claim, Claims, is_any_barred, is_any_exclusive, table};
use super::waiting::{self, Turn};
use super::watching::HIDDEN;
use crate::callback::expected;
use crate::children::{self, Closed, Id, Ids};
use crate::error::{Error, Result};
use crate::fork::InChild;
use crate::handle::Handle;
use crate::handle::kind::HandleKind;
use crate::interpreter::{is_attached, is_detached};
use crate::quiet::notes_shared;
use crate::restore_guard::RestoreGuard;

inventory::submit! { InChild(forget_other_threads) }

/// Forgets the uses of an object that C has freed: C gave out a new one at its address. The call that gave the former
/// object to C, or released it, may still be on its way back. All other uses are of an object that is still there: the
/// new one may be a part of that.
#[inline]
pub(crate) fn forget_former(id: Id) {
    if is_any_exclusive() && !id.kind().is_counted() {
        forget_exclusive(id);
    }
}

fn forget_exclusive(id: Id) {
    let claim = Claim::of(id, true);
    let mut table = table();
    if table.may_hold(&claim, false) {
        table.forget_former(&claim);
    }
}

/// Forgets the uses by threads that a forked child has not.
fn forget_other_threads() {
    let here = this_thread();
    let mut table = table();
    table.waiting.retain(|waiting| waiting.thread == here);
    table.remove_where(|entry| entry.depth.thread != here && !entry.by.is_c());
}

/// Notes that C may call back, where the call passes a callback to C or listens to what C reports.
#[inline]
pub fn expect<T: Handle>(calls_back: bool) {
    if calls_back || const { T::LISTENS || T::REPORTS } {
        expected::expect();
    }
}

/// A handle that a call uses.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Use<'a> {
    id: Id,
    exclusive: bool,
    /// Set where an exclusive use leaves the memory of the parent as it is: `#[reads_parent]`.
    reads_parent: bool,
    /// Set where the object is given to C, or released.
    leaves: bool,
    /// Set where a callback gives C an owner of the object.
    joins: bool,
    /// Set where the author's code within a call would edit a tree.
    in_code: bool,
    /// The handle that C would keep this one in, if calls on that one do not borrow the parent of this one
    /// (`mut_parent`).
    misplaced_in: Option<Id>,
    handle: PhantomData<&'a ()>,
}

impl<'a> Use<'a> {
    /// The use, if the table has to know it.
    #[inline]
    pub(super) fn of(id: Id, is_counted: bool, exclusive: bool) -> Option<Self> {
        let is_of_interest =
            is_counted || (exclusive || notes_shared()) && is_of_interest(id.kind(), exclusive);
        is_of_interest.then_some(Use::noted(id, exclusive))
    }

    /// The use, which the table has to know.
    pub(super) fn noted(id: Id, exclusive: bool) -> Self {
        Use {
            id,
            exclusive,
            reads_parent: false,
            leaves: false,
            joins: false,
            in_code: false,
            misplaced_in: None,
            handle: PhantomData,
        }
    }

    /// The exclusive use of what is in a tree by the author's code within a call, which is refused (`author_code`).
    #[cold]
    pub(super) fn in_code(id: Id) -> Self {
        Use {
            in_code: true,
            ..Use::noted(id, true)
        }
    }

    /// Makes it the use by a call that gives the object to C, or releases it.
    pub(super) fn leaving(self) -> Self {
        Use {
            leaves: true,
            ..self
        }
    }

    /// Makes it the use by a callback that gives C an owner of the object.
    pub(super) fn joining(self) -> Self {
        Use {
            joins: true,
            ..self
        }
    }

    /// Makes it the use by a call that would give the object to `keeper`, whose calls do not borrow the object's
    /// parent.
    pub(super) fn misplaced_in(self, keeper: Id) -> Self {
        Use {
            misplaced_in: Some(keeper),
            ..self
        }
    }

    /// The use of the object itself.
    fn own_claim(&self) -> Claim {
        let claim = Claim::of(self.id, self.exclusive);
        let claim = match self.joins {
            true => claim.joining(),
            false => claim,
        };
        match self.leaves {
            true => claim.leaving(),
            false => claim,
        }
    }

    /// Makes it the use by a method with `#[reads_parent]`.
    #[inline]
    pub fn reading_parent(self) -> Self {
        Use {
            reads_parent: true,
            ..self
        }
    }

    /// Returns the use of the object, if the object lives in nothing.
    fn single_claim(&self) -> Option<Claim> {
        let kind = self.id.kind();
        let has_one_claim = !kind.is_view() && !kind.reaches_others();
        has_one_claim.then(|| self.own_claim())
    }

    /// Returns the uses of the object and of its owner, if the object is a part of a handle that lives in nothing.
    #[inline]
    fn claims_of_part(&self) -> Option<[Claim; 2]> {
        let kind = self.id.kind();
        let sharing = kind.sharing();
        if !kind.is_view() || self.exclusive && (sharing.holds_parent || sharing.mut_parent) {
            return None;
        }
        let owner = children::owners(self.id).next()?;
        let is_alone = !owner.kind().is_view() && !owner.kind().reaches_others();
        // As `exclusive_parents` has it.
        let is_tree_changed = self.exclusive && !self.reads_parent && self.is_part_of_tree();
        is_alone.then(|| [self.own_claim(), Claim::of(owner, is_tree_changed)])
    }

    /// Adds the uses of the object and of all that it lives in.
    pub(super) fn claim(&self, claims: &mut Claims) {
        claims.push(self.own_claim());
        let exclusive_parents = match self.exclusive && !self.reads_parent {
            true => children::exclusive_parents(self.id),
            false => SmallVec::new(),
        };
        if !self.id.kind().resource_kind().reaches_others() {
            for owner in children::owners(self.id) {
                let claim = Claim::of(owner, exclusive_parents.contains(&owner));
                // Several parts of one tree have one owner.
                if !claims.contains(&claim) {
                    claims.push(claim);
                }
            }
            return;
        }
        let first = claims.len();
        let add = |parent| claims.push(Claim::of(parent, false));
        if exclusive_parents.is_empty()
            && children::quick_ancestors(self.id, add)
            && !claims[first..].iter().any(Claim::is_counted)
        {
            return;
        }
        claims.truncate(first);
        let ancestors = children::ancestors(self.id);
        let owned = match self.exclusive && ancestors.iter().any(|id| id.kind().is_counted()) {
            true => children::exclusive_owned(self.id, &exclusive_parents),
            false => Ids::new(),
        };
        claims.extend(
            ancestors
                .into_iter()
                .map(|id| match exclusive_parents.contains(&id) {
                    false if owned.contains(&id) => Claim::of(id, true).within(),
                    exclusive => Claim::of(id, exclusive),
                }),
        );
    }

    /// Returns whether the other use, with its claims, reaches the object, which this one uses exclusively, through
    /// what C keeps somewhere. The borrow checker sees what lives in the object. A handle that is given to C may be
    /// given to what it lives in.
    fn is_reached_by(&self, other: &Use<'_>, others: &[Claim]) -> bool {
        let object = Claim::of(self.id, true);
        let mut reached = others.iter().skip(1);
        self.exclusive
            && !other.leaves
            && reached.any(|claim| claim.is_of_same_object(&object))
            && !children::lives_in(other.id, self.id)
    }

    /// Returns whether it is the use of a part of a tree. A call that changes a tree may have several parts of it, one
    /// of which may be the owner by another type.
    #[inline]
    fn is_part_of_tree(&self) -> bool {
        self.id.kind().tree().is_some()
    }

    /// Returns whether both uses, with their claims, are of one object, which one of them uses exclusively: an object
    /// with counted owners, or one that the other reaches through what C keeps somewhere.
    fn meets(&self, claims: &[Claim], other: &Use<'_>, others: &[Claim]) -> bool {
        let meet = |claim: &Claim, theirs: &Claim| {
            claim.is_of_same_object(theirs)
                && (claim.is_of_argument() || theirs.is_of_argument())
                && !(claim.leaves && self.is_one_owner_more_for(other))
                && !(theirs.leaves && other.is_one_owner_more_for(self))
        };
        if self.is_part_of_tree() && other.is_part_of_tree() {
            return false;
        }
        let mut counted = claims.iter().filter(|claim| claim.is_counted());
        counted.any(|claim| others.iter().any(|theirs| meet(claim, theirs)))
            || !self.id.kind().is_counted() && self.is_reached_by(other, others)
            || !other.id.kind().is_counted() && other.is_reached_by(self, claims)
    }

    /// Returns whether this object, which is given to C, is neither the handle of the other use nor one that it lives
    /// in: that handle uses the object only because C keeps owners of the object in it.
    fn is_one_owner_more_for(&self, other: &Use<'_>) -> bool {
        let is_same = Claim::of(self.id, true).is_of_same_object(&Claim::of(other.id, true));
        !is_same && !children::lives_in(other.id, self.id)
    }
}

/// Returns whether a use of a handle without counted owners can meet another one that the borrow checker does not see.
#[inline]
fn is_of_interest(kind: &'static HandleKind, exclusive: bool) -> bool {
    exclusive && (expected::is_expected() || expected::may_lend()) || may_be_met(kind, exclusive)
}

/// Returns whether such a use can meet another one for another reason than an exclusive use by a callback.
#[inline(never)]
fn may_be_met(kind: &'static HandleKind, exclusive: bool) -> bool {
    !exclusive && expected::may_write() && kind.is_written_by_callbacks()
        || is_any_barred()
        || is_any_exclusive() && is_inside()
        || children::is_any_held()
        || HIDDEN.load(Ordering::Relaxed) && (kind.is_view() || kind.has_relatives())
        || may_keep()
        || HAS_NOTED.load(Ordering::Relaxed) && NOTING.get()
}

/// Set once any call passed a callback to C. Until then [`NOTING`] is set on no thread.
static HAS_NOTED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// Set while this thread runs a call that passes a callback to C.
    static NOTING: Cell<bool> = const { Cell::new(false) };
}

/// The time of a call that passes a callback to C: the call notes its shared uses, too, because C may lend the callback
/// one of the handles to be written, by another type.
#[doc(hidden)]
#[derive(Debug)]
pub struct Noting {
    _outer: RestoreGuard<bool>,
}

impl Noting {
    /// Begins the time.
    #[must_use = "it ends when this is dropped"]
    pub fn begin() -> Self {
        HAS_NOTED.store(true, Ordering::Relaxed);
        Noting {
            _outer: RestoreGuard::set(&NOTING, true),
        }
    }
}

/// Uses of handles, which end when this is dropped.
#[doc(hidden)]
#[derive(Debug)]
pub struct Uses {
    number: u64,
    /// Set where the releases that waited for this run later.
    quiet: bool,
    /// The uses belong to the thread.
    _thread: PhantomData<*mut ()>,
}

impl Uses {
    /// Returns the uses that the table has by this number.
    pub(super) fn of(number: u64) -> Self {
        Uses {
            number,
            quiet: false,
            _thread: PhantomData,
        }
    }

    /// Lets the releases that wait for these uses run when the call has ended that C calls back in.
    pub(super) fn quietly(self) -> Self {
        let mut uses = self;
        uses.quiet = true;
        uses
    }

    /// Ends the uses of a call whose result has its owner: what went wrong may be asked of the same handles. Releases
    /// that waited run when the call has ended (`AtEnd`).
    pub(crate) fn end(mut self) {
        self.quiet = true;
    }
}

impl Drop for Uses {
    fn drop(&mut self) {
        // Also where somebody else dropped one early: a call's uses end only with that call.
        table().end(self.number);
        if !self.quiet {
            release_deferred();
        }
    }
}

/// Begins the uses of a call.
///
/// # Errors
///
/// [`Error::Busy`] if another use excludes one of them, if two arguments are one object, of which one is exclusive, or
/// if a child holds one of them (`children`).
#[inline]
pub fn begin<const N: usize>(uses: [Option<Use<'_>>; N]) -> Result<Option<Uses>> {
    let enters_lock = locks::take_entering();
    match uses.iter().all(Option::is_none) {
        true => begin_none(),
        false if is_interrupting() => {
            begin_some(&uses.map(unless_interrupting), enters_lock).map(Some)
        }
        false => begin_some(&uses, enters_lock).map(Some),
    }
}

/// Begins no uses. Asks which methods are linked in: then calls that use nothing may be quiet.
#[inline]
pub(crate) fn begin_none() -> Result<Option<Uses>> {
    may_keep();
    expected::may_write();
    Ok(None)
}

#[inline(never)]
fn begin_some(uses: &[Option<Use<'_>>], enters_lock: bool) -> Result<Uses> {
    let mut all = uses.iter().flatten();
    if let Some((given, keeper)) = all.find_map(|one| Some((one.id, one.misplaced_in?))) {
        return Err(misplaced(given, keeper));
    }
    if let Some(edited) = uses.iter().flatten().find(|one| one.in_code) {
        return Err(Error::Busy(edited.id.kind().name()));
    }
    let mut was_held = false;
    loop {
        // The claims before the look at the holders: a call that makes a holder is in the table until the holder is
        // known.
        let begun = begin_in_turn(uses, enters_lock)?;
        let Some((held, holder)) = find_held(uses) else {
            return Ok(begun);
        };
        begun.end();
        let (name, child) = (held.kind().name(), holder.kind().name());
        match children::closed(holder) {
            None => return Err(Error::Held(name, child)),
            // The release may be this thread's to run.
            Some(_) if !was_held => release_deferred(),
            Some(Closed::Deferred) if waiting::may_wait_for_others() => waiting::wait_for_any()?,
            Some(_) => return Err(Error::Releasing(name, child)),
        }
        was_held = true;
    }
}

/// Begins the uses when all have ended that are in their way, and that this thread may wait for.
fn begin_in_turn(uses: &[Option<Use<'_>>], enters_lock: bool) -> Result<Uses> {
    let mut turn = None;
    loop {
        // What the handles live in may change while this thread waits.
        match begin_noted(uses, enters_lock, &mut turn) {
            Err(Refused::For(error)) => return Err(error),
            Err(Refused::Until(ends)) => waiting::wait(ends)?,
            Err(Refused::Changed) => {}
            Ok(begun) => return Ok(begun),
        }
    }
}

/// Returns a handle that a child holds, and the child.
fn find_held(uses: &[Option<Use<'_>>]) -> Option<(Id, Id)> {
    if !children::is_any_held() {
        return None;
    }
    let all = || uses.iter().flatten();
    // A handle that the call gives to C leaves its parent to the call.
    let given: Vec<Id> = all().filter(|one| one.leaves).map(|one| one.id).collect();
    all().find_map(|one| Some((one.id, children::holder(one.id, &given)?)))
}

/// The reason why uses do not begin.
pub(super) enum Refused {
    /// The uses exclude each other, or this thread may not wait.
    For(Error),
    /// Another thread's call is in the way. The number is that of the uses that had ended then.
    Until(u64),
    /// C got a handle to keep, so they may live in others than the claims say.
    Changed,
}

fn begin_noted(
    uses: &[Option<Use<'_>>],
    enters_lock: bool,
    turn: &mut Option<Turn>,
) -> Result<Uses, Refused> {
    let call = Beginner {
        enters_lock,
        ..Beginner::here(By::Call)
    };
    let kept = kept_so_far();
    let mut all = uses.iter().flatten();
    // Most calls have one handle, or two parts of one tree.
    match (all.next(), all.next(), all.next()) {
        (Some(one), None, _) => {
            // Looked at where they are: the processor would wait for the bytes of a copy.
            if let Some(claims) = &one.claims_of_part() {
                return begin_claims(claims, call, kept, turn);
            }
            if let Some(claim) = &one.single_claim() {
                return begin_claims(std::slice::from_ref(claim), call, kept, turn);
            }
        }
        (Some(one), Some(other), None) if one.is_part_of_tree() && other.is_part_of_tree() => {
            if let Some([first, owner]) = one.claims_of_part()
                && let Some([second, other_owner]) = other.claims_of_part()
                && owner == other_owner
            {
                return begin_claims(&[first, owner, second], call, kept, turn);
            }
        }
        _ => {}
    }
    let mut claims = Claims::new();
    let mut before: SmallVec<[(&Use<'_>, Range<usize>); 3]> = SmallVec::new();
    for one in uses.iter().flatten() {
        let first = claims.len();
        one.claim(&mut claims);
        let own = &claims[first..];
        if before
            .iter()
            .any(|(other, theirs)| one.meets(own, other, &claims[theirs.clone()]))
        {
            return Err(Refused::For(Error::Busy(one.id.kind().name())));
        }
        before.push((one, first..claims.len()));
    }
    begin_claims(&claims, call, kept, turn)
}

/// Begins the uses, which were found when C had got so many handles to keep.
pub(super) fn begin_claims(
    claims: &[Claim],
    one: Beginner,
    kept: u64,
    turn: &mut Option<Turn>,
) -> Result<Uses, Refused> {
    let Beginner { by, depth, .. } = one;
    let mut table = table();
    if kept != kept_so_far() {
        return Err(Refused::Changed);
    }
    let mut claimed = claims.iter();
    let refused = |claim| Some((claim, table.refuses(claim, one)?));
    if let Some((refused, entry)) = claimed.find_map(refused) {
        let waits = by == By::Call && waiting::may_wait_for(&table, refused, one);
        let (by, name) = (entry.by, entry.claim.name());
        return Err(match (waits, by) {
            (true, _) => {
                Turn::queue(turn, &mut table, claims, depth);
                Refused::Until(table.ends())
            }
            (false, By::Keeping) => Refused::For(kept_for_good(name)),
            (false, By::Owning) => Refused::For(owned_by_c(name)),
            (false, _) => Refused::For(Error::Busy(name)),
        });
    }
    if by == By::Call
        && !table.waiting.is_empty()
        && waiting::comes_later(&table, turn.as_ref(), claims, depth)
    {
        Turn::queue(turn, &mut table, claims, depth);
        return Err(Refused::Until(table.ends()));
    }
    Ok(Uses::of(table.begin(claims, by, depth)))
}

/// Returns the uses of a call that cannot fail.
///
/// # Panics
///
/// Where [`begin`] failed. On a thread that is attached to Python, or gave that up for a section, the panic carries the
/// error, so that the call from Python raises that.
#[inline]
pub fn granted<R>(uses: Result<R>) -> R {
    match uses {
        Ok(uses) => uses,
        Err(error) => refuse(error),
    }
}

#[cold]
fn refuse(error: Error) -> ! {
    match is_attached() || is_detached() {
        true => resume_unwind(Box::new(error)),
        false => panic!("{error}"),
    }
}

thread_local! {
    /// The handle whose `interrupt` this thread calls: that may be called beside any call on the handle.
    static INTERRUPTED: Cell<Option<Id>> = const { Cell::new(None) };
}

/// Calls the method that wakes the calls on the handle, whatever they use.
#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python closes beside calls")
)]
pub(crate) fn interrupting<R>(id: Id, interrupt: impl FnOnce() -> R) -> R {
    let _outer = RestoreGuard::set(&INTERRUPTED, Some(id));
    interrupt()
}

/// Returns whether this thread calls the method that wakes the calls on a handle.
#[inline]
fn is_interrupting() -> bool {
    INTERRUPTED.get().is_some()
}

/// Leaves out a use by the method that wakes the calls on the handle.
fn unless_interrupting(one: Option<Use<'_>>) -> Option<Use<'_>> {
    let interrupted = INTERRUPTED.get();
    one.filter(|one| one.exclusive || interrupted != Some(one.id))
}

#[cold]
fn kept_for_good(name: &str) -> Error {
    Error::Value(format!(
        "a {name} cannot be changed any more, because C keeps what lives in it, and nobody knows until when: give that to a \
         handle that has one owner"
    ))
}

#[cold]
fn misplaced(given: Id, keeper: Id) -> Error {
    Error::Value(format!(
        "a {} cannot be given to a {} that lives in another handle than the {}: calls on the {} would change what others \
         use",
        given.kind().name(),
        keeper.kind().name(),
        given.kind().name(),
        keeper.kind().name(),
    ))
}
