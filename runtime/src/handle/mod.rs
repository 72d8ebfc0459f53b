//! Handles and their two guards: [`Owned`] releases its handle, [`Borrowed`] does not.
//!
//! A handle type is zero-sized and has no values of its own: a `&Document` *is* the C pointer, and the type says which
//! calls it has. This module knows nothing of Python.

pub mod kind;

use std::cell::UnsafeCell;
use std::fmt;
use std::marker::{PhantomData, PhantomPinned};
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::{self, NonNull};

use crate::attachment::DetachedSideData;
use crate::call::CallOrigin;
use crate::children::{self, Given, Id, Unplaced};
use crate::error::Error;
use crate::error_source::ErrorSource;
use crate::handle::kind::HandleKind;
use crate::interpreter::report;
use crate::panics::{Caught, Payload, discard};

/// The content of every handle type: nothing, and none of the automatic traits.
#[doc(hidden)]
#[repr(transparent)]
pub struct Opaque {
    _cell: UnsafeCell<[u8; 0]>,
    _marker: PhantomData<(*mut u8, PhantomPinned)>,
}

/// A type that stands for a C handle. Implemented by `#[handle]`, never by hand.
///
/// # Safety
///
/// The type is zero-sized with alignment one, and references to it are only made by [`Handle::from_raw`]. `kind` and
/// `SPEC` are of this very type, and `report_place` returns a place of this handle.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handle",
    label = "a type made by `#[handle(…)]` is expected here",
    note = "annotate `{Self}` with `#[handle(raw = …, release = …)]` or `#[handle(raw = …, part_of = …)]`"
)]
pub unsafe trait Handle: Sized + 'static {
    /// The C type that the handle points at.
    type Raw;
    /// The type that collects and words the failures of this handle's calls.
    type Errors: ErrorSource<Self>;
    /// The handle's name, in Rust and in Python.
    const NAME: &'static str;

    /// Set where calls on the handle listen to reports of C through a place in the handle.
    #[doc(hidden)]
    const REPORTS: bool = false;

    /// The place that the handle lives in: [`In`](crate::convert::lifetime::In) the parent of a resource or the owner
    /// of a part, or [`Nowhere`](crate::convert::lifetime::Nowhere).
    #[doc(hidden)]
    type Up;

    /// The facts of the type.
    #[doc(hidden)]
    const SPEC: &'static HandleSpec;

    /// Returns the facts and the count that all handles of this type share.
    #[doc(hidden)]
    fn kind() -> &'static HandleKind;

    /// Returns the place for the callback of `ErrorSource`, if the C struct has one at present.
    ///
    /// # Safety
    ///
    /// `raw` is valid.
    #[doc(hidden)]
    unsafe fn report_place(raw: *mut Self::Raw) -> Option<crate::error_source::ReportPlace> {
        let _ = raw;
        None
    }

    /// True if C reports to `ErrorSource` through a variable of the calling thread.
    #[doc(hidden)]
    const LISTENS: bool = false;

    /// Calls C while the variables of the calling thread have the values that this handle's calls need.
    #[doc(hidden)]
    #[inline]
    fn with_thread_locals<R>(_: crate::thread_locals::PerThread, c: impl FnOnce() -> R) -> R {
        c()
    }

    /// True if the library's own lock is held while a call runs and is asked about its failure: `lock(…)`.
    #[doc(hidden)]
    const LOCKS: bool = false;

    /// Enters the library's own lock of the handle, and returns the lock.
    ///
    /// # Safety
    ///
    /// `raw` is valid.
    #[doc(hidden)]
    unsafe fn enter_lock(raw: *mut Self::Raw) -> *mut () {
        let _ = raw;
        ptr::null_mut()
    }

    /// Leaves the library's own lock.
    ///
    /// # Safety
    ///
    /// This thread entered `lock`, of a handle that is still valid.
    #[doc(hidden)]
    unsafe fn leave_lock(lock: *mut ()) {
        let _ = lock;
    }

    /// Returns the C pointer.
    fn as_raw(&self) -> *mut Self::Raw {
        // The reference is to a zero-sized type, so its own provenance covers no byte of what C allocated;
        // `from_raw` exposed the one that does.
        ptr::with_exposed_provenance_mut(ptr::from_ref(self).addr())
    }

    /// Returns the handle at `raw`.
    ///
    /// # Safety
    ///
    /// `raw` is a valid handle of this type for the whole of `'a`.
    #[doc(hidden)]
    unsafe fn from_raw<'a>(raw: NonNull<Self::Raw>) -> &'a Self {
        raw.as_ptr().expose_provenance();
        // SAFETY: Rust: a zero-sized type of alignment one may be referred to at any address but null. the caller's
        // promise: the handle is valid for `'a`.
        unsafe { &*raw.as_ptr().cast::<Self>() }
    }

    /// Returns the handle at `raw`, exclusively.
    ///
    /// # Safety
    ///
    /// As for [`Handle::from_raw`], and nothing else uses the handle during `'a`.
    #[doc(hidden)]
    unsafe fn from_raw_mut<'a>(raw: NonNull<Self::Raw>) -> &'a mut Self {
        raw.as_ptr().expose_provenance();
        // SAFETY: Rust: a zero-sized type of alignment one may be referred to at any address but null. the caller's
        // promise: nothing else uses the handle during `'a`.
        unsafe { &mut *raw.as_ptr().cast::<Self>() }
    }
}

