//! The traits that `#[handle]` implements.

use std::cell::UnsafeCell;
use std::marker::{PhantomData, PhantomPinned};
use std::ptr::{self, NonNull};

use crate::error_source::ErrorSource;
use crate::handle::kind::{HandleKind, Id};
use crate::handle::release_error::ReleaseError;
use crate::handle::spec::HandleSpec;

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
    fn with_thread_locals<R>(_: PerThread, c: impl FnOnce() -> R) -> R {
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

/// A handle that keeps values: `#[handle(…, attachments)]`.
///
/// # Safety
///
/// `SPEC` says so, too. The handle has side data from the moment when C made the handle until its release, or until C
/// takes the handle over.
#[diagnostic::on_unimplemented(
    message = "a `{Self}` keeps no values, such as callbacks",
    label = "this is kept as long as a `{Self}`",
    note = "say so where `{Self}` is annotated: `#[handle(…, attachments)]`",
    note = "`attach` takes the handle of a guard: `attach(&*guard, …)`"
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

/// A handle type that C lends to callbacks only.
///
/// # Safety
///
/// `SPEC` says so, too.
#[diagnostic::on_unimplemented(
    message = "`{Self}` may be used after the callback",
    label = "a `callback_only` handle is expected here",
    note = "its Python object would be closed while others have it: annotate a type of the same `raw` with `callback_only`"
)]
pub unsafe trait CallbackOnly: Handle {}

/// A type that `parent = …` can name: a handle, or `()` for none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be a parent: it is not a handle with a release",
    label = "a type made by `#[handle(…, release = …)]` is expected here",
    note = "a `part_of` type ends with its owner: name the owner as the parent, and make the handle by a method of the owner",
    note = "a `callback_only` type ends with the callback, so nothing that lives in it may be kept: copy what the handle needs"
)]
pub trait Parent: sealed::Parent {
    /// The parent's spec, if there is a parent.
    #[doc(hidden)]
    const SPEC: Option<&'static HandleSpec>;

    /// The parent's kind, if there is a parent.
    #[doc(hidden)]
    fn kind() -> Option<&'static HandleKind>;
}

/// The bound of [`Parent`], which no other crate implements.
mod sealed {
    pub trait Parent {}
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

/// Returns the kind of a parent besides the first one. Only what has a release can be waited for.
#[doc(hidden)]
pub fn parent_kind<T: Parent + Handle>() -> &'static HandleKind {
    <T as Handle>::kind()
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
    /// Set for what C lends to callbacks only, and for its parts.
    pub const IS_CALLBACK_ONLY: bool = T::SPEC.is_within_callback();
    /// Set for parts that move.
    pub const IS_TREE_PART: bool = T::SPEC.is_tree_part();
    /// Set for the owner of a tree.
    pub const OWNS_TREE: bool = T::SPEC.owns_tree;
    /// Set for the owner of a tree, and for what lives in one.
    pub const IS_IN_TREE: bool = T::SPEC.owns_tree || T::SPEC.lives_in_tree_owner();
    /// The kind.
    pub const KIND: Option<fn() -> &'static HandleKind> = Some(T::kind);
}

/// Answers for what is no handle.
#[doc(hidden)]
pub trait LendsNothing {
    /// False: there is no release.
    const IS_RELEASED: bool = false;
    /// False: the type is part of no handle.
    const LOSES_HOME: bool = false;
    /// False: the type is no handle.
    const IS_CALLBACK_ONLY: bool = false;
    /// False: the type is part of no handle.
    const IS_TREE_PART: bool = false;
    /// False: the type is no handle.
    const OWNS_TREE: bool = false;
    /// False: the type lives in no handle.
    const IS_IN_TREE: bool = false;
    /// None: the type is no handle.
    const KIND: Option<fn() -> &'static HandleKind> = None;
}

impl<T: ?Sized> LendsNothing for Lender<T> {}

impl Id {
    /// Returns the identity of a handle.
    #[inline]
    pub fn of<T: Handle>(handle: &T) -> Self {
        Id::new(T::kind(), handle.as_raw().cast())
    }
}

/// The promise that the variables that the handle names belong to the calling thread.
#[doc(hidden)]
#[derive(Debug)]
pub struct PerThread(());

impl PerThread {
    /// Makes the promise.
    ///
    /// # Safety
    ///
    /// Only this thread uses these variables, as the author of the handle says.
    #[inline]
    pub const unsafe fn promised() -> Self {
        PerThread(())
    }
}
