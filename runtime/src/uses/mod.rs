//! The uses of handles by running calls and callbacks.
//!
//! The borrow checker separates the uses that it sees. It does not see that C passes a handle to a callback, on this thread
//! or on one of C's own; that two guards own one reference-counted object; nor that C keeps a handle in another one. So one
//! table has an entry for each use that the borrow checker may miss, for as long as the use lasts: the handles of a call
//! until its result has its owner, the parameters of a callback until it returns, and what C reports until the report was
//! taken. A use of a handle is a shared use of all that the handle
//! lives in.
//!
//! Both sides ask. A shared use is refused where an outer call, an outer callback or another thread uses the handle
//! exclusively. An exclusive use is refused where anything else uses the handle. A release is put off while something uses
//! the handle, or uses exclusively what the handle lives in.
//!
//! A call looks at the table only where there can be something in it: once C can call back, for handles with counted
//! owners, and for handles that live in others without a borrow of these.

pub(crate) mod depth;
mod release;
pub(crate) mod table;
mod waiting;
pub(crate) mod watching;

use std::cell::Cell;
use std::marker::PhantomData;
use std::panic::resume_unwind;
use std::sync::atomic::Ordering;

use crate::callback::expected;
use crate::children::{self, Id};
use crate::error::{Error, Result};
use crate::fork::{InChild, watch_forks};
use crate::handle::kind::HandleKind;
use crate::handle::{Borrowed, Handle, Owned, Resource, Transfer};
use crate::interpreter::{Attached, is_attached};
use crate::quiet::{is_watching, may_be_quiet};
use crate::side_table::{LentValues, lend_values};
use depth::{Depth, is_inside, this_thread};
pub(crate) use release::{AtEnd, begin_release, release_put_off};
use table::{By, Claim, is_any_exclusive, table};
use watching::HIDDEN;

inventory::submit! { InChild(forget_other_threads) }

/// Forgets the uses of an object that C has freed: C gave out a new one at its address. The call that gave the former object
/// to C, or released it, may still be on its way back. All other uses are of an object that is still there: the new one may be
/// a part of that.
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
    table().remove_where(|entry| entry.depth.thread != here);
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
    /// The handle that C would keep this one in, if calls on that one do not borrow the parent of this one (`mut_parent`).
    misplaced_in: Option<Id>,
    handle: PhantomData<&'a ()>,
}

impl<'a> Use<'a> {
    /// The use, if the table has to know it.
    #[inline]
    fn of(id: Id, is_counted: bool, exclusive: bool) -> Option<Self> {
        let is_of_interest =
            is_counted || (exclusive || is_watching()) && is_of_interest(id.kind(), exclusive);
        is_of_interest.then_some(Use::noted(id, exclusive))
    }

    /// The use, which the table has to know.
    fn noted(id: Id, exclusive: bool) -> Self {
        Use {
            id,
            exclusive,
            reads_parent: false,
            leaves: false,
            misplaced_in: None,
            handle: PhantomData,
        }
    }

    /// Makes it the use by a call that gives the object to C, or releases it.
    fn leaving(self) -> Self {
        Use {
            leaves: true,
            ..self
        }
    }