/// The facts of a handle type and of what it lives in.
#[doc(hidden)]
#[derive(Debug)]
pub struct HandleSpec {
    /// The parent of a resource, the owner of a part.
    pub parent: Option<&'static HandleSpec>,
    /// The other parents.
    pub extra_parents: &'static [&'static HandleSpec],
    /// Set if the handle keeps values, such as callbacks: `attachments`.
    pub attachments: bool,
    /// Set if only the thread that made the handle may use it: `thread_bound`.
    pub thread_bound: bool,
    /// Set if the handle is memory alone, so that a forked child may use and release its copy: `fork_safe`.
    pub fork_safe: bool,
    /// The way to the handle whose release also ends this one.
    pub home: Home,
    /// Set if the handle's errors ask the handle what went wrong: `errors(E, asks_handle)`.
    pub asks: bool,
    /// Set if the library's own lock is held until the errors have asked: `lock(…)`.
    pub locks: bool,
    /// The state that the handle shares with its parent.
    pub sharing: Sharing,
}

/// The way from a handle to the handle whose release also ends the first.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Home {
    /// The handle has a release of its own.
    Itself,
    /// A field of the C struct names the owner: `owner_field = …`.
    Owner,
    /// Only C knows that handle.
    Unknown,
}

/// The state that a handle shares with its parent, as its annotation says.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Sharing {
    /// `parent = &mut P`: the handle borrows its parent exclusively for as long as the handle lives.
    pub holds_parent: bool,
    /// `mut_parent`: a call that borrows the handle exclusively borrows the parent exclusively, too.
    pub mut_parent: bool,
    /// `reads_parent`: no call on the handle changes memory that its parent lends.
    pub reads_parent: bool,
    /// `lends`: methods of the handle return references to its memory.
    pub lends: bool,
    /// `part_of`: the handle is borrowed with its owner.
    pub part: bool,
    /// `retain`: C counts the owners.
    pub counted: bool,
    /// `until_mut`: the part ends with the next exclusive borrow of its owner.
    pub until_mut: bool,
}

impl Sharing {
    /// A handle without any of the words.
    pub const NONE: Sharing = Sharing {
        holds_parent: false,
        mut_parent: false,
        reads_parent: false,
        lends: false,
        part: false,
        counted: false,
        until_mut: false,
    };
}

impl HandleSpec {
    /// Returns whether C may call back during a call on the handle.
    pub const fn calls_back(&self) -> bool {
        let mut here = Some(self);
        while let Some(spec) = here {
            if spec.attachments {
                return true;
            }
            here = spec.parent;
        }
        false
    }

    /// Returns whether the handle, or one that it lives in, is bound to a thread.
    pub const fn is_thread_bound(&self) -> bool {
        let mut here = Some(self);
        while let Some(spec) = here {
            if spec.thread_bound {
                return true;
            }
            here = spec.parent;
        }
        false
    }

    /// Returns whether only the process that made the handle may use it. This is the default, unless the handle, or the
    /// handle that it lives in, is `fork_safe`. A handle in a bound parent is bound, because its release reaches into
    /// the parent. A handle in a free parent is free, because the parent cannot be released while the handle lives.
    pub const fn is_process_bound(&self) -> bool {
        !self.lives_in_memory() || !(self.fork_safe || self.parent.is_some())
    }

    /// Returns whether all parents of the handle are fork-safe.
    pub const fn lives_in_memory(&self) -> bool {
        if let Some(parent) = self.parent
            && parent.is_process_bound()
        {
            return false;
        }
        let mut index = 0;
        while index < self.extra_parents.len() {
            if self.extra_parents[index].is_process_bound() {
                return false;
            }
            index += 1;
        }
        true
    }

    /// Returns whether C lends the handle to callbacks alone.
    pub const fn is_callback_only(&self) -> bool {
        matches!(self.home, Home::Unknown) && self.parent.is_none()
    }

