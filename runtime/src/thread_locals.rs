//! Variables that a C library keeps per thread, set for the length of one call.
//!
//! Some libraries keep settings and error handlers in variables of the calling thread. Another binding of the same
//! library in the process may set these variables to any value. The value would change the results of our calls, and
//! our calls would call the functions of the other binding, perhaps without the GIL. Each call therefore sets the
//! variables that its handle names (`thread_locals(…)`, `errors(…, thread_callback = …)`), and restores the previous
//! values when C has returned.
//!
//! While a callback of ours runs, the previous values are in place, because the callback is no part of the call.

use std::cell::Cell;
use std::mem::MaybeUninit;
use std::ptr;

use crate::error_source::{ErrorSink, ReportFn};
pub use crate::handle::PerThread;

/// A value in exchange for the one in a variable: the pointer has the size of the largest variable.
type Bits = MaybeUninit<*mut ()>;

/// A variable of the thread, and the value that is not in it now.
#[doc(hidden)]
pub struct Setting {
    place: *mut (),
    other: Bits,
    swap: unsafe fn(*mut (), &mut Bits),
}

unsafe fn swap<V: Copy>(place: *mut (), other: &mut Bits) {
    // SAFETY: the caller's promise, given to `Setting::to`: the place is a variable of this type, and `other` holds a
    // value of it.
    unsafe { ptr::swap(place.cast::<V>(), other.as_mut_ptr().cast::<V>()) }
}

impl Setting {
    /// Returns the setting of the variable at `place` to `value`.
    ///
    /// # Safety
    ///
    /// `place` is valid while the setting is in use, and only this thread uses it.
    pub unsafe fn to<V: Copy>(place: *mut V, value: V) -> Self {
        const {
            assert!(
                size_of::<V>() <= size_of::<Bits>() && align_of::<V>() <= align_of::<Bits>(),
                "a variable of the thread is a number or a pointer"
            )
        };
        let mut other = Bits::uninit();
        // SAFETY: Rust: the value fits, as was asserted.
        unsafe { other.as_mut_ptr().cast::<V>().write(value) };
        Setting {
            place: place.cast(),
            other,
            swap: swap::<V>,
        }
    }

    /// Returns the setting of the variable at `place` to the function that reports to the collector `E` of the running
    /// call.
    ///
    /// # Safety
    ///
    /// As for [`Setting::to`].
    pub unsafe fn report<E: ErrorSink, F: ReportFn<E> + Copy>(place: *mut F) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Setting::to(place, F::REPORT) }
    }

    fn exchange(&mut self) {
        // SAFETY: the caller's promise, given to `Setting::to`: the place is valid, and only this thread uses it.
        unsafe { (self.swap)(self.place, &mut self.other) }
    }
}

/// The settings of one running call, on its stack.
struct Layer {
    below: *const Layer,
    settings: *mut [Setting],
    /// Set while a callback runs: the previous values are in place.
    paused: Cell<bool>,
}

thread_local! {
    /// The settings of the innermost call of this thread.
    static TOP: Cell<*const Layer> = const { Cell::new(ptr::null()) };
}

impl Layer {
    fn set(&self) {
        // SAFETY: Rust: `during` borrows the settings exclusively for longer than the layer lives, and hands them
        // only to it.
        let settings = unsafe { &mut *self.settings };
        settings.iter_mut().for_each(Setting::exchange);
    }

    /// Undoes `set`, in the opposite order: a variable may be named twice.
    fn put_back(&self) {
        // SAFETY: Rust: `during` borrows the settings exclusively for longer than the layer lives, and hands them
        // only to it.
        let settings = unsafe { &mut *self.settings };
        settings.iter_mut().rev().for_each(Setting::exchange);
    }
}

/// Ends the innermost layer.
struct LayerGuard<'l>(&'l Layer);

impl Drop for LayerGuard<'_> {
    fn drop(&mut self) {
        self.0.put_back();
        TOP.set(self.0.below);
    }
}

/// Calls C with these settings.
#[doc(hidden)]
#[inline]
pub fn during<R>(settings: &mut [Setting], c: impl FnOnce() -> R) -> R {
    let layer = Layer {
        below: TOP.get(),
        settings,
        paused: Cell::new(false),
    };
    layer.set();
    TOP.set(&raw const layer);
    let _guard = LayerGuard(&layer);
    c()
}

/// The previous values are in place until this is dropped.
pub(crate) struct Paused {
    top: *const Layer,
    /// The first layer that an outer callback has paused already.
    end: *const Layer,
}

/// Puts the previous values back while a callback runs.
#[inline]
pub(crate) fn pause() -> Paused {
    let top = TOP.get();
    let mut end = top;
    // SAFETY: guarantee 10: null, or a layer on the stack of a call of this thread that has not returned.
    while let Some(layer) = unsafe { end.as_ref() }
        && !layer.paused.replace(true)
    {
        layer.put_back();
        end = layer.below;
    }
    Paused { top, end }
}

impl Drop for Paused {
    fn drop(&mut self) {
        resume(self.top, self.end);
    }
}

/// Sets the values of the layers from `layer` down to `end` again, the outermost layer first.
fn resume(layer: *const Layer, end: *const Layer) {
    if layer == end {
        return;
    }
    // SAFETY: guarantee 10: the layers down to `end` are of calls that run the callback which ends now.
    let layer = unsafe { &*layer };
    resume(layer.below, end);
    layer.set();
    layer.paused.set(false);
}
