//! Errors that ask the handle what went wrong.
//!
//! Many C libraries keep the last error in the handle, or in the handle that it lives in. The next call on either
//! handle overwrites the error and frees its text. The call and the question are one step only if no other call comes
//! between. The annotation of the handle therefore says that its errors ask: `errors(E, asks_handle)`. This cannot be
//! forgotten, because [`CallInfo::handle`](crate::error_source::CallInfo::handle) exists only for such handles
//! ([`AsksHandle`]).
//!
//! Other calls are kept away in one of two ways:
//!
//! - A call that is not marked `detach` holds the GIL, and is one step with its question: in a section without the GIL,
//!   and in a callback on a thread of C's, the call takes the GIL (`call`). On free-threaded Python a critical section
//!   of the outermost handle takes the place of the GIL (`python::one_step`).
//! - A call that is detached runs beside others, unless it has the handle, and each asked handle that it lives in, by
//!   `&mut`, or the library's own lock is held until the errors have asked (`lock(…)`). Any other detached call is
//!   refused while compiling, also one that cannot fail, or that takes an asked handle as an argument: it changes what
//!   others ask for.
//!
//! Two alternatives were rejected. A word at each call could be forgotten. A `CallInfo` without its handle where asking
//! would race would lose messages silently.

use std::marker::PhantomData;

use crate::handle::{Handle, HandleSpec};

/// A handle whose errors ask it what went wrong: `errors(E, asks_handle)`.
///
/// # Safety
///
/// `SPEC.asks` says so, too. The macros then refuse calls beside which another call could change the answer.
#[diagnostic::on_unimplemented(
    message = "the errors of `{Self}` do not ask the handle",
    label = "`handle()` asks it",
    note = "say so where `{Self}` is annotated: `errors(Type, asks_handle)`; calls beside which another thread could change the \
            answer are then refused"
)]
pub unsafe trait AsksHandle: Handle {}

impl HandleSpec {
    /// Returns whether no other thread's call changes the answer of an asked handle while a detached call on this one
    /// runs, and until its errors have asked.
    pub const fn call_is_one_step(&self, exclusive: bool, reads_parent: bool) -> bool {
        let asks = self.asks && !self.locks;
        self.is_left_alone(asks, exclusive, reads_parent)
    }

    /// Returns whether a detached call that takes this handle as an argument leaves the answers of other threads' calls
    /// alone.
    pub const fn argument_is_one_step(&self, exclusive: bool) -> bool {
        self.is_left_alone(false, exclusive, false)
    }

    /// Returns whether a detached release, which holds no lock, leaves the answers of other threads' calls alone. A
    /// release asks if it can fail, and borrows the parent shared.
    pub const fn release_is_one_step(&self, fallible: bool) -> bool {
        self.is_left_alone(self.asks && fallible, true, true)
    }

    /// Returns whether each asked handle of this spec is borrowed exclusively, unless its own calls hold the library's
    /// lock. `asks` says that the errors of this very call ask without the lock.
    const fn is_left_alone(&self, asks: bool, exclusive: bool, reads_parent: bool) -> bool {
        if self.asks && !exclusive && (asks || !self.locks) {
            return false;
        }
        let mut index = 0;
        while index < self.extra_parents.len() {
            if !self.extra_parents[index].is_left_alone(asks, false, false) {
                return false;
            }
            index += 1;
        }
        let sharing = &self.sharing;
        let with_parent =
            sharing.part || sharing.holds_parent || sharing.mut_parent && !reads_parent;
        match self.parent {
            None => true,
            Some(parent) => parent.is_left_alone(asks, exclusive && with_parent, false),
        }
    }

    /// Returns whether the errors of calls on this handle, or on one that it lives in, ask without a lock of the
    /// library.
    pub const fn is_asked(&self) -> bool {
        !self.is_left_alone(false, false, false)
    }
}

/// The type of an argument. Its constants tell an assertion whether the argument is an asked handle.
#[derive(Debug)]
pub struct Passed<T: ?Sized>(PhantomData<T>);

impl<T: Handle> Passed<T> {
    /// True if a detached call that takes a `&T` leaves the answers of other threads' calls alone.
    pub const SHARED: bool = T::SPEC.argument_is_one_step(false);
    /// True if a detached call that takes a `&mut T`, or a `T` by value, leaves the answers of other threads' calls
    /// alone.
    pub const EXCLUSIVE: bool = T::SPEC.argument_is_one_step(true);
}

/// The constants for types that are not handles. The compiler prefers the constants of [`Passed`] itself.
pub trait PassedOther {
    /// True: errors ask nothing of other types.
    const SHARED: bool = true;
    /// True: errors ask nothing of other types.
    const EXCLUSIVE: bool = true;
}

impl<T: ?Sized> PassedOther for Passed<T> {}

/// Refuses, while compiling, a detached call that is not one step with the question what went wrong. Checks the
/// receiver, then each argument by its name.
#[doc(hidden)]
#[macro_export]
macro_rules! __one_step {
    () => {};
    ($name:literal self $handle:ty, $exclusive:literal, $reads_parent:literal; $($rest:tt)*) => {
        $crate::__one_step!(@check $name <$handle as $crate::__private::handle::Handle>::SPEC
            .call_is_one_step($exclusive, $reads_parent));
        $crate::__one_step! { $($rest)* }
    };
    ($name:literal $argument:ty, $mode:ident; $($rest:tt)*) => {
        $crate::__one_step!(@check $name {
            #[allow(unused_imports, reason = "it answers for what is no handle")]
            use $crate::__private::asks_handle::PassedOther as _;
            $crate::__private::asks_handle::Passed::<$argument>::$mode
        });
        $crate::__one_step! { $($rest)* }
    };
    (@check $name:literal $is_one_step:expr) => {
        const _: () = ::core::assert!(
            $is_one_step,
            ::core::concat!(
                "while this call runs without the GIL, another thread's call on the `",
                $name,
                "`, or on what that lives in, changes what `errors` with `asks_handle` find there: add \
                 `lock(of = …, enter = …, leave = …)` where the handles are annotated, borrow the asked handle by `&mut` \
                 (from a child: `mut_parent`), or remove `detach`"
            )
        );
    };
}