    /// Returns whether the runtime finds the handle whose release also ends this one, and that handle has a single
    /// owner.
    pub const fn has_home(&self) -> bool {
        let mut here = self;
        loop {
            match (here.home, here.parent) {
                (Home::Itself, _) => return !here.sharing.counted,
                (Home::Owner, Some(parent)) => here = parent,
                _ => return false,
            }
        }
    }

    /// Returns whether C may keep it in a handle `keeper`: calls on that one use it, so they borrow its parent by `&mut` where
    /// its own calls do.
    pub const fn may_be_kept_in(&self, keeper: &HandleSpec) -> bool {
        let borrows = keeper.sharing.mut_parent || keeper.sharing.holds_parent;
        !self.sharing.mut_parent || borrows || keeper.sharing.part
    }

    /// Returns whether the release is unknown that ends what this part lends: the part does not know its owner.
    pub const fn loses_home(&self) -> bool {
        let mut here = self;
        let mut is_lost = false;
        while let Some(parent) = here.parent
            && !matches!(here.home, Home::Itself)
        {
            is_lost = is_lost || matches!(here.home, Home::Unknown);
            here = parent;
        }
        is_lost && !here.is_callback_only()
    }

    /// Returns whether C lends it, or what it is part of, to callbacks alone.
    pub const fn is_within_callback(&self) -> bool {
        let mut here = self;
        while let Some(parent) = here.parent
            && !matches!(here.home, Home::Itself)
        {
            here = parent;
        }
        here.is_callback_only()
    }

    /// Returns whether the handle has a release of its own, and one owner.
    pub const fn is_released(&self) -> bool {
        matches!(self.home, Home::Itself) && !self.sharing.counted
    }

    /// Whether a call may return a new handle of this type: one that borrows its parent by `&mut`, for a call or for its
    /// life, is made by a method that takes its receiver as `&mut self`. That this is the parent is checked by
    /// [`MadeBy`](crate::convert::lifetime::MadeBy).
    pub const fn may_borrow_parent(&self, exclusive: bool) -> bool {
        exclusive || !(self.sharing.holds_parent || self.sharing.mut_parent)
    }

    /// Returns whether the handle, or one that it lives in, lends memory.
    pub const fn lends_memory(&self) -> bool {
        let mut here = Some(self);
        while let Some(spec) = here {
            if spec.sharing.lends {
                return true;
            }
            here = spec.parent;
        }
        false
    }

    /// Returns whether the handle, or one that it lives in, has counted owners. Another owner may then change or end
    /// the memory that the handle lends.
    pub const fn is_counted(&self) -> bool {
        let mut here = Some(self);
        while let Some(spec) = here {
            if spec.sharing.counted {
                return true;
            }
            here = spec.parent;
        }
        false
    }

    /// Returns whether the owners of the handle, or of a handle that it lives in, are counted.
    pub const fn meets_counted(&self) -> bool {
        if self.sharing.counted {
            return true;
        }
        if let Some(parent) = self.parent
            && parent.meets_counted()
        {
            return true;
        }
        let mut index = 0;
        while index < self.extra_parents.len() {
            if self.extra_parents[index].meets_counted() {
                return true;
            }
            index += 1;
        }
        false
    }

    /// Returns whether the annotation says what calls on the handle do to memory that an ancestor lends.
    pub const fn says_what_it_changes(&self) -> bool {
        let sharing = &self.sharing;
        sharing.part || sharing.reads_parent || self.holds_lenders()
    }

    /// Returns whether an exclusive borrow of the handle also borrows exclusively all ancestors that lend memory.
    const fn holds_lenders(&self) -> bool {
        let mut index = 0;
        while index < self.extra_parents.len() {
            if self.extra_parents[index].lends_memory() {
                return false;
            }
            index += 1;
        }
        let holds = self.sharing.holds_parent || self.sharing.mut_parent;
        match self.parent {
            None => true,
            Some(parent) if holds => parent.holds_lenders(),
            Some(parent) => !parent.lends_memory(),
        }
    }
}

/// The facts of a type that may lend handles, or be lent.
#[doc(hidden)]
#[derive(Debug)]
pub struct Lender<T: ?Sized>(PhantomData<T>);

impl<T: Handle> Lender<T> {
    /// [`HandleSpec::is_released`]
    pub const IS_RELEASED: bool = T::SPEC.is_released();
    /// [`HandleSpec::loses_home`]
    pub const LOSES_HOME: bool = T::SPEC.loses_home();
    /// Set for what C lends to callbacks alone, and for its parts.
    pub const IS_CALLBACK_ONLY: bool = T::SPEC.is_within_callback();
}

/// Answers for what is no handle.
#[doc(hidden)]
pub trait LendsNothing {
    /// It has no release.
    const IS_RELEASED: bool = false;
    /// It is part of no handle.
    const LOSES_HOME: bool = false;
    /// It is no handle.
    const IS_CALLBACK_ONLY: bool = false;
}

