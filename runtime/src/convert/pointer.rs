//! Pointers by C's own type: `const` ones stay C's, others may be the caller's to free.

use std::ffi::c_void;

/// A pointer to memory that may be copied and is not freed by the caller, by C's own type.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C gives `{Self}`, which is not `const`, and nothing says who frees it",
    label = "nothing says who frees this memory",
    note = "if the caller frees it, add `free = ffi::the_function`; if it stays C's, add `borrowed`"
)]
pub trait Constant {}

impl<T> Constant for *const T {}

/// A C struct that is a pointer and a length, made by [`byte_slice!`](crate::byte_slice).
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C writes a `{Self}` to `out`, of which nothing says that it is a pointer and a length",
    label = "C writes a `{Self}`",
    note = "add `byte_slice!(unsafe T {{ ptr: field, len: field }})` for a struct; or pass `len` in `args` where C writes the \
            length"
)]
pub trait ByteSlice {
    /// [`SlicePointer<true>`](SlicePointer) if the struct's pointer is `const`.
    type Pointer;
}

/// The pointer of a [`ByteSlice`]: `const` or not.
#[doc(hidden)]
#[derive(Debug)]
pub struct SlicePointer<const CONST: bool>;

/// The pointer of a [`ByteSlice`] that is `const`.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C writes a struct whose pointer is not `const`, and nothing says who frees its memory",
    label = "nothing says who frees this memory",
    note = "if the memory stays C's, add `borrowed`; if the caller frees it, make the struct a handle: \
            `#[handle(caller_allocates = T, release = f)]`, return `Owned<…>`, and read the memory by `#[field(…)]`"
)]
pub trait ConstPointer {}

impl ConstPointer for SlicePointer<true> {}

/// A pointer type, `const` or not.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`ptr` is the pointer to the memory, and the field is `{Self}`",
    label = "not a pointer"
)]
pub trait PointerKind {
    /// Set for a `const` pointer.
    const CONST: bool;
}

impl<T> PointerKind for *const T {
    const CONST: bool = true;
}

impl<T> PointerKind for *mut T {
    const CONST: bool = false;
}

/// Returns `true` if the field that `field` reads is a `const` pointer.
#[doc(hidden)]
pub const fn is_const_pointer<S, P: PointerKind>(_field: fn(&S) -> P) -> bool {
    P::CONST
}

/// The pointer to memory that stays C's.
#[doc(hidden)]
#[inline]
pub fn constant<C: Constant>(c: C) -> C {
    c
}

/// A pointer to memory that the caller may free, by C's own type.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C gives `{Self}`, which is `const`, so the memory is not the caller's to free",
    label = "`free` says that the caller frees this memory",
    note = "remove `free`; or add `owned`, if C's manual says that the caller frees it all the same"
)]
pub trait Freeable {
    /// The type of the memory.
    type Target;
    /// The pointer.
    fn pointer(self) -> *mut Self::Target;
}

impl<T> Freeable for *mut T {
    type Target = T;
    #[inline]
    fn pointer(self) -> *mut T {
        self
    }
}

/// The pointer to memory that the caller frees.
#[doc(hidden)]
#[inline]
pub fn freeable<C: Freeable>(c: C) -> *mut C::Target {
    c.pointer()
}

/// A pointer or number that the caller may own, by C's own type.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "C returns `{Self}`, which is `const`, so the handle is not the caller's to release",
    label = "`Owned` says that the caller releases this handle",
    note = "return `Borrowed<…>` if the handle stays C's; or add `owned`, if C's manual says that the caller releases it all \
            the same"
)]
pub trait Transferred {}

impl<T> Transferred for *mut T {}

/// A pointer that C returns as `const`, and that is the caller's all the same.
#[doc(hidden)]
#[inline]
pub fn transferred<T>(c: *const T) -> *mut T {
    c.cast_mut()
}

/// A C string that is ours to free, from the moment C returned it.
#[doc(hidden)]
pub struct FreedMemory<P, F: FnOnce(*mut c_void)> {
    pointer: *mut P,
    free: Option<F>,
}

impl<P, F: FnOnce(*mut c_void)> FreedMemory<P, F> {
    /// Returns the owner of `pointer`, which `free` accepts unless it is null.
    #[inline]
    pub fn new(pointer: *mut P, free: F) -> Self {
        FreedMemory {
            pointer,
            free: Some(free),
        }
    }

    /// Returns the pointer to the string.
    #[inline]
    pub fn start(&self) -> *const P {
        self.pointer
    }
}

/// Memory that C only lends.
#[doc(hidden)]
#[derive(Debug)]
pub struct LentMemory<P>(pub *const P);

impl<P> LentMemory<P> {
    /// Returns the pointer to the memory.
    #[inline]
    pub fn start(&self) -> *const P {
        self.0
    }
}

impl<P, F: FnOnce(*mut c_void)> Drop for FreedMemory<P, F> {
    fn drop(&mut self) {
        if let (Some(free), false) = (self.free.take(), self.pointer.is_null()) {
            free(self.pointer.cast());
        }
    }
}
