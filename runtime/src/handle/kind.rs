//! Facts that all handles of one type share, and the number of live ones.
//!
//! Every kind of handle that is linked in registers itself before `main`, so counts start at zero and no type is
//! missing. Views have no resource of their own and are not listed.

use std::collections::BTreeMap;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU8, Ordering};

use crate::attachment::{self, DetachedSideData};
use crate::callback;
use crate::children::{self, Given, Id, Lived};
use crate::error::Error;
use crate::failpoint::{CallSite, FailPoint};
use crate::fork;
use crate::handle::{
    Handle, HandleSpec, HasOwnerField, IntegerHandle, Number, RefCounted, ReleaseError, Resource,
    Sharing, raw_to_number,
};
use crate::interpreter::report;
use crate::panics::Caught;
use crate::single_owner;
use crate::uses;

/// The facts and the count of one handle type.
#[derive(Debug)]
pub struct HandleKind {
    name: &'static str,
    spec: &'static HandleSpec,
    release: Option<Release>,
    warns_unclosed: bool,
    ref_counted: bool,
    group: Option<fn() -> &'static HandleKind>,
    fallible_release: Option<(&'static CallSite, bool)>,
    number: Option<fn(*mut ()) -> i64>,
    interrupt: Option<Interrupt>,
    /// Set if the handles have side data in [`attachment`].
    attachments: bool,
    retain: Option<Retain>,
    owner: Option<Owner>,
    /// 2 if C lends its handles to callbacks, 1 if it does not, 0 until somebody asked.
    lent_to_callbacks: AtomicU8,
    /// Set once some of its handles are in the table of [`children`].
    has_relatives: AtomicBool,
    thread_bound: bool,
    process_bound: bool,
    #[cfg(all(feature = "python", Py_GIL_DISABLED))]
    asked: bool,
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python needs to know")
    )]
    extra_parents: &'static [fn() -> &'static HandleKind],
    live: AtomicIsize,
}

type Interrupt = unsafe fn(NonNull<()>);
type Release = unsafe fn(*mut ()) -> Result<(), ReleaseError>;
type Retain = unsafe fn(*mut ());
type Owner = unsafe fn(*mut ()) -> Option<Id>;

/// A kind that is listed in [`live_handles`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Listed(pub &'static HandleKind);

inventory::collect!(Listed);

/// A kind of which C lends handles to callbacks, so that nobody knows what releases them.
#[doc(hidden)]
#[derive(Debug)]
pub struct LentToCallbacks {
    /// The kind.
    pub kind: fn() -> &'static HandleKind,
    /// Set if C does so, which depends on another type.
    pub is_lent: bool,
}

inventory::collect!(LentToCallbacks);

unsafe fn retain_erased<T: RefCounted>(raw: *mut ()) {
    // SAFETY: the caller's promise: a valid pointer of the kind's own type (`HandleKind::retain`).
    unsafe { T::retain(raw.cast()) };
}

unsafe fn owner_erased<T: HasOwnerField>(raw: *mut ()) -> Option<Id> {
    // SAFETY: the caller's promise: a valid pointer of the kind's own type (`HandleKind::owner`).
    let owner = unsafe { T::owner_of(raw.cast()) };
    (!owner.is_null()).then(|| Id::new(T::Owner::kind(), owner.cast()))
}

unsafe fn release_erased<T: Resource>(raw: *mut ()) -> Result<(), ReleaseError> {
    // SAFETY: the caller's promise: `HandleKind::release_once` passes a pointer of the kind's own type, once.
    unsafe { T::release(raw.cast()) }
}

impl HandleKind {
    /// Returns the kind of a type that is released.
    pub const fn resource<T: Resource>() -> Self {
        let spec = T::SPEC;
        HandleKind {
            release: Some(release_erased::<T>),
            attachments: spec.attachments,
            extra_parents: T::EXTRA_PARENTS,
            ..Self::view::<T>()
        }
    }

    /// Returns the kind of a type that lives inside another one, or that C only lends.
    pub const fn view<T: Handle>() -> Self {
        let spec = T::SPEC;
        HandleKind {
            name: T::NAME,
            spec,
            release: None,
            warns_unclosed: false,
            ref_counted: false,
            group: None,
            fallible_release: None,
            number: None,
            interrupt: None,
            attachments: false,
            retain: None,
            owner: None,
            lent_to_callbacks: AtomicU8::new(0),
            has_relatives: AtomicBool::new(false),
            thread_bound: spec.is_thread_bound(),
            process_bound: spec.is_process_bound(),
            #[cfg(all(feature = "python", Py_GIL_DISABLED))]
            asked: spec.is_asked(),
            extra_parents: &[],
            live: AtomicIsize::new(0),
        }
    }