    /// The use of the object itself.
    fn own_claim(&self) -> Claim {
        let claim = Claim::of(self.id, self.exclusive);
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
    fn claim_alone(&self) -> Option<Claim> {
        let kind = self.id.kind();
        let is_alone = !kind.is_view() && !kind.has_relatives();
        is_alone.then(|| self.own_claim())
    }

    /// Adds the uses of the object and of all that it lives in.
    fn claim(&self, claims: &mut Vec<Claim>) {
        claims.push(self.own_claim());
        let alone = match self.exclusive && !self.reads_parent {
            true => children::exclusive_parents(self.id),
            false => Vec::new(),
        };
        let ancestors = children::ancestors(self.id).into_iter();
        claims.extend(ancestors.map(|id| Claim::of(id, alone.contains(&id))));
    }
}

/// Returns whether a use of a handle without counted owners can meet another one that the borrow checker does not see.
#[inline(never)]
fn is_of_interest(kind: &HandleKind, exclusive: bool) -> bool {
    exclusive && (expected::is_expected() || expected::may_lend())
        || is_any_exclusive() && is_inside()
        || children::is_any_held()
        || HIDDEN.load(Ordering::Relaxed) && (kind.is_view() || kind.has_relatives())
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
    fn of(number: u64) -> Self {
        Uses {
            number,
            quiet: false,
            _thread: PhantomData,
        }
    }

    /// Ends the uses of a call whose result has its owner: what went wrong may be asked of the same handles. Releases that
    /// waited run when the call has ended (`AtEnd`).
    pub(crate) fn end(mut self) {
        self.quiet = true;
    }
}

impl Drop for Uses {
    fn drop(&mut self) {
        // Also where somebody else dropped one early: a call's uses end with that call alone.
        table().end(self.number);
        if !self.quiet {
            release_put_off();
        }
    }
}

/// Begins the uses of a call.
///
/// # Errors
///
/// [`Error::Busy`] if another use excludes one of them, if two arguments are one object, of which one is exclusive, or if a
/// child holds one of them (`children`).
#[inline]
pub fn begin<const N: usize>(uses: [Option<Use<'_>>; N]) -> Result<Option<Uses>> {
    match uses.iter().all(Option::is_none) {
        true => Ok(None),
        false => begin_some(&uses.map(unless_interrupting)).map(Some),
    }
}

#[inline(never)]
fn begin_some(uses: &[Option<Use<'_>>]) -> Result<Uses> {
    let mut all = uses.iter().flatten();
    if let Some((given, keeper)) = all.find_map(|one| Some((one.id, one.misplaced_in?))) {
        return Err(misplaced(given, keeper));
    }
    // The claims before the look at the holders: a call that makes a holder is in the table until the holder is known.
    let begun = loop {
        // What the handles live in may change while this thread waits.
        match begin_noted(uses) {
            Err(Refused::For(error)) => return Err(error),
            Err(Refused::Until(ends)) => waiting::wait(ends)?,
            Ok(begun) => break begun,
        }
    };
    if children::is_any_held() {
        let mut ids = uses.iter().flatten().map(|one| one.id);
        if let Some((held, holder)) = ids.find_map(|id| Some((id, children::holder(id)?))) {
            begun.end();
            return Err(Error::Held(held.kind().name(), holder.kind().name()));
        }
    }
    Ok(begun)
}

/// The reason why uses do not begin.
enum Refused {
    /// They exclude each other, or this thread may not wait.
    For(Error),
    /// Another thread's call is in the way. The number is that of the uses that had ended then.
    Until(u64),
}

fn begin_noted(uses: &[Option<Use<'_>>]) -> Result<Uses, Refused> {
    let mut all = uses.iter().flatten();
    if let (Some(one), None) = (all.next(), all.next())
        && let Some(claim) = one.claim_alone()
    {
        return begin_claims(&[claim], By::Call);
    }
    let mut claims = Vec::new();
    for one in uses.iter().flatten() {
        let first = claims.len();
        one.claim(&mut claims);
        let (before, own) = claims.split_at(first);
        let same = |own: &&Claim| {
            let meets =
                |other: &Claim| own.object == other.object && (own.exclusive || other.exclusive);
            own.counted && before.iter().any(meets)
        };
        if own.iter().any(|claim| same(&claim)) {
            return Err(Refused::For(Error::Busy(one.id.kind().name())));
        }
    }
    begin_claims(&claims, By::Call)
}

fn begin_claims(claims: &[Claim], by: By) -> Result<Uses, Refused> {
    watch_forks();
    let depth = Depth::here();
    let mut table = table();
    let mut claimed = claims.iter();
    let refused = |claim| Some((claim, table.refuses(claim, by, depth)?));
    if let Some((refused, name)) = claimed.find_map(refused) {
        let waits = by == By::Call && waiting::may_wait_for(&table, refused, depth);
        return Err(match waits {
            true => Refused::Until(table.ends()),
            false => Refused::For(Error::Busy(name)),
        });
    }
    Ok(Uses::of(table.begin(claims, by, depth)))
}

/// The use of a handle whose field is read or written, until the value was copied. One word, which is null for a quiet
/// access.
#[derive(Debug)]
pub struct FieldUse {
    _watched: Option<Box<WatchedUse>>,
}

#[derive(Debug)]
struct WatchedUse {
    _uses: Option<Uses>,
    _attached: Option<Attached>,
}

impl FieldUse {
    #[cold]
    fn watched<T: Handle>(handle: &T, exclusive: bool, attaches: bool) -> Result<Self> {
        let watched = WatchedUse {
            _uses: begin([Argument(handle).in_use(exclusive)])?,
            _attached: match attaches {
                true => Attached::again(),
                false => None,
            },
        };
        Ok(FieldUse {
            _watched: Some(Box::new(watched)),
        })
    }
}

/// The pointer to a handle whose field is read or written, and the use.
///
/// # Errors
///
/// As for [`begin`].
#[inline]
pub fn field<T: Handle>(handle: &T, exclusive: bool) -> Result<(*mut T::Raw, FieldUse)> {
    let attaches = const { !T::SPEC.is_callback_only() };
    field_by(handle, exclusive, attaches)
}

/// As [`field`], for a field that is read and written beside calls on other threads.
///
/// # Errors
///
/// As for [`begin`].
#[inline]
pub fn atomic_field<T: Handle>(handle: &T, exclusive: bool) -> Result<(*mut T::Raw, FieldUse)> {
    field_by(handle, exclusive, false)
}

#[inline(always)]
fn field_by<T: Handle>(
    handle: &T,
    exclusive: bool,
    attaches: bool,
) -> Result<(*mut T::Raw, FieldUse)> {
    let used = match may_be_quiet(exclusive) && const { !T::SPEC.meets_counted() } {
        true => FieldUse { _watched: None },
        false => FieldUse::watched(handle, exclusive, attaches)?,
    };
    Ok((handle.as_raw(), used))
}

/// Returns the uses of a call that cannot fail.
///
/// # Panics
///
/// Where [`begin`] failed. On a thread that is attached to Python the panic carries the error, so that the call from Python
/// raises that.
#[inline]
pub fn granted<R>(uses: Result<R>) -> R {
    match uses {
        Ok(uses) => uses,
        Err(error) => refuse(error),
    }
}

#[cold]
fn refuse(error: Error) -> ! {
    match is_attached() {
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
    struct Outer(Option<Id>);
    impl Drop for Outer {
        fn drop(&mut self) {
            INTERRUPTED.set(self.0);
        }
    }
    let _outer = Outer(INTERRUPTED.replace(Some(id)));
    interrupt()
}

/// Leaves out a use by the method that wakes the calls on the handle.
fn unless_interrupting(one: Option<Use<'_>>) -> Option<Use<'_>> {
    let interrupted = INTERRUPTED.get();
    one.filter(|one| one.exclusive || interrupted != Some(one.id))
}

/// The uses of a call that is about to begin.
#[doc(hidden)]
#[derive(Debug)]
pub struct UsesToBegin<B> {
    /// Set if an argument has counted owners, or is given to C: the table has to know the call in any case.
    pub is_counted: bool,
    /// Set if an argument is used exclusively.
    pub is_exclusive: bool,
    /// Begins the uses.
    pub begin: B,
}

/// [`begin`] for arguments and how they are used: `(&argument, exclusive)`, `(option, exclusive, optional)`, or
/// `(place, given)` for a handle that is given to C, with `&receiver` as the third where there is one.
#[doc(hidden)]
#[macro_export]
macro_rules! __uses {
    ($(($argument:expr $(, $how:tt)*)),*) => {{
        #[allow(unused_imports, reason = "one of the two suffices where all arguments are handles, or none is")]
        use $crate::__private::uses::{OfHandle as _, OfOther as _};
        $crate::__private::uses::UsesToBegin {
            is_counted: false $(|| $crate::__counted!($argument $(, $how)*))*,
            is_exclusive: false $(|| $crate::__exclusive!($($how),*))*,
            begin: || $crate::__private::uses::begin([$($crate::__use!($argument $(, $how)*)),*]),
        }
    }};
}

/// [`__uses!`] for a call that gives handles to C: the uses begin at once, because the call changes the places of the handles.
#[doc(hidden)]
#[macro_export]
macro_rules! __uses_with_given {
    ($(($($argument:tt)*)),*) => {{
        #[allow(unused_imports, reason = "one of the two suffices where all arguments are handles, or none is")]
        use $crate::__private::uses::{OfHandle as _, OfOther as _};
        let begun = $crate::__private::uses::begin([$($crate::__use!($($argument)*)),*]);
        $crate::__private::uses::UsesToBegin {
            is_counted: true,
            is_exclusive: true,
            begin: move || begun,
        }
    }};
}

/// Set if one argument of [`__uses!`] has counted owners.
#[doc(hidden)]
#[macro_export]
macro_rules! __counted {
    ($argument:expr, $exclusive:literal, optional) => {
        $argument.is_some_and(|handle| (&$crate::__private::uses::Argument(handle)).is_counted())
    };
    ($argument:expr, $($how:tt)*) => {
        (&$crate::__private::uses::Argument($argument)).is_counted()
    };
}

/// Set if one argument of [`__uses!`] is used exclusively.
#[doc(hidden)]
#[macro_export]
macro_rules! __exclusive {
    () => {
        false
    };
    ($exclusive:literal $(, $how:ident)*) => {
        $exclusive
    };
}

/// One argument of [`__uses!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __use {
    ($argument:expr, given) => {
        $crate::__private::uses::given($argument)
    };
    ($argument:expr, given, $keeper:expr) => {
        $crate::__private::uses::given_in($argument, $keeper)
    };
    ($argument:expr, $exclusive:literal) => {
        (&$crate::__private::uses::Argument($argument)).in_use($exclusive)
    };
    ($argument:expr, $exclusive:literal, reads_parent) => {
        (&$crate::__private::uses::Argument($argument))
            .in_use($exclusive)
            .map($crate::__private::uses::Use::reading_parent)
    };
    ($argument:expr, $exclusive:literal, optional) => {
        $argument.and_then(|handle| (&$crate::__private::uses::Argument(handle)).in_use($exclusive))
    };
}

/// An argument of a call, which may be a handle.
#[doc(hidden)]
#[derive(Debug)]
pub struct Argument<'a, T: ?Sized>(pub &'a T);

/// The use of an [`Argument`] that is a handle.
#[doc(hidden)]
pub trait OfHandle {
    /// Returns whether the handle has counted owners.
    fn is_counted(&self) -> bool;

    /// The use, if the table has to know it.
    fn in_use(&self, exclusive: bool) -> Option<Use<'static>>;
}

impl<T: Handle> OfHandle for Argument<'_, T> {
    #[inline(always)]
    fn is_counted(&self) -> bool {
        const { T::SPEC.meets_counted() }
    }

    #[inline]
    fn in_use(&self, exclusive: bool) -> Option<Use<'static>> {
        Use::of(Id::of(self.0), const { T::SPEC.meets_counted() }, exclusive)
    }
}

/// The answer for any other [`Argument`]. The compiler prefers [`OfHandle`], which needs one reference less.
#[doc(hidden)]
pub trait OfOther {
    /// Returns false.
    fn is_counted(&self) -> bool;

    /// Nothing is used.
    fn in_use(&self, exclusive: bool) -> Option<Use<'static>>;
}

impl<T: ?Sized> OfOther for &Argument<'_, T> {
    #[inline(always)]
    fn is_counted(&self) -> bool {
        false
    }

    #[inline]
    fn in_use(&self, _: bool) -> Option<Use<'static>> {
        None
    }
}