impl<T: ?Sized> LendsNothing for Lender<T> {}

/// A handle that someone has to release: `#[handle(raw = …, release = …)]`.
///
/// # Safety
///
/// `release` gives back exactly what one acquisition of the handle took.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handle that can be owned",
    label = "this type has no release function",
    note = "return `Borrowed<{Self}>` if it lives inside another handle, or give its `#[handle]` a `release = …`"
)]
pub unsafe trait Resource: Handle {
    /// The handle that must outlive this one; `()` for none.
    type Parent: Parent;
    /// The guard that a call returns, limited to `'p` if the handle has a parent.
    type In<'p>;
    /// The handles that it lives in.
    #[doc(hidden)]
    const PARENT_SPEC: Option<&'static HandleSpec> = <Self::Parent as Parent>::SPEC;
    /// The kinds of the parents besides the first one.
    #[doc(hidden)]
    const EXTRA_PARENTS: &'static [fn() -> &'static HandleKind] = &[];

    /// Releases the native resource.
    ///
    /// # Safety
    ///
    /// `raw` was acquired, is not released yet, and nothing uses it any more.
    #[doc(hidden)]
    unsafe fn release(raw: *mut Self::Raw) -> Result<(), ReleaseError>;
}

/// The failure of a release function, by its status: `release(f, fails = …)`.
#[derive(Debug)]
pub struct ReleaseError {
    /// The error.
    pub error: Error,
    /// Set if the resource is still there.
    pub kept: bool,
    /// Set if the handle is neither used nor released again. Either it is unknown whether the resource is still there,
    /// because the check of the status panicked, or other handles still live in it.
    pub lost: bool,
}

impl ReleaseError {
    /// Returns the failure of a release after which the resource is gone.
    pub(crate) fn gone(error: Error) -> Self {
        ReleaseError {
            error,
            kept: false,
            lost: false,
        }
    }

    /// Returns the failure of a release with an unknown status: the panic in `caught` came before the status was
    /// checked.
    pub(crate) fn lost(caught: &Caught) -> Self {
        ReleaseError {
            error: caught
                .take()
                .map_or(Error::Failed("a release"), Error::panic),
            kept: false,
            lost: true,
        }
    }

    /// Adds a later panic. The panic takes the place of an error, which is reported. After an earlier panic the later
    /// one is discarded.
    pub(crate) fn panicked(mut self, panic: Payload) -> Self {
        if self.error.is_panic() {
            discard(panic);
        } else {
            report(std::mem::replace(&mut self.error, Error::panic(panic)));
        }
        self
    }
}

/// A handle that keeps values: `#[handle(…, attachments)]`.
///
/// # Safety
///
/// `SPEC` says so, too. The handle has side data from the moment when C made the handle until its release, or until C
/// takes the handle over.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` keeps no values, such as callbacks",
    label = "this is kept as long as a `{Self}`",
    note = "say so where `{Self}` is annotated: `#[handle(…, attachments)]`"
)]
pub unsafe trait HasAttachments: Handle {}

/// A resource that C returns as a pointer and may take back as one, unlike a resource that C makes in place.
///
/// # Safety
///
/// Nothing but the handle's own release function has to free its memory.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a `{Self}` is made in place, and stays there",
    label = "this type is annotated `caller_allocates = …`",
    note = "pass `out` in `args = (…)` to the C function that initializes it; C cannot take it over"
)]
pub unsafe trait PointerHandle: Handle {}

/// A handle that is a number, such as a file descriptor: `#[handle(integer = …)]`.
///
/// The number is stored in place of the pointer, as its distance from [`IntegerHandle::INVALID`], so that the invalid
/// number is null.
///
/// # Safety
///
/// Nothing, C included, follows a handle of this type as a pointer.
pub unsafe trait IntegerHandle: Handle<Raw = ()> {
    /// The type of the number.
    type Number: Number;
    /// The number that stands for no handle.
    const INVALID: Self::Number;

    /// Returns the number.
    fn number(&self) -> Self::Number {
        raw_to_number::<Self>(self.as_raw())
    }
}

/// An integer type of which -1 is no handle, unless `invalid` names another number.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "the `{Self}` that stands for no handle is not known",
    label = "this type has no -1",
    note = "add `invalid = …`, a number that C gives to no handle, such as `invalid = 0` or `invalid = {Self}::MAX`"
)]
pub trait InvalidByDefault {
    /// The number.
    const INVALID: Self;
}

macro_rules! invalid_by_default {
    ($($type:ty)+) => {$(
        impl InvalidByDefault for $type {
            const INVALID: Self = -1;
        }
    )+};
}

invalid_by_default! { i8 i16 i32 i64 isize }

