//! Fields of C structs that are written while C reads them: `#[field(place, atomic)]`.

use std::sync::atomic::{
    AtomicBool, AtomicI8, AtomicI16, AtomicI32, AtomicI64, AtomicIsize, AtomicU8, AtomicU16,
    AtomicU32, AtomicU64, AtomicUsize, Ordering,
};

/// A number that is read and written in one step.
///
/// # Safety
///
/// Implemented here only.
#[diagnostic::on_unimplemented(
    message = "a field of type `{Self}` is not read and written in one step",
    label = "`atomic` is for integers and `bool`"
)]
pub unsafe trait Atomic: Copy {
    /// The value at `place`.
    ///
    /// # Safety
    ///
    /// `place` is valid and aligned, and threads that use it meanwhile do so in one step.
    unsafe fn load(place: *mut Self) -> Self;

    /// Writes `value` to `place`.
    ///
    /// # Safety
    ///
    /// As for [`Atomic::load`].
    unsafe fn store(place: *mut Self, value: Self);
}

macro_rules! atomic {
    ($($number:ty: $atomic:ident),*) => {$(
        // SAFETY: trait `Atomic`: implemented only here, by the standard library's operations.
        unsafe impl Atomic for $number {
            #[inline]
            unsafe fn load(place: *mut Self) -> Self {
                // SAFETY: the caller's promise: the place is valid, aligned, and used only in one step.
                unsafe { $atomic::from_ptr(place) }.load(Ordering::Relaxed)
            }

            #[inline]
            unsafe fn store(place: *mut Self, value: Self) {
                // SAFETY: the caller's promise: the place is valid, aligned, and used only in one step.
                unsafe { $atomic::from_ptr(place) }.store(value, Ordering::Relaxed);
            }
        }
    )*};
}

atomic!(
    bool: AtomicBool, i8: AtomicI8, i16: AtomicI16, i32: AtomicI32, i64: AtomicI64, isize: AtomicIsize,
    u8: AtomicU8, u16: AtomicU16, u32: AtomicU32, u64: AtomicU64, usize: AtomicUsize
);
