//! Facts that all handles of one type share, and the number of live ones.
//!
//! Every kind of handle that is linked in registers itself before `main`, so counts start at zero and no type is
//! missing. Views have no resource of their own and are not listed.

use std::any::TypeId;
use std::cmp;
use std::collections::{BTreeMap, BTreeSet};
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicBool, AtomicIsize, AtomicU8, Ordering};

use crate::failpoint::CallSite;
use crate::handle::release_error::ReleaseError;
use crate::handle::spec::{HandleSpec, Sharing};
use crate::handle::tree_ops::TreeOps;
use crate::interpreter::Attached;

/// The facts and the count of one handle type. The state of a view has bits of its own in the address of its kind.
#[derive(Debug)]
#[repr(align(32))]
pub struct HandleKind {
    pub(super) name: &'static str,
    pub(super) spec: &'static HandleSpec,
    /// The C type of the handles.
    pub(super) c_type: fn() -> TypeId,
    pub(super) release: Option<Release>,
    pub(super) warns_unclosed: bool,
    pub(super) ref_counted: bool,
    pub(super) group: Option<fn() -> &'static HandleKind>,
    pub(super) fallible_release: Option<(&'static CallSite, bool)>,
    /// Set if the release function runs without the GIL: `release(f, detach)`.
    pub(super) detached_release: bool,
    pub(super) number: Option<fn(*mut ()) -> i64>,
    pub(super) interrupt: Option<Interrupt>,
    /// Set if the handles have side data in [`attachment`].
    pub(super) attachments: bool,
    pub(super) retain: Option<Retain>,
    pub(super) owner: Option<Owner>,
    /// Set for parts that move: `tree(…)`.
    pub(super) tree: Option<TreeOps>,
    /// Returns the kind of the first parent of a resource, or of the owner of a part.
    pub(super) parent: fn() -> Option<&'static HandleKind>,
    /// 2 if callbacks may write its objects by another type, 1 if they do not, 0 until somebody asked.
    pub(super) written_by_callbacks: AtomicU8,
    /// 2 if C may get its handles until nobody knows when, 1 if it does not, 0 until somebody asked.
    pub(super) left_to_c: AtomicU8,
    /// 3 if C lends its handles to callbacks, 2 if it does so only by a type of its own (`callback_only`), 1 if it
    /// does not, 0 until somebody asked.
    pub(super) lent_to_callbacks: AtomicU8,
    /// 2 if C lends its handles to calls, 1 if it does not, 0 until somebody asked.
    pub(super) lent_to_calls: AtomicU8,
    /// Set once some of its handles are in the table of [`children`].
    pub(super) has_relatives: AtomicBool,
    /// Set once some of its handles live in others there, or C keeps something in them, or them in others.
    pub(super) reaches_others: AtomicBool,
    pub(super) thread_bound: bool,
    pub(super) process_bound: bool,
    pub(super) extra_parents: &'static [fn() -> &'static HandleKind],
    pub(super) live: AtomicIsize,
    /// The number of handles that are kept for reuse.
    pub(crate) idle: AtomicIsize,
}

pub(super) type Interrupt = unsafe fn(NonNull<()>);
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
    /// Set if a method returns it as `Borrowed`.
    pub is_lent_by_call: bool,
    /// Set if a callback has the handle by `&mut`.
    pub is_written: bool,
    /// The kinds of handles that lend them, in a call; `None` for an argument that is no handle.
    pub lenders: &'static [Option<fn() -> &'static HandleKind>],
    /// The type of the callback's state, for a callback's parameter.
    pub state: Option<fn() -> TypeId>,
}

inventory::collect!(LentToCallbacks);

/// A method that passes a callback to C.
#[doc(hidden)]
#[derive(Debug)]
pub struct PassesCallback {
    /// The kinds of the handles that the method uses; `None` for an argument that is no handle.
    pub lenders: &'static [Option<fn() -> &'static HandleKind>],
    /// The type of the callback's state.
    pub state: fn() -> TypeId,
}

inventory::collect!(PassesCallback);