/// A C integer that a handle can be.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a number that a handle can be",
    label = "not an integer",
    note = "`integer = …` is for handles such as file descriptors; what is behind a pointer has `raw = …`"
)]
pub trait Number: sealed::Number + Copy + 'static {
    #[doc(hidden)]
    fn widen(self) -> u64;
    #[doc(hidden)]
    fn narrow(wide: u64) -> Self;
}

/// Traits that no other crate implements.
mod sealed {
    pub trait Number {}
    pub trait Parent {}
}

macro_rules! number {
    ($($type:ty)+) => {$(
        impl sealed::Number for $type {}

        impl Number for $type {
            #[allow(clippy::cast_sign_loss, clippy::cast_lossless, reason = "taken back by `narrow`")]
            fn widen(self) -> u64 {
                self as u64
            }

            #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "it came from `widen`")]
            fn narrow(wide: u64) -> Self {
                wide as $type
            }
        }
    )+};
}

number! { i8 u8 i16 u16 i32 u32 i64 u64 isize usize }

#[doc(hidden)]
#[inline]
pub fn number_to_raw<T: IntegerHandle>(number: T::Number) -> *mut () {
    let distance = number.widen().wrapping_sub(T::INVALID.widen());
    ptr::without_provenance_mut(distance as usize)
}

#[doc(hidden)]
#[inline]
pub fn raw_to_number<T: IntegerHandle>(raw: *mut ()) -> T::Number {
    T::Number::narrow((raw.addr() as u64).wrapping_add(T::INVALID.widen()))
}

/// A resource whose owners C counts: `#[handle(raw = …, retain = …, release = …)]`.
///
/// # Safety
///
/// `retain` counts one owner more, which `release` has to give back.
#[diagnostic::on_unimplemented(
    message = "the owners of a `{Self}` are not counted",
    note = "name the function that counts one more: `#[handle(…, retain = ffi::f)]`"
)]
pub unsafe trait RefCounted: Resource {
    /// Counts one owner more.
    ///
    /// # Safety
    ///
    /// `raw` is valid.
    #[doc(hidden)]
    unsafe fn retain(raw: *mut Self::Raw);
}

/// Frees the memory of a handle that C made in place, unless C still has the handle.
///
/// # Safety
///
/// `raw` came from a box, and `released` is what its release ended with.
#[doc(hidden)]
pub unsafe fn free_in_place<P>(
    raw: *mut P,
    released: Result<(), ReleaseError>,
) -> Result<(), ReleaseError> {
    if !matches!(&released, Err(unreleased) if unreleased.kept || unreleased.lost) {
        // SAFETY: the caller's promise; what is in it was cleared by C and needs no drop.
        drop(unsafe { Box::from_raw(raw.cast::<std::mem::MaybeUninit<P>>()) });
    }
    released
}

/// A result that may hold handles that C just made or lent.
#[doc(hidden)]
pub trait RecordParents {
    /// Records the parents of the handles.
    fn record_parents(&self, origin: &CallOrigin<'_>);
}

impl<T: Resource> RecordParents for Owned<'_, T> {
    #[inline]
    fn record_parents(&self, origin: &CallOrigin<'_>) {
        origin.of(self);
    }
}

impl<T: Handle> RecordParents for Borrowed<'_, T> {
    #[inline]
    fn record_parents(&self, origin: &CallOrigin<'_>) {
        origin.of_lent(self);
    }
}

impl<R: RecordParents> RecordParents for Option<R> {
    #[inline]
    fn record_parents(&self, origin: &CallOrigin<'_>) {
        self.iter().for_each(|made| made.record_parents(origin));
    }
}

impl<R: RecordParents> RecordParents for Vec<R> {
    fn record_parents(&self, origin: &CallOrigin<'_>) {
        self.iter().for_each(|made| made.record_parents(origin));
    }
}

/// A handle that lives inside another one: `#[handle(raw = …, part_of = …)]`.
///
/// # Safety
///
/// Every valid pointer to the handle stays valid as long as its `Owner`.
pub unsafe trait Part: Handle {
    /// The handle that this one is a part of.
    type Owner: Handle;
    /// The handles that it lives in.
    #[doc(hidden)]
    const PARENT_SPEC: Option<&'static HandleSpec> = Some(<Self::Owner as Handle>::SPEC);
}

/// A [`Part`] that knows which owner it belongs to: `#[handle(raw = …, part_of = …, owner_field = field)]`.
///
/// # Safety
///
/// `owner_of` returns the owner's pointer, or null for a part that belongs to none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not know its owner",
    note = "name the field of the C struct that points to it: `#[handle(…, part_of = …, owner_field = field)]`"
)]
pub unsafe trait HasOwnerField: Part {
    /// Returns the pointer to the owner.
    ///
    /// # Safety
    ///
    /// `raw` is valid.
    #[doc(hidden)]
    unsafe fn owner_of(raw: *mut Self::Raw) -> *mut <Self::Owner as Handle>::Raw;
}