/// The use of a handle that is given to C: exclusive.
#[doc(hidden)]
#[inline]
pub fn given<'a, T: Handle>(place: &'a Option<Transfer<'_, T>>) -> Option<Use<'a>> {
    let handle = place.as_ref()?;
    let id = Id::new(T::kind(), handle.raw().as_ptr().cast());
    Use::of(id, const { T::SPEC.meets_counted() }, true).map(Use::leaving)
}

/// The use of a handle that is given to C by a call on `keeper`: exclusive.
#[doc(hidden)]
#[inline]
pub fn given_in<'a, T: Handle, K: Handle>(
    place: &'a Option<Transfer<'_, T>>,
    keeper: &K,
) -> Option<Use<'a>> {
    if const { !T::SPEC.sharing.mut_parent } {
        return given(place);
    }
    let (id, keeper) = (
        Id::new(T::kind(), place.as_ref()?.raw().as_ptr().cast()),
        Id::of(keeper),
    );
    match children::borrows_parent_of(keeper, id) {
        true => given(place),
        false => Some(Use {
            misplaced_in: Some(keeper),
            ..Use::noted(id, true)
        }),
    }
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

/// The use of a handle that a callback gives to C: exclusive.
pub(crate) fn giving<'a, T: Resource>(handle: &'a Owned<'_, T>) -> Option<Use<'a>> {
    let id = Id::of::<T>(handle);
    Use::of(id, const { T::SPEC.meets_counted() }, true).map(Use::leaving)
}