/// Lists a handle type that a method makes: C may have such handles in those that the method uses.
#[doc(hidden)]
#[macro_export]
macro_rules! __makes {
    ([$($lender:ty),*] $made:ty) => {
        const _: () = {
            #[allow(unused_imports, reason = "for parameters that are no handles")]
            use $crate::__private::handle::LendsNothing as _;
            $crate::__private::inventory::submit! {
                $crate::__private::kind::LentToCallbacks {
                    kind: <$made as $crate::__private::handle::Handle>::kind,
                    is_lent: false,
                    is_lent_by_call: false,
                    is_written: false,
                    lenders: &[$($crate::__private::handle::Lender::<$lender>::KIND),*],
                    state: ::core::option::Option::None,
                }
            }
        };
    };
}

/// Lists the state of a callback that a method passes to C: C may have in the handles that the method uses what it
/// lends to the callback.
#[doc(hidden)]
#[macro_export]
macro_rules! __passes {
    ([$($lender:ty),*] $state:ty) => {
        const _: () = {
            #[allow(unused_imports, reason = "for parameters that are no handles")]
            use $crate::__private::handle::LendsNothing as _;
            $crate::__private::inventory::submit! {
                $crate::__private::kind::PassesCallback {
                    lenders: &[$($crate::__private::handle::Lender::<$lender>::KIND),*],
                    state: ::core::any::TypeId::of::<$state>,
                }
            }
        };
    };
}

/// A method that gives C a handle, which C keeps in another one.
#[doc(hidden)]
#[derive(Debug)]
pub struct Keeping {
    /// Set if calls on the other one then use handles that others use, too.
    pub reaches_others: bool,
    /// The kind of the handle that C is given.
    pub given: fn() -> &'static HandleKind,
    /// The kind of the other one.
    pub keeper: fn() -> &'static HandleKind,
}

inventory::collect!(Keeping);

impl Keeping {
    /// Returns whether nobody may know when the other handle ends: C lends it to callbacks, or it is a part of another
    /// one.
    fn may_be_unknown(&self) -> bool {
        let keeper = (self.keeper)();
        keeper.is_view() || keeper.is_lent_to_callbacks()
    }
}

