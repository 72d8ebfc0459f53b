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
use crate::restore_guard::RestoreGuard;

/// A value in exchange for the one in a variable: the pointer has the size of the largest variable.
type Bits = MaybeUninit<*mut ()>;

/// A variable of the thread, and the value that is not in it now.
#[doc(hidden)]
pub struct Setting {
    place: *mut (),
    other: Bits,
    width: Width,
}

/// The size of a variable, by which it is exchanged.
#[derive(Clone, Copy)]
enum Width {
    /// That of a pointer.
    Pointer,
    /// That of most numbers.
    Number,
    /// Any other one.
    Bytes(usize),
}

impl Width {
    const fn of<V>() -> Self {
        match (size_of::<V>(), align_of::<V>()) {
            (size, align) if size == size_of::<*mut ()>() && align == align_of::<*mut ()>() => {
                Width::Pointer
            }
            (4, 4) => Width::Number,
            (size, _) => Width::Bytes(size),
        }
    }
}

impl Setting {
    /// Returns the setting of the variable at `place` to the value. A tuple is not coerced, so no `Deref` runs.
    ///
    /// # Safety
    ///
    /// `place` is valid while the setting is in use, and only this thread uses it.
    #[inline(always)]
    pub unsafe fn to<V: Copy>(place: *mut V, (value,): (V,)) -> Self {
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
            width: const { Width::of::<V>() },
        }
    }

    /// Returns the setting of the variable at `place` to the function that reports to the collector `E` of the running
    /// call.
    ///
    /// # Safety
    ///
    /// As for [`Setting::to`].
    #[inline(always)]
    pub unsafe fn report<E: ErrorSink, F: ReportFn<E> + Copy>(place: *mut F) -> Self {
        // SAFETY: the caller's promise.
        unsafe { Setting::to(place, (F::REPORT,)) }
    }

    /// Exchanges the value of a variable that is a pointer.
    #[inline(always)]
    fn exchange_pointer(&mut self) {
        debug_assert!(matches!(self.width, Width::Pointer));
        // SAFETY: the caller's promise, given to `Setting::to`: the place is valid, and only this thread uses it.
        unsafe { ptr::swap(self.place.cast::<Bits>(), &raw mut self.other) }
    }

    fn exchange(&mut self) {
        let (place, other) = (self.place, self.other.as_mut_ptr());
        // SAFETY: the caller's promise, given to `Setting::to`: the place is valid, only this thread uses it, and both
        // have this width. What is exchanged may have any bits, also those of pointers.
        unsafe {
            match self.width {
                Width::Pointer => ptr::swap(place.cast::<Bits>(), other.cast::<Bits>()),
                Width::Number => {
                    ptr::swap(
                        place.cast::<MaybeUninit<u32>>(),
                        other.cast::<MaybeUninit<u32>>(),
                    );
                }
                Width::Bytes(size) => {
                    let place = place.cast::<MaybeUninit<u8>>();
                    ptr::swap_nonoverlapping(place, other.cast::<MaybeUninit<u8>>(), size);
                }
            }
        }
    }
}

/// The settings of one running call, on its stack.
struct Layer {
    below: Cell<*const Layer>,
    settings: *mut [Setting],
    /// Set while a callback runs: the previous values are in place.
    paused: Cell<bool>,
}

thread_local! {
    /// The settings of the innermost call of this thread.
    static TOP: Cell<*const Layer> = const { Cell::new(ptr::null()) };
}

impl Layer {
    /// Sets the values. `are_pointers` is set if it is known that all variables are pointers.
    #[inline]
    fn set(&self, are_pointers: bool) {
        // SAFETY: Rust: `during` borrows the settings exclusively for longer than the layer lives, and hands them
        // only to it.
        let settings = unsafe { &mut *self.settings };
        match are_pointers {
            true => settings.iter_mut().for_each(Setting::exchange_pointer),
            false => settings.iter_mut().for_each(Setting::exchange),
        }
    }

    /// Undoes `set`, in the opposite order: a variable may be named twice.
    #[inline]
    fn put_back(&self, are_pointers: bool) {
        // SAFETY: Rust: `during` borrows the settings exclusively for longer than the layer lives, and hands them
        // only to it.
        let settings = unsafe { &mut *self.settings };
        match are_pointers {
            true => settings
                .iter_mut()
                .rev()
                .for_each(Setting::exchange_pointer),
            false => settings.iter_mut().rev().for_each(Setting::exchange),
        }
    }
}

/// Puts the previous values back, before the layer below becomes the innermost one.
struct LayerGuard<'l> {
    layer: &'l Layer,
    are_pointers: bool,
    _outer: RestoreGuard<*const Layer>,
}

impl Drop for LayerGuard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.layer.put_back(self.are_pointers);
    }
}

/// Calls C with these settings.
#[doc(hidden)]
#[inline(always)]
pub fn during<R>(settings: &mut [Setting], c: impl FnOnce() -> R) -> R {
    // Known where this is compiled.
    let mut all = settings.iter();
    let are_pointers = all.all(|setting| matches!(setting.width, Width::Pointer));
    let layer = Layer {
        below: Cell::new(ptr::null()),
        settings,
        paused: Cell::new(false),
    };
    layer.set(are_pointers);
    let outer = RestoreGuard::set(&TOP, &raw const layer);
    layer.below.set(outer.previous());
    let _guard = LayerGuard {
        layer: &layer,
        are_pointers,
        _outer: outer,
    };
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
        layer.put_back(false);
        end = layer.below.get();
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
    resume(layer.below.get(), end);
    layer.set(false);
    layer.paused.set(false);
}