/// A type that `parent = …` can name: a handle, or `()` for none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parent: it is not a handle",
    label = "a type made by `#[handle(…)]` is expected here",
    note = "annotate `{Self}` with `#[handle(…)]`, or leave `parent` away"
)]
pub trait Parent: sealed::Parent {
    /// The parent's spec, if there is a parent.
    #[doc(hidden)]
    const SPEC: Option<&'static HandleSpec>;

    /// The parent's kind, if there is a parent.
    #[doc(hidden)]
    fn kind() -> Option<&'static HandleKind>;
}

impl sealed::Parent for () {}
impl<T: Resource> sealed::Parent for T {}

impl Parent for () {
    const SPEC: Option<&'static HandleSpec> = None;

    fn kind() -> Option<&'static HandleKind> {
        None
    }
}

impl<T: Resource> Parent for T {
    const SPEC: Option<&'static HandleSpec> = Some(T::SPEC);

    fn kind() -> Option<&'static HandleKind> {
        Some(T::kind())
    }
}

/// A native resource that is released when this guard is dropped. The guard cannot outlive the parent, `'p`.
///
/// In GObject-Introspection's words: *transfer full*.
pub struct Owned<'p, T: Resource> {
    raw: NonNull<T::Raw>,
    _parent: PhantomData<&'p fn() -> T>,
}

impl<T: Resource> Owned<'_, T> {
    /// Returns the owner of the handle at `raw`; `None` for null, and for a handle that already has an owner
    /// (`single_owner`).
    ///
    /// # Safety
    ///
    /// `raw` is null, or a handle that was just acquired, that nothing else releases, and whose parent lives for `'p`.
    #[doc(hidden)]
    pub unsafe fn from_raw(raw: *mut T::Raw) -> Option<Self> {
        let raw = NonNull::new(raw)?;
        let is_first = T::kind().on_acquire(raw.as_ptr().cast());
        // Lazily: a guard that is made and dropped would release what is another's.
        is_first.then(|| Owned {
            raw,
            _parent: PhantomData,
        })
    }

    /// Returns the pointer, for the runtime's own use.
    #[doc(hidden)]
    pub fn raw(&self) -> NonNull<T::Raw> {
        self.raw
    }

    /// Gives the resource, still counted as live, to an owner that will call [`HandleKind::release_once`].
    #[doc(hidden)]
    pub fn into_raw(self) -> NonNull<T::Raw> {
        ManuallyDrop::new(self).raw
    }

    /// Returns the owner of a handle that [`Owned::into_raw`] gave.
    ///
    /// # Safety
    ///
    /// The handle was not released since, and its parent lives for `'p`.
    #[doc(hidden)]
    pub unsafe fn from_raw_again(raw: NonNull<T::Raw>) -> Self {
        Owned {
            raw,
            _parent: PhantomData,
        }
    }

    /// Releases the handle now, and returns the error of a failed release. A drop also releases the handle, and reports
    /// an error to `sys.unraisablehook`, or without Python to the standard error output.
    ///
    /// # Errors
    ///
    /// The error that the release function's status stands for (`release(f, fails = …)`), together with the handle if
    /// that is still there (`on_failure = kept`).
    ///
    /// # Panics
    ///
    /// If the handle's `errors`, or the `Drop` of a value that the handle kept, panics. The handle is then released, or
    /// leaked if it is still there.
    pub fn close(self) -> Result<(), (Error, Option<Self>)> {
        let raw = self.into_raw();
        // SAFETY: guarantee 2: `into_raw` took the handle from its only owner.
        unsafe { T::kind().close(raw.as_ptr().cast()) }.map_err(|unreleased| {
            let ReleaseError { error, kept, .. } = unreleased;
            let error = error.unless_panic();
            let handle = kept.then(|| Owned {
                raw,
                _parent: PhantomData,
            });
            (error, handle)
        })
    }
}

impl<T: RefCounted> Clone for Owned<'_, T> {
    /// Returns one owner more of the same native object.
    fn clone(&self) -> Self {
        // SAFETY: guarantee 3: the guard holds a valid handle.
        unsafe { retained(self.raw) }
    }
}

/// Retains the handle and returns the new owner.
///
/// # Safety
///
/// `raw` is valid.
unsafe fn retained<'p, T: RefCounted>(raw: NonNull<T::Raw>) -> Owned<'p, T> {
    // SAFETY: the caller's promise.
    unsafe { T::retain(raw.as_ptr()) };
    let _is_first = T::kind().on_acquire(raw.as_ptr().cast());
    Owned {
        raw,
        _parent: PhantomData,
    }
}