/// A kind of which callbacks give handles to C by their results.
#[doc(hidden)]
#[derive(Debug)]
pub struct GivenByCallbacks(pub fn() -> &'static HandleKind);

inventory::collect!(GivenByCallbacks);

impl HandleKind {
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
        let _attached = Attached::reattach();
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
        let _attached = self.attached();
        // SAFETY: the caller's promise: `retain` added the owner that this releases.
        self.release
            .map_or(Ok(()), |release| unsafe { release(raw) })
    }

    /// Takes the GIL for a release that is not marked `detach`, where this thread gave it up.
    #[inline]
    pub(super) fn attached(&self) -> Option<Attached> {
        match self.detached_release {
            true => None,
            false => Attached::reattach(),
        }
    }

    /// Returns the C type of the handles.
    pub(crate) fn c_type(&self) -> TypeId {
        (self.c_type)()
    }

    /// Returns whether the handles, or those that they live in, keep values.
    pub(crate) fn calls_back(&self) -> bool {
        self.spec.calls_back()
    }

    /// Returns whether the handles, or those that they live in, have counted owners.
    pub(crate) fn meets_counted(&self) -> bool {
        self.spec.meets_counted()
    }

    /// Returns whether C lends the handles to callbacks only.
    pub(crate) fn is_callback_only(&self) -> bool {
        self.spec.is_callback_only()
    }

    /// Returns whether the handles own parts that move.
    pub(crate) fn owns_tree(&self) -> bool {
        self.spec.owns_tree
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

    /// Records that some handles of the kind live in others, or that C keeps something in them, or them in others.
    #[inline]
    pub(crate) fn note_reaching(&self) {
        if !self.reaches_others.load(Ordering::Relaxed) {
            self.reaches_others.store(true, Ordering::Relaxed);
        }
    }

    /// Returns whether calls on some of its handles reach other handles. If not, the table of children knows no other
    /// handle that a call on one of them uses.
    #[inline]
    pub(crate) fn reaches_others(&self) -> bool {
        self.reaches_others.load(Ordering::Relaxed)
    }

    /// Returns the kind of the handles with a release that these handles are, or are part of.
    pub(crate) fn resource_kind(&'static self) -> &'static HandleKind {
        let mut here = self;
        while here.is_view()
            && let Some(owner) = (here.parent)()
        {
            here = owner;
        }
        here
    }

    /// Returns the kind of the handles that these are part of, if they do not know which.
    pub(crate) fn hidden_resource_kind(&'static self) -> Option<&'static HandleKind> {
        self.spec.hides_owner().then(|| self.resource_kind())
    }

    /// Returns the kinds of the handles that these live in.
    pub(crate) fn parents(&self) -> impl Iterator<Item = &'static HandleKind> {
        let others = self.extra_parents.iter().map(|kind| kind());
        (self.parent)().into_iter().chain(others)
    }

    /// Returns whether C lends its handles, or parts of them, to callbacks as such.
    #[inline]
    pub(crate) fn is_lent_to_callbacks(&'static self) -> bool {
        self.lent_to_callbacks() == 3
    }

    /// Returns whether C lends its handles, or parts of them, to callbacks, also by a type of their own: then the table
    /// of [`children`] knows which are ours, and what C keeps them in.
    #[inline]
    pub(crate) fn is_seen_by_callbacks(&'static self) -> bool {
        self.lent_to_callbacks() != 1
    }

    /// Returns whether the table of [`children`] knows which of its handles are ours: those that C lends to callbacks,
    /// or to calls.
    #[inline]
    pub(crate) fn is_noted_as_ours(&'static self) -> bool {
        self.is_seen_by_callbacks() || self.is_lent_to_calls()
    }

    #[inline]
    fn is_lent_to_calls(&'static self) -> bool {
        match self.lent_to_calls.load(Ordering::Relaxed) {
            0 => self.find_lent_to_calls(),
            answer => answer == 2,
        }
    }

    #[cold]
    fn find_lent_to_calls(&'static self) -> bool {
        let is_same = |kind: &'static HandleKind| {
            kind.c_type() == self.c_type() && kind.is_integer() == self.is_integer()
        };
        let mut all = inventory::iter::<LentToCallbacks>.into_iter();
        let is_lent = !self.ref_counted
            && !self.is_view()
            && all.any(|lent| lent.is_lent_by_call && is_same((lent.kind)()));
        let answer = 1 + u8::from(is_lent);
        self.lent_to_calls.store(answer, Ordering::Relaxed);
        is_lent
    }

    #[inline]
    fn lent_to_callbacks(&'static self) -> u8 {
        match self.lent_to_callbacks.load(Ordering::Relaxed) {
            0 => self.find_lent_to_callbacks(),
            answer => answer,
        }
    }

    #[cold]
    fn find_lent_to_callbacks(&'static self) -> u8 {
        let any = |is_it: &dyn Fn(&'static HandleKind) -> bool| {
            let mut all = inventory::iter::<LentToCallbacks>.into_iter();
            !self.ref_counted
                && !self.is_view()
                && all.any(|lent| lent.is_lent && is_it((lent.kind)()))
        };
        let is_same = |kind: &HandleKind| kind.is_callback_only() && kind.c_type() == self.c_type();
        let answer = match () {
            () if any(&|kind| ptr::eq(kind.resource_kind(), self)) => 3,
            () if any(&|kind| is_same(kind)) && !self.is_integer() => 2,
            () => 1,
        };
        self.lent_to_callbacks.store(answer, Ordering::Relaxed);
        answer
    }

    /// Returns whether C may pass the objects of its handles, or those that they live in, to callbacks that write them
    /// by another type. A callback has its own use of what C lends to callbacks only.
    #[inline]
    pub(crate) fn is_written_by_callbacks(&'static self) -> bool {
        match self.written_by_callbacks.load(Ordering::Relaxed) {
            0 => self.find_written_by_callbacks(),
            answer => answer == 2,
        }
    }

    #[cold]
    fn find_written_by_callbacks(&'static self) -> bool {
        let all = || inventory::iter::<LentToCallbacks>.into_iter();
        let is_this = |kind: &HandleKind, lent: &LentToCallbacks| {
            lent.is_written && !kind.is_integer() && (lent.kind)().c_type() == kind.c_type()
        };
        // A use of a handle is a use of all that it lives in.
        let (mut seen, mut reached) = (BTreeSet::new(), vec![self]);
        let mut is_written = false;
        while let Some(here) = reached.pop() {
            if seen.insert(ptr::from_ref(here)) {
                is_written = is_written || all().any(|lent| is_this(here, lent));
                reached.extend(here.parents());
            }
        }
        let is_written = is_written && !self.is_callback_only();
        let answer = 1 + u8::from(is_written);
        self.written_by_callbacks.store(answer, Ordering::Relaxed);
        is_written
    }

    /// Returns whether C may get its handles until nobody knows when: callbacks give them to C, or calls do so for C to
    /// keep them in a handle whose end may be unknown. Then the table of `uses::owners` counts their owners.
    #[inline]
    pub(crate) fn may_be_left_to_c(&'static self) -> bool {
        match self.left_to_c.load(Ordering::Relaxed) {
            0 => self.find_left_to_c(),
            answer => answer == 2,
        }
    }

    #[cold]
    fn find_left_to_c(&'static self) -> bool {
        let mut given = inventory::iter::<GivenByCallbacks>.into_iter();
        let mut keeping = inventory::iter::<Keeping>.into_iter();
        // A counted object may have several types.
        let is_it = |kind: &'static HandleKind| {
            ptr::eq(kind, self) || kind.is_counted() && self.is_counted()
        };
        let may_be_left = given.any(|given| is_it((given.0)()))
            || keeping.any(|keeping| is_it((keeping.given)()) && keeping.may_be_unknown());
        let answer = 1 + u8::from(may_be_left);
        self.left_to_c.store(answer, Ordering::Relaxed);
        may_be_left
    }

    /// Returns whether its handles are numbers.
    pub(crate) fn is_integer(&self) -> bool {
        self.number.is_some()
    }

    /// Returns the number of the handle at `raw`, if handles of the kind are numbers.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python shows it")
    )]
    pub(crate) fn number(&self, raw: *mut ()) -> Option<i64> {
        self.number.map(|number| number(raw))
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

    /// Returns the kinds of the parents besides the first one.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python needs to know")
    )]
    pub(crate) fn extra_parents(&self) -> &'static [fn() -> &'static HandleKind] {
        self.extra_parents
    }

    /// Returns the ways between the parts, if they move.
    #[inline(always)]
    pub(crate) fn tree(&self) -> Option<&TreeOps> {
        self.tree.as_ref()
    }

    /// Counts an unlinked subtree more, or one less.
    pub(crate) fn count_unlinked(&self, change: isize) {
        self.live.fetch_add(change, Ordering::Relaxed);
    }

    /// Counts a handle as idle in place of live, or as live again.
    pub(crate) fn set_idle(&'static self, is_idle: bool) {
        let change = if is_idle { 1 } else { -1 };
        self.idle.fetch_add(change, Ordering::Relaxed);
        self.live.fetch_sub(change, Ordering::Relaxed);
    }

    /// Returns whether the handles keep values: they have side data.
    pub(crate) fn keeps_values(&self) -> bool {
        self.attachments
    }

    /// Returns the key of the handle at `raw` among those of all kinds.
    pub(crate) fn key(&'static self, raw: *mut ()) -> (usize, usize) {
        (ptr::from_ref(self).addr(), raw.addr())
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

/// One handle among those of all kinds.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Id {
    pub(crate) kind: &'static HandleKind,
    pub(crate) raw: *mut (),
}

// SAFETY: Rust: the pointer is only compared. Who follows it vouches for the handle: `HandleKind::release_once`,
// `HandleKind::retain`.
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
    fn cmp(&self, other: &Self) -> cmp::Ordering {
        // Handles of one address, whatever their types, are neighbors.
        let kind = || ptr::from_ref(self.kind).cmp(&ptr::from_ref(other.kind));
        self.raw.cmp(&other.raw).then_with(kind)
    }
}

impl PartialOrd for Id {
    fn partial_cmp(&self, other: &Self) -> Option<cmp::Ordering> {
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
}
