//! Handles that running calls of this thread use exclusively.
//!
//! C may pass such a handle to a callback. There it cannot be used, not even by `&`: the `&mut` of the call says that
//! nothing else uses the handle meanwhile, and C may be in the middle of changing it.

use std::cell::Cell;
use std::ptr;

use crate::error::{Error, Result};
use crate::handle::{Borrowed, Handle, Owned, Resource};
use crate::ledger::Kind;

/// A handle that a call uses exclusively.
#[doc(hidden)]
#[derive(Debug, Clone, Copy)]
pub struct Used {
    kind: *const Kind,
    raw: *mut (),
}

impl Used {
    /// The handle.
    #[inline]
    pub fn of<T: Handle>(handle: &T) -> Self {
        Used {
            kind: T::kind(),
            raw: handle.as_raw().cast(),
        }
    }
}

/// The handles of one running call, on its stack.
struct Layer {
    used: *const [Used],
    below: *const Layer,
}

thread_local! {
    /// The handles of the innermost such call of this thread.
    static TOP: Cell<*const Layer> = const { Cell::new(ptr::null()) };
}

/// Calls C, which may call back, while `used` are used exclusively.
#[inline]
pub(crate) fn during<R>(used: &[Used], c: impl FnOnce() -> R) -> R {
    struct Ending(*const Layer);
    impl Drop for Ending {
        fn drop(&mut self) {
            TOP.set(self.0);
        }
    }
    if used.is_empty() {
        return c();
    }
    let layer = Layer {
        used,
        below: TOP.get(),
    };
    let _ending = Ending(TOP.replace(&raw const layer));
    c()
}

fn is_used<T: Handle>(raw: *mut ()) -> bool {
    let mut layer = TOP.get();
    // SAFETY: Rust: null, or a layer on the stack of a call of this thread that has not returned: `Ending` takes it
    // away.
    while let Some(here) = unsafe { layer.as_ref() } {
        // SAFETY: Rust: the call of the layer borrows the slice for longer than the layer is there.
        let used = unsafe { &*here.used };
        if used
            .iter()
            .any(|used| ptr::eq(used.kind, T::kind()) && used.raw == raw)
        {
            return true;
        }
        layer = here.below;
    }
    false
}

/// What a callback gets of C that holds handles.
#[doc(hidden)]
pub trait Handles {
    /// The name of one that a running call uses exclusively.
    fn in_use(&self) -> Option<&'static str>;
}

impl<T: Handle> Handles for Borrowed<'_, T> {
    fn in_use(&self) -> Option<&'static str> {
        is_used::<T>((*self).raw().as_ptr().cast()).then_some(T::NAME)
    }
}

impl<T: Resource> Handles for Owned<'_, T> {
    fn in_use(&self) -> Option<&'static str> {
        const {
            assert!(
                T::LINEAGE.up.is_none(),
                "a callback cannot take a handle that lives in a parent: nobody would know in which one, so which has to \
                 outlive it. Let it take a reference, and make the handle by a method of its parent"
            );
        }
        None
    }
}

impl<H: Handles> Handles for Option<H> {
    fn in_use(&self) -> Option<&'static str> {
        self.as_ref().and_then(H::in_use)
    }
}

impl<H: Handles> Handles for Vec<H> {
    fn in_use(&self) -> Option<&'static str> {
        self.iter().find_map(H::in_use)
    }
}

/// What C passed to a callback, before the callback sees it.
#[doc(hidden)]
pub struct Passed<'a, T>(pub &'a T);

impl<T: Handles> Passed<'_, T> {
    /// Refuses handles that a running call uses exclusively. What holds no handles has [`HoldsNone::check`].
    ///
    /// # Errors
    ///
    /// [`Error::Busy`]
    pub fn check(self) -> Result<()> {
        match self.0.in_use() {
            None => Ok(()),
            Some(name) => Err(Error::Busy(name)),
        }
    }
}

/// Answers for what holds no handles.
#[doc(hidden)]
pub trait HoldsNone: Sized {
    /// Nothing to refuse.
    ///
    /// # Errors
    ///
    /// None.
    fn check(self) -> Result<()> {
        Ok(())
    }
}

impl<T> HoldsNone for Passed<'_, T> {}