impl<T: Resource> Drop for Owned<'_, T> {
    fn drop(&mut self) {
        // SAFETY: guarantee 2: `from_raw` made this guard the only owner, and the borrow checker ends every use before
        // the drop.
        let released = unsafe { T::kind().release_once(self.raw.as_ptr().cast()) };
        if let Err(ReleaseError { error, .. }) = released {
            crate::interpreter::report_in_drop(error);
        }
    }
}

/// An owned handle that is passed to C, which may keep it.
#[doc(hidden)]
pub struct Transfer<'p, T: Handle> {
    raw: NonNull<T::Raw>,
    /// The side data of the handle. C may soon give the handle's address to another handle.
    besides: Option<DetachedSideData>,
    /// Its place among the handles that it lives in, and that C keeps in it.
    given: Option<Given>,
    _parent: PhantomData<&'p fn() -> T>,
}

impl<'p, T: Handle> Transfer<'p, T> {
    /// Takes the handle out of its guard, to pass it to C.
    ///
    /// # Panics
    ///
    /// If other handles live in it: their guards were forgotten, or C keeps them. If it lives in a handle that C may release
    /// at any time.
    pub fn new(owned: Owned<'p, T>) -> Self
    where
        T: Resource + PointerHandle,
    {
        if let Err(error) = children::check_givable(Id::of(&*owned)) {
            panic!("{error}");
        }
        let raw = owned.into_raw();
        Transfer {
            raw,
            besides: T::kind().remove_side_data(raw.as_ptr().cast()),
            given: T::kind().begin_transfer(raw.as_ptr().cast()),
            _parent: PhantomData,
        }
    }

    /// The handle.
    pub(crate) fn raw(&self) -> NonNull<T::Raw> {
        self.raw
    }

    /// Gives the handle to C, which keeps it in `keeper` from now on: the runtime no longer releases it. Returns the
    /// side data.
    pub(crate) fn pass_on(self, keeper: Keeper<'_>) -> PassedOn {
        let mut handle = ManuallyDrop::new(self);
        T::kind().on_transfer(handle.raw.as_ptr().cast());
        let besides = handle.besides.take();
        match (handle.given.take(), keeper) {
            (None, _) => {}
            (Some(given), Keeper::Handle(keeper)) => given.kept_in(&[keeper]),
            (Some(given), Keeper::Result(unplaced)) => unplaced.push(given),
            (Some(given), Keeper::Unknown) => given.never_ends(),
        }
        PassedOn(besides)
    }

    /// Leaks the handle, because it is unknown whether C has it. The handle is neither used nor released again, and its
    /// values stay.
    pub(crate) fn lose(self) {
        std::mem::forget(self);
        report(Error::Value(format!(
            "nobody knows whether C has a {}, because what should have told panicked: it is leaked",
            T::NAME
        )));
    }

    /// Restores the state of the handle from before the transfer.
    fn restore(&mut self) {
        let raw = self.raw.as_ptr().cast();
        T::kind().restore_owner(raw, self.besides.take());
        if let Some(given) = self.given.take() {
            given.restore();
        }
    }

    /// Restores the handle without releasing it: its previous owner keeps it.
    #[cfg_attr(
        not(feature = "python"),
        allow(dead_code, reason = "only Python objects get it back")
    )]
    pub(crate) fn leave(mut self) {
        self.restore();
        std::mem::forget(self);
    }
}

/// The place where C keeps a handle that it was given.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub enum Keeper<'g> {
    /// The receiver of the call.
    Handle(Id),
    /// The handles in the result of a call without a receiver; if there are none, C was done with it when it returned.
    Result(&'g Unplaced),
    /// None that is known: C got it from a callback.
    Unknown,
}

/// The side data of a handle that C has taken over. Dropping it drops the values.
#[doc(hidden)]
#[must_use = "it is dropped when the call has ended"]
pub struct PassedOn(Option<DetachedSideData>);

impl PassedOn {
    /// Returns no side data.
    pub fn nothing() -> Self {
        PassedOn(None)
    }
}

impl Drop for PassedOn {
    fn drop(&mut self) {
        if let Some(ended) = self.0.take() {
            let caught = Caught::new();
            ended.finish(&caught);
            caught.resume_in_drop();
        }
    }
}

impl<T: Handle> fmt::Debug for Transfer<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({:p})", T::NAME, self.raw)
    }
}

impl<T: Handle> Drop for Transfer<'_, T> {
    fn drop(&mut self) {
        self.restore();
        // SAFETY: guarantee 2: `new` took the handle from its only owner, and C did not take it over.
        let released = unsafe { T::kind().release_once(self.raw.as_ptr().cast()) };
        if let Err(ReleaseError { error, .. }) = released {
            crate::interpreter::report_in_drop(error);
        }
    }
}