/// A type of callback parameters that hold handles.
#[doc(hidden)]
pub trait Handles {
    /// Shows each of them.
    fn each(&self, show: &mut dyn FnMut(Id));
}

impl<T: Handle> Handles for Borrowed<'_, T> {
    fn each(&self, show: &mut dyn FnMut(Id)) {
        const {
            assert!(
                !T::SPEC.hides_owner(),
                "a callback cannot take a part that does not know its owner, because other code may use that exclusively, or \
                 release it: add `owner_field = …` to the annotation of the part, or annotate the part `callback_only`"
            );
        }
        show(Id::of::<T>(self));
    }
}

impl<T: Resource> Handles for Owned<'_, T> {
    fn each(&self, _: &mut dyn FnMut(Id)) {
        const {
            assert!(
                T::SPEC.parent.is_none(),
                "a callback cannot take a handle that lives in a parent: nobody would know in which one, so which has to \
                 outlive it. Let it take a reference, and make the handle by a method of its parent"
            );
        }
    }
}

impl<H: Handles> Handles for Option<H> {
    fn each(&self, show: &mut dyn FnMut(Id)) {
        self.iter().for_each(|handles| handles.each(show));
    }
}

impl<H: Handles> Handles for Vec<H> {
    fn each(&self, show: &mut dyn FnMut(Id)) {
        self.iter().for_each(|handles| handles.each(show));
    }
}

