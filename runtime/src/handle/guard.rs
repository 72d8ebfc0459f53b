//! The guards: [`Owned`] releases its handle, [`Borrowed`] does not.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::body_arguments;
use crate::children;
use crate::error::Error;
use crate::handle::integer::{IntegerHandle, number_to_raw};
use crate::handle::kind::Id;
use crate::handle::release_error::ReleaseError;
use crate::handle::traits::{Handle, HasOwnerField, Part, RefCounted, Resource};

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
        body_arguments::passed_on(Id::of(&*self));
        self.into_raw_for_now()
    }

    /// Gives the resource to an owner that may drop it: if a body got it from Python, the Python object is then open
    /// again as after a drop of this guard.
    pub(crate) fn into_raw_for_now(self) -> NonNull<T::Raw> {
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
        // A body that closes a handle of a Python object does not put the release off.
        let argument = body_arguments::closing(Id::of(&*self));
        let raw = self.into_raw_for_now();
        // SAFETY: guarantee 2: `into_raw_for_now` took the handle from its only owner.
        unsafe { T::kind().close(raw.as_ptr().cast()) }.map_err(|unreleased| {
            let ReleaseError { error, kept, .. } = unreleased;
            let error = error.unless_panic();
            let handle = kept.then(|| {
                body_arguments::refused_to_close(argument);
                Owned {
                    raw,
                    _parent: PhantomData,
                }
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
    {
        let _attached = crate::interpreter::Attached::reattach();
        // SAFETY: the caller's promise.
        unsafe { T::retain(raw.as_ptr()) };
    }
    T::kind().before_retain(raw.as_ptr().cast());
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
        // SAFETY: trait `IntegerHandle`: nothing follows the number. annotation `part_of`: the part is the owner's for
        // as long as that lives.
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
        // SAFETY: the caller's promise, given to `from_raw`: the pointer is valid now, which is all that `owner_of`
        // asks for.
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

/// Hashes the C pointer.
impl<T: Handle> Hash for Borrowed<'_, T> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.raw.hash(state);
    }
}

impl<T: Handle> fmt::Debug for Borrowed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Borrowed<{}>({:p})", T::NAME, self.raw)
    }
}