    /// Makes Python emit a `ResourceWarning` when it drops an unclosed handle.
    pub const fn warn_unclosed(mut self) -> Self {
        self.warns_unclosed = true;
        self
    }

    /// Makes the kind one whose owners C counts. `group` is the type that names the handles which are borrowed as one;
    /// `None` for objects that are borrowed alone.
    pub const fn ref_counted<T: RefCounted>(
        mut self,
        group: Option<fn() -> &'static HandleKind>,
    ) -> Self {
        self.ref_counted = true;
        self.retain = Some(retain_erased::<T>);
        self.group = group;
        self
    }

    /// Returns the type that names the handles which are borrowed as one, if there is such a group.
    pub fn group(&self) -> Option<&'static HandleKind> {
        self.group.map(|kind| kind())
    }

    /// Returns the state that the handles share with their parents.
    pub(crate) fn sharing(&self) -> &'static Sharing {
        &self.spec.sharing
    }

    /// Returns whether the handles end with the next exclusive borrow of their owner.
    pub fn is_until_mut(&self) -> bool {
        self.spec.sharing.until_mut
    }

    /// Makes the release one that may fail. `kept` says that the resource is still there after a failure.
    pub const fn fallible_release(mut self, site: &'static CallSite, kept: bool) -> Self {
        self.fallible_release = Some((site, kept));
        self
    }

    /// Makes the kind one whose handles know their owner.
    pub const fn with_owner_field<T: HasOwnerField>(mut self) -> Self {
        self.owner = Some(owner_erased::<T>);
        self
    }

    /// Returns the owner of the handle at `raw`, if the handle knows it.
    ///
    /// # Safety
    ///
    /// `raw` is a valid handle of this kind.
    pub(crate) unsafe fn owner(&self, raw: *mut ()) -> Option<Id> {
        // SAFETY: the caller's promise: `raw` is a valid handle of this kind.
        self.owner.and_then(|owner| unsafe { owner(raw) })
    }

    /// Retains the handle at `raw`, for an owner that [`live_handles`] does not count.
    ///
    /// # Safety
    ///
    /// `raw` is a valid handle of this kind.
    pub(crate) unsafe fn retain(&self, raw: *mut ()) {
        if let Some(retain) = self.retain {
            // SAFETY: the caller's promise: `raw` is a valid handle of this kind.
            unsafe { retain(raw) };
        }
    }

    /// Releases an owner that [`HandleKind::retain`] added.
    ///
    /// # Safety
    ///
    /// `retain` was called with `raw`, once for each call of this function.
    pub(crate) unsafe fn release(&self, raw: *mut ()) -> Result<(), ReleaseError> {
        // SAFETY: the caller's promise: `retain` added the owner that this releases.
        self.release
            .map_or(Ok(()), |release| unsafe { release(raw) })
    }

    /// Returns whether C lends the handles to callbacks alone.
    pub(crate) fn is_callback_only(&self) -> bool {
        self.spec.is_callback_only()
    }

    /// Records that some handles of the kind live in others, or others in them.
    #[inline]
    pub(crate) fn note_relatives(&self) {
        if !self.has_relatives.load(Ordering::Relaxed) {
            self.has_relatives.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether some of its handles live in others, or others in them.
    pub(crate) fn has_relatives(&self) -> bool {
        self.has_relatives.load(Ordering::Relaxed)
    }

    /// Removes the parents of the handle at `raw`, which is about to go, from the table of [`children`].
    pub(crate) fn remove_parents(&'static self, raw: *mut ()) -> Option<Lived> {
        self.has_relatives()
            .then(|| children::end(Id::new(self, raw)))?
    }

    /// Notes that a call gives the handle at `raw` to C.
    pub(crate) fn begin_transfer(&'static self, raw: *mut ()) -> Option<Given> {
        let has_relatives = self.has_relatives.load(Ordering::Relaxed);
        has_relatives.then(|| Given::begin(Id::new(self, raw)))?
    }

    /// Returns whether C lends its handles to callbacks: then the table of [`children`] knows which are ours.
    #[inline]
    pub(crate) fn is_lent_to_callbacks(&'static self) -> bool {
        match self.lent_to_callbacks.load(Ordering::Relaxed) {
            0 => self.find_lent_to_callbacks(),
            answer => answer == 2,
        }
    }

    #[cold]
    fn find_lent_to_callbacks(&'static self) -> bool {
        let mut all = inventory::iter::<LentToCallbacks>.into_iter();
        let is_lent = all.any(|lent| lent.is_lent && ptr::eq((lent.kind)(), self));
        let is_lent = is_lent && !self.ref_counted && !self.is_view();
        let answer = 1 + u8::from(is_lent);
        self.lent_to_callbacks.store(answer, Ordering::Relaxed);
        is_lent
    }

    /// Returns whether its handles are numbers.
    pub(crate) fn is_integer(&self) -> bool {
        self.number.is_some()
    }

    /// Makes the kind one whose handles are numbers.
    pub const fn integer<T: IntegerHandle>(mut self) -> Self {
        self.number = Some(|raw| raw_to_number::<T>(raw).widen().cast_signed());
        self
    }

    /// Returns the number of the handle at `raw`, if handles of the kind are numbers.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python shows it")
    )]
    pub(crate) fn number(&self, raw: *mut ()) -> Option<i64> {
        self.number.map(|number| number(raw))
    }

    /// Sets `interrupt`, which wakes the C functions that block on a handle.
    pub const fn with_interrupt(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// Wakes the C functions that block on the handle at `raw`, if the kind has an `interrupt`.
    ///
    /// # Safety
    ///
    /// `raw` is a valid handle of this kind.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python closes beside calls")
    )]
    pub(crate) unsafe fn interrupt(&self, raw: NonNull<()>) {
        if let Some(interrupt) = self.interrupt {
            // SAFETY: the caller's promise.
            unsafe { interrupt(raw) };
        }
    }

    /// Returns whether several handles may own the same native object.
    pub fn is_counted(&self) -> bool {
        self.ref_counted
    }

    /// Returns whether a handle that is dropped unclosed emits a warning.
    pub fn warns_unclosed(&self) -> bool {
        self.warns_unclosed
    }

    /// Returns the name of the type.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns whether handles of this kind own nothing.
    pub fn is_view(&self) -> bool {
        self.release.is_none()
    }

    /// Returns whether the handles keep values.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python needs to know")
    )]
    pub(crate) fn has_attachments(&self) -> bool {
        self.attachments
    }

    /// Returns whether only the thread that made a handle may use it.
    pub fn is_thread_bound(&self) -> bool {
        self.thread_bound
    }

    /// Returns whether only the process that made a handle may use it.
    pub fn is_process_bound(&self) -> bool {
        self.process_bound
    }

    /// Returns whether calls on the handles change the answer that errors ask for, without a lock of the library.
    #[cfg(all(feature = "python", Py_GIL_DISABLED))]
    pub(crate) fn is_asked(&self) -> bool {
        self.asked
    }

    /// Returns the kinds of the parents besides the first one.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python needs to know")
    )]
    pub(crate) fn extra_parents(&self) -> &'static [fn() -> &'static HandleKind] {
        self.extra_parents
    }

    /// Counts the handle at `raw`, which C just made. Returns false if the handle has another owner, which keeps it.
    #[must_use = "a handle that has another owner is not owned here"]
    pub(crate) fn on_acquire(&'static self, raw: *mut ()) -> bool {
        if !self.ref_counted && !single_owner::own(self.name, self.key(raw)) {
            return false;
        }
        self.live.fetch_add(1, Ordering::Relaxed);
        uses::forget_former(Id::new(self, raw));
        if children::is_any_given() {
            children::given_out(Id::new(self, raw));
        }
        if self.is_lent_to_callbacks() {
            self.note_relatives();
            children::own(Id::new(self, raw));
        }
        if self.process_bound {
            fork::made(self.key(raw));
        }
        if self.attachments {
            callback::expect();
            attachment::insert(self, raw);
        }
        true
    }

    /// Returns the key of the handle at `raw` among those of all kinds.
    pub(crate) fn key(&'static self, raw: *mut ()) -> (usize, usize) {
        (ptr::from_ref(self).addr(), raw.addr())
    }

    /// Removes the side data of the handle at `raw`, whose address C may soon give to another handle.
    pub(crate) fn remove_side_data(&'static self, raw: *mut ()) -> Option<DetachedSideData> {
        single_owner::disown(self.key(raw));
        self.attachments.then(|| attachment::remove(self, raw))?
    }

    /// Restores the owner of the handle at `raw` after [`HandleKind::remove_side_data`]: C did not release the handle, or did not
    /// take it over.
    pub(crate) fn restore_owner(&'static self, raw: *mut (), ended: Option<DetachedSideData>) {
        if !self.ref_counted {
            single_owner::own_again(self.key(raw));
        }
        if let Some(ended) = ended {
            ended.put_back(raw);
        }
    }

    /// Forgets the handle at `raw`, which belongs to the process that this one was forked from, without a release.
    pub(crate) fn abandon(&'static self, raw: *mut ()) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.remove_parents(raw)
            .into_iter()
            .for_each(Lived::left_behind);
        if let Some(ended) = self.remove_side_data(raw) {
            // A panic of what is dropped ends here: there is no call that it could come out of.
            ended.finish(&Caught::new());
        }
    }

    /// Counts one handle less: C has taken over the one at `raw`.
    pub(crate) fn on_transfer(&'static self, raw: *mut ()) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        if self.process_bound {
            fork::gone(self.key(raw));
        }
    }

    /// Releases the handle as [`HandleKind::release_once`], for a caller that gets the error. If C's function can fail,
    /// there is a failpoint. The release of a dropped handle has none, because no caller could handle the failure.
    ///
    /// # Safety
    ///
    /// As for `release_once`.
    pub(crate) unsafe fn close(&'static self, raw: *mut ()) -> Result<(), ReleaseError> {
        let refusal = self
            .fallible_release
            .filter(|(site, _)| site.should_fail(FailPoint::Release));
        let refusal = refusal.map(|(site, kept)| ReleaseError {
            error: Error::Failed(site.function),
            kept,
            lost: false,
        });
        match refusal {
            Some(refusal) if refusal.kept => Err(refusal),
            // SAFETY: the caller's promise.
            refusal => unsafe { self.release_once(raw) }.and(refusal.map_or(Ok(()), Err)),
        }
    }

    /// Releases the resource and counts one handle less, unless the resource is still there. A panic of the author's
    /// code, such as the `Drop` of a value that the handle kept, becomes the error: nothing unwinds from here. While
    /// other handles live in this one, its release is deferred.
    ///
    /// # Safety
    ///
    /// `raw` is an acquired handle of this kind, and this is its only release.
    pub(crate) unsafe fn release_once(&'static self, raw: *mut ()) -> Result<(), ReleaseError> {
        let Some(release) = self.release else {
            return Ok(());
        };
        let id = Id::new(self, raw);
        let is_own = !self.process_bound || fork::is_own(self.key(raw));
        if self.has_relatives()
            && !self.ref_counted
            && is_own
            && let Some(put_off) = children::put_off(id)
        {
            return put_off;
        }
        if is_own && uses::put_off_release(id) {
            return Ok(());
        }
        if self.process_bound && !fork::gone(self.key(raw)) {
            self.abandon(raw);
            return Ok(());
        }
        // A callback of the release finds a handle that is partly gone.
        let uses = uses::releasing(id);
        let (ended, lived) = (self.remove_side_data(raw), self.remove_parents(raw));
        let caught = Caught::new();
        // SAFETY: guarantee 2: this is the only release of the handle, which is of the type that `release` was made
        // for. the caller's promise: nobody uses the handle any more.
        let release = || unsafe { release(raw) };
        let released = caught.run(|| match &lived {
            None => release(),
            Some(lived) => lived.during(release),
        });
        drop(uses);
        let released = released.unwrap_or_else(|| Err(ReleaseError::lost(&caught)));
        self.settle(raw, &released, ended, &caught);
        if let Some(lived) = lived {
            match &released {
                Err(unreleased) if unreleased.kept => lived.put_back(id),
                Err(unreleased) if unreleased.lost => mem::forget(lived),
                _ => drop(lived),
            }
        }
        match (released, caught.take()) {
            (released, None) => released,
            (Ok(()), Some(panic)) => Err(ReleaseError::gone(Error::panic(panic))),
            (Err(unreleased), Some(panic)) => Err(unreleased.panicked(panic)),
        }
    }

    /// Gives the side data of the handle at `raw` to its owner, after the release.
    fn settle(
        &'static self,
        raw: *mut (),
        released: &Result<(), ReleaseError>,
        ended: Option<DetachedSideData>,
        caught: &Caught,
    ) {
        let kept = matches!(released, Err(unreleased) if unreleased.kept);
        if self.process_bound && kept {
            fork::made(self.key(raw));
        }
        match (released, ended) {
            (Err(ReleaseError { kept: true, .. }), ended) => self.restore_owner(raw, ended),
            // C may still call what the handle keeps; so nothing of that is dropped.
            (Err(ReleaseError { lost: true, .. }), _) => report(Error::Value(format!(
                "nobody knows whether a {} was released, because what should have told panicked: it is leaked",
                self.name
            ))),
            (_, ended) => {
                self.live.fetch_sub(1, Ordering::Relaxed);
                if let Some(ended) = ended {
                    ended.finish(caught);
                }
            }
        }
    }
}

/// The number of live handles of every type that is linked in, by name.
///
/// Two types of the same name, in different modules of one crate, are added up.
pub fn live_handles() -> BTreeMap<&'static str, isize> {
    let mut counts = BTreeMap::new();
    for Listed(kind) in inventory::iter::<Listed> {
        *counts.entry(kind.name).or_insert(0) += kind.live.load(Ordering::Relaxed);
    }
    counts
}