/// An argument that C passed to a callback, before the callback sees it.
#[doc(hidden)]
pub struct Passed<'a, T>(pub &'a T);

impl<T: Handles> Passed<'_, T> {
    /// Begins the use of the handles by the callback. What holds no handles has [`HoldsNone::begin`].
    ///
    /// # Errors
    ///
    /// [`Error::Busy`] if another use excludes this one.
    pub fn begin(self, exclusive: bool) -> Result<Passing> {
        let (mut claims, mut lent) = (Vec::new(), Vec::new());
        self.0.each(&mut |id| {
            Use::noted(id, exclusive).claim(&mut claims);
            if id.kind().calls_back() {
                let homes = children::ancestors(id).into_iter().chain([id]);
                lent.extend(homes.filter_map(|id| lend_values(id.kind(), id.raw())));
            }
        });
        let uses = begin_claims(&claims, By::Callback).map_err(|refused| match refused {
            Refused::For(error) => error,
            Refused::Until(_) => unreachable!("a callback does not wait"),
        })?;
        Ok(Passing {
            _uses: uses,
            _lent: lent,
        })
    }
}

/// The use of the handles that C passed to a callback, until the callback has ended.
#[doc(hidden)]
#[derive(Debug)]
pub struct Passing {
    _uses: Uses,
    /// What the callback may borrow from the handles.
    _lent: Vec<LentValues>,
}

impl Passing {
    /// Ends the use: the callback has returned.
    pub fn end(self) {
        drop(self);
    }
}

/// The use of nothing.
#[doc(hidden)]
#[derive(Debug)]
pub struct NoUse;

impl NoUse {
    /// Nothing to end.
    pub fn end(self) {}
}

/// The answer for a parameter without handles.
#[doc(hidden)]
pub trait HoldsNone: Sized {
    /// Nothing to refuse.
    ///
    /// # Errors
    ///
    /// None.
    fn begin(self, _: bool) -> Result<NoUse> {
        Ok(NoUse)
    }
}

impl<T> HoldsNone for Passed<'_, T> {}
