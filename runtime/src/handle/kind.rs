//! What all handles of one type share, and how many of them live.
//!
//! Every kind of handle that is linked in registers itself before `main`, so that counts start at zero and no type is
//! missing from them. Views have no resource of their own and are not listed.

use std::collections::BTreeMap;
use std::mem;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicIsize, Ordering};

use crate::attachment::{self, DetachedSideData};
use crate::callback;
use crate::children::{self, Id, Lived};
use crate::error::Error;
use crate::exclusive_use::{self, Used};
use crate::failpoint::{CallSite, FailPoint};
use crate::fork;
use crate::handle::{
    Handle, HandleSpec, HasOwnerField, IntegerHandle, Number, RefCounted, ReleaseError, Resource,
    Sharing, raw_to_number,
};
use crate::interpreter::report;
use crate::panics::Caught;
use crate::single_owner;

/// The facts and the count of one handle type.
#[derive(Debug)]
pub struct HandleKind {
    name: &'static str,
    spec: &'static HandleSpec,
    release: Option<Release>,
    warns: bool,
    counted: bool,
    group: Option<fn() -> &'static HandleKind>,
    refusable: Option<(&'static CallSite, bool)>,
    number: Option<fn(*mut ()) -> i64>,
    interrupt: Option<Interrupt>,
    /// Whether its handles have an entry in [`attachments`].
    keeps: bool,
    retain: Option<Retain>,
    owner: Option<Owner>,
    /// Set once some of its handles are in the table of [`children`].
    has_relatives: AtomicBool,
    /// Set once C lent some of its handles.
    is_lent: AtomicBool,
    thread_bound: bool,
    process_bound: bool,
    #[cfg(all(feature = "python", Py_GIL_DISABLED))]
    asked: bool,
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python needs to know")
    )]
    beside: &'static [fn() -> &'static HandleKind],
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
    /// The kind of a type that is released.
    pub const fn resource<T: Resource>() -> Self {
        let spec = T::SPEC;
        HandleKind {
            release: Some(release_erased::<T>),
            keeps: spec.attachments,
            beside: T::BESIDE,
            ..Self::view::<T>()
        }
    }

    /// The kind of a type that lives inside another one, or that C only lends.
    pub const fn view<T: Handle>() -> Self {
        let spec = T::SPEC;
        HandleKind {
            name: T::NAME,
            spec,
            release: None,
            warns: false,
            counted: false,
            group: None,
            refusable: None,
            number: None,
            interrupt: None,
            keeps: false,
            retain: None,
            owner: None,
            has_relatives: AtomicBool::new(false),
            is_lent: AtomicBool::new(false),
            thread_bound: spec.is_thread_bound(),
            process_bound: spec.is_process_bound(),
            #[cfg(all(feature = "python", Py_GIL_DISABLED))]
            asked: spec.is_asked(),
            beside: &[],
            live: AtomicIsize::new(0),
        }
    }

    /// The same, and a handle that is dropped unclosed in Python emits a `ResourceWarning`.
    pub const fn warning(mut self) -> Self {
        self.warns = true;
        self
    }

    /// The type whose owners C counts. `group` is the type that names the handles which are borrowed as one; `None` for
    /// objects that are borrowed alone.
    pub const fn counted<T: RefCounted>(
        mut self,
        group: Option<fn() -> &'static HandleKind>,
    ) -> Self {
        self.counted = true;
        self.retain = Some(retain_erased::<T>);
        self.group = group;
        self
    }

    /// The type that names the handles which are borrowed as one, if there is such a group.
    pub fn group(&self) -> Option<&'static HandleKind> {
        self.group.map(|kind| kind())
    }

    /// How its handles share state with their parents.
    pub(crate) fn sharing(&self) -> &'static Sharing {
        &self.spec.sharing
    }

    /// Whether its handles end with the next exclusive borrow of their owner.
    pub fn is_until_mut(&self) -> bool {
        self.spec.sharing.until_mut
    }

    /// The same, and C's release function may fail, after which the resource is perhaps `kept`.
    pub const fn fallible_release(mut self, site: &'static CallSite, kept: bool) -> Self {
        self.refusable = Some((site, kept));
        self
    }

    /// Makes the kind one whose handles know what they are part of.
    pub const fn with_owner_field<T: HasOwnerField>(mut self) -> Self {
        self.owner = Some(owner_erased::<T>);
        self
    }

    /// The handle that the one at `raw` is part of, if that one knows.
    ///
    /// # Safety
    ///
    /// `raw` is a valid handle of this kind.
    pub(crate) unsafe fn owner(&self, raw: *mut ()) -> Option<Id> {
        // SAFETY: the caller's promise: `raw` is a valid handle of this kind.
        self.owner.and_then(|owner| unsafe { owner(raw) })
    }

    /// Counts one owner more of the handle at `raw`, which [`live_handles`] does not know.
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

    /// Ends what [`HandleKind::retain`] began.
    ///
    /// # Safety
    ///
    /// `retain` was called with `raw`, once for each call of this function.
    pub(crate) unsafe fn release(&self, raw: *mut ()) -> Result<(), ReleaseError> {
        // SAFETY: the caller's promise: `retain` added the owner that this releases.
        self.release
            .map_or(Ok(()), |release| unsafe { release(raw) })
    }

    /// Returns whether C lends its handles to callbacks alone.
    pub(crate) fn is_callback_only(&self) -> bool {
        self.spec.is_callback_only()
    }

    /// Notes that some of its handles live in others, or others in them.
    #[inline]
    pub(crate) fn note_relatives(&self) {
        if !self.has_relatives.load(Ordering::Relaxed) {
            self.has_relatives.store(true, Ordering::Relaxed);
        }
    }

    /// Notes that C lent one of its handles.
    pub(crate) fn note_lent(&self) {
        self.note_relatives();
        self.is_lent.store(true, Ordering::Relaxed);
    }

    /// Returns whether C lent some of its handles.
    pub(crate) fn is_lent(&self) -> bool {
        self.is_lent.load(Ordering::Relaxed)
    }

    /// Takes the parents of the handle at `raw`, which is about to go.
    pub(crate) fn lived(&'static self, raw: *mut ()) -> Option<Lived> {
        let has_relatives = self.has_relatives.load(Ordering::Relaxed);
        has_relatives.then(|| children::end(Id::new(self, raw)))?
    }

    /// The same, and it is a number.
    pub const fn numbered<T: IntegerHandle>(mut self) -> Self {
        self.number = Some(|raw| raw_to_number::<T>(raw).widen().cast_signed());
        self
    }

    /// The number, if it is one.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python shows it")
    )]
    pub(crate) fn number(&self, raw: *mut ()) -> Option<i64> {
        self.number.map(|number| number(raw))
    }

    /// The same, and `interrupt` wakes the C functions that block on it.
    pub const fn interruptible(mut self, interrupt: Interrupt) -> Self {
        self.interrupt = Some(interrupt);
        self
    }

    /// Wake the C functions that block on it, if there is a way.
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

    /// Whether several handles may own the same native object.
    pub fn is_counted(&self) -> bool {
        self.counted
    }

    /// Whether dropping one unclosed is worth a warning.
    pub fn warns_unclosed(&self) -> bool {
        self.warns
    }

    /// The type's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether handles of this kind own nothing.
    pub fn is_view(&self) -> bool {
        self.release.is_none()
    }

    /// Whether its handles keep values.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python needs to know")
    )]
    pub(crate) fn keeps(&self) -> bool {
        self.keeps
    }

    /// Whether only the thread that made a handle may use it.
    pub fn is_thread_bound(&self) -> bool {
        self.thread_bound
    }

    /// Whether only the process that made a handle may use it.
    pub fn is_process_bound(&self) -> bool {
        self.process_bound
    }

    /// Returns whether calls on its handles change what errors ask for without a lock of the library.
    #[cfg(all(feature = "python", Py_GIL_DISABLED))]
    pub(crate) fn is_asked(&self) -> bool {
        self.asked
    }

    /// What its handles live in, besides their parent.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python needs to know")
    )]
    pub(crate) fn beside(&self) -> &'static [fn() -> &'static HandleKind] {
        self.beside
    }

    /// C made one more, at `raw`. Returns false if the handle has another owner, which keeps it.
    #[must_use = "a handle that has another owner is not owned here"]
    pub(crate) fn on_acquire(&'static self, raw: *mut ()) -> bool {
        if !self.counted && !single_owner::own(self.name, self.key(raw)) {
            return false;
        }
        self.live.fetch_add(1, Ordering::Relaxed);
        if self.is_lent() {
            children::not_lent(Id::new(self, raw));
        }
        if self.process_bound {
            fork::made(self.key(raw));
        }
        if self.keeps {
            callback::expect();
            attachment::begin(self, raw);
        }
        true
    }

    /// The handle at `raw` among those of all kinds.
    pub(crate) fn key(&'static self, raw: *mut ()) -> (usize, usize) {
        (ptr::from_ref(self).addr(), raw.addr())
    }

    /// Take what the handle at `raw` has besides its pointer, which C may soon give to another one.
    pub(crate) fn end(&'static self, raw: *mut ()) -> Option<DetachedSideData> {
        single_owner::disown(self.key(raw));
        self.keeps.then(|| attachment::end(self, raw))?
    }

    /// The handle at `raw` has its owner again, after [`HandleKind::end`]: C did not release it, or did not take it over.
    pub(crate) fn go_on(&'static self, raw: *mut (), ended: Option<DetachedSideData>) {
        if !self.counted {
            single_owner::own_again(self.key(raw));
        }
        if let Some(ended) = ended {
            ended.put_back(raw);
        }
    }

    /// Let the handle at `raw` be, which belongs to the process that this one was forked from.
    pub(crate) fn abandon(&'static self, raw: *mut ()) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        self.lived(raw).into_iter().for_each(Lived::left_behind);
        if let Some(ended) = self.end(raw) {
            // A panic of what is dropped ends here: there is no call that it could come out of.
            ended.finish(&Caught::new());
        }
    }

    /// Count one less that C has taken over.
    pub(crate) fn on_transfer(&'static self, raw: *mut ()) {
        self.live.fetch_sub(1, Ordering::Relaxed);
        if self.process_bound {
            fork::gone(self.key(raw));
        }
    }

    /// [`HandleKind::release_once`] for somebody who asked for it and hears how it ended: where C's function can fail there is a
    /// failpoint. What is dropped has none: nothing could be done about it.
    ///
    /// # Safety
    ///
    /// As for `release_once`.
    pub(crate) unsafe fn close(&'static self, raw: *mut ()) -> Result<(), ReleaseError> {
        let refusal = self
            .refusable
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

    /// Release the resource and count one less, unless it is still there. A panic of the author's code, such as the `Drop`
    /// of what the handle kept, is the error that this ends with: nothing unwinds from here. While other handles live in
    /// this one its release is put off.
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
        if self.has_relatives.load(Ordering::Relaxed)
            && !self.counted
            && is_own
            && let Some(put_off) = children::put_off(id)
        {
            return put_off;
        }
        if self.process_bound && !fork::gone(self.key(raw)) {
            self.abandon(raw);
            return Ok(());
        }
        let (ended, lived) = (self.end(raw), self.lived(raw));
        let caught = Caught::new();
        // SAFETY: guarantee 2: this is the only release of the handle, which is of the type that `release` was made
        // for. the caller's promise: nobody uses the handle any more.
        let release = || unsafe { release(raw) };
        let used = [Used::released(id)];
        // A callback of the release finds a handle that is partly gone.
        let used = &used[..usize::from(callback::is_expected())];
        let released = caught.run(|| {
            exclusive_use::during(used, || match &lived {
                None => release(),
                Some(lived) => lived.during(release),
            })
        });
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

    /// Settle who has what the handle at `raw` kept, after its release.
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
            (Err(ReleaseError { kept: true, .. }), ended) => self.go_on(raw, ended),
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