impl<T: Resource> Deref for Owned<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // SAFETY: guarantee 3: the guard owns the handle, so it is valid while the guard is borrowed.
        unsafe { T::from_raw(self.raw) }
    }
}

impl<T: Resource> DerefMut for Owned<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: guarantee 4: the guard owns the handle, and is borrowed exclusively.
        unsafe { T::from_raw_mut(self.raw) }
    }
}

impl<T: Resource> fmt::Debug for Owned<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Owned<{}>({:p})", T::NAME, self.raw)
    }
}

/// A handle that something else owns, valid for `'o`.
///
/// In GObject-Introspection's words: *transfer none*.
pub struct Borrowed<'o, T: Handle> {
    raw: NonNull<T::Raw>,
    _owner: PhantomData<&'o T>,
}

impl<'o, T: Handle> Borrowed<'o, T> {
    /// Returns the handle at `raw`; `None` for null.
    ///
    /// # Safety
    ///
    /// `raw` is null, or valid for the whole of `'o`.
    #[doc(hidden)]
    pub unsafe fn from_raw(raw: *mut T::Raw) -> Option<Self> {
        NonNull::new(raw).map(|raw| Borrowed {
            raw,
            _owner: PhantomData,
        })
    }

    /// Returns the handle for the life of its owner. A plain `*borrowed` lives no longer than the variable.
    pub fn get(self) -> &'o T {
        // SAFETY: the caller's promise, given to `from_raw`: the pointer is valid for `'o`.
        unsafe { T::from_raw(self.raw) }
    }

    /// Returns the pointer, for the runtime's own use.
    #[doc(hidden)]
    pub fn raw(self) -> NonNull<T::Raw> {
        self.raw
    }
}

impl<'o, T: Part + IntegerHandle> Borrowed<'o, T> {
    /// Returns the part of `owner` that has this number; `None` for the number that stands for no handle. C checks that
    /// there is such a part when the part is used.
    ///
    /// # Panics
    ///
    /// If a child holds the owner (`parent = &mut …`): its guard was forgotten, or C keeps it.
    pub fn from_integer(owner: &'o T::Owner, number: T::Number) -> Option<Self> {
        let id = Id::of(owner);
        assert!(
            !children::is_any_held() || !children::is_held(id),
            "{}",
            Error::Busy(id.kind().name())
        );
        // SAFETY: trait `IntegerHandle`: nothing follows the number. annotation `part_of`: the part is the owner's for as
        // long as that lives.
        unsafe { Borrowed::from_raw(number_to_raw::<T>(number)) }
    }
}

impl<T: RefCounted> Borrowed<'_, T> {
    /// Retains the handle and returns the new owner.
    pub fn retain(self) -> Owned<'static, T> {
        // SAFETY: the caller's promise, given to `from_raw`: the pointer is valid.
        unsafe { retained(self.raw) }
    }
}

impl<T: HasOwnerField> Borrowed<'_, T> {
    /// Returns the part with the lifetime of `owner`; `None` if the part belongs to another owner.
    ///
    /// A part that was found through a short-lived handle thus outlives that handle.
    pub fn with_owner<'d>(self, owner: &'d T::Owner) -> Option<Borrowed<'d, T>> {
        // SAFETY: the caller's promise, given to `from_raw`: the pointer is valid now, which is all that `owner_of` asks
        // for.
        let actual = unsafe { T::owner_of(self.raw.as_ptr()) };
        // SAFETY: trait `HasOwnerField`: it is a part of `owner`. trait `Part`: so it is valid as long as that.
        (actual == owner.as_raw()).then(|| unsafe { Borrowed::from_raw(self.raw.as_ptr()) })?
    }
}

impl<'o, T: Handle> From<&'o T> for Borrowed<'o, T> {
    fn from(handle: &'o T) -> Self {
        // A reference is never null, and `as_raw` keeps the address.
        let raw = NonNull::new(handle.as_raw()).unwrap_or_else(|| unreachable!());
        Borrowed {
            raw,
            _owner: PhantomData,
        }
    }
}

impl<T: Handle> Clone for Borrowed<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Handle> Copy for Borrowed<'_, T> {}

impl<T: Handle> Deref for Borrowed<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.get()
    }
}

/// Compares the C pointers.
impl<T: Handle> PartialEq for Borrowed<'_, T> {
    fn eq(&self, other: &Self) -> bool {
        self.raw == other.raw
    }
}

impl<T: Handle> Eq for Borrowed<'_, T> {}

impl<T: Handle> fmt::Debug for Borrowed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Borrowed<{}>({:p})", T::NAME, self.raw)
    }
}
