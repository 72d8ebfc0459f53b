//! The call sequence: every C function of a generated method is called here.
//!
//! Each call has the same steps, in this order:
//!
//! 1. The error source prepares for the call.
//! 2. C is called.
//! 3. The author's expressions say how the call ended ([`Outcome`]). A panic in them is kept.
//! 4. Everything that C was passed, and everything that it returned, gets its owner.
//! 5. The panic continues, or the error source words the failure.
//!
//! No other code of the author's runs between C and the owners.
//!
//! A call that is not marked `detach` runs with the GIL from step 1 to the end: where its thread gave the GIL up, the
//! call takes it.
//!
//! If the handle names the library's own lock, the call enters the lock before step 1 and leaves it at the end. A
//! message and a count are then those of this call, whatever other threads do with the same handle. A thread waits for
//! the lock without the GIL. The thread that has the lock may wait for the GIL, because no thread holds the GIL while
//! it waits for the lock.

mod arguments;
mod buffer;
mod ccall;
mod details;

mod gil;
mod lock;
mod release;
mod sequence;
mod status;
mod transfer;
pub use self::arguments::{ArgumentType, length, text};
pub use self::buffer::{Attempt, Buffer, Capacity, ask};
pub use self::ccall::{BeginUses, CCall, NoHandles, Returned, c_call};
pub use self::details::{NoDetails, ReadDetails, WrittenDetails};
pub use self::gil::{
    WithoutPython, assert_send, check_signals, detach, detach_unchecked, handles_signals,
};
pub use self::lock::locked;
pub use self::release::{Releasing, release_infallible};
pub use self::status::{
    AlwaysSucceeds, CheckStatus, ConvertAfter, KeepsNothing, OnOutcome, StatusExpressions,
};
pub use self::transfer::{TransferSlot, check_unchanged, commit_transfer, handle_in, limit_to};
pub use crate::convert::from_c::expect_some;
pub use crate::handle::origin::{
    CallOrigin, record_lender, then_give_back, then_record_parents, then_record_parents_in,
};
pub use crate::outcome::Outcome;
pub use crate::panics::Caught;
/// Refuses, while compiling, a place in C's struct on the way to which code of the author's would run: no type with a
/// `Deref` of its own is followed in a `const fn`. `$raw` is the name of the struct's pointer in the places.
#[doc(hidden)]
#[macro_export]
macro_rules! __runs_no_code {
    ($raw:ident: $type:ty => $($place:tt)+) => {
        const _: () = {
            const unsafe fn direct($raw: *const $type) {
                // SAFETY: Rust: nothing calls the function.
                let _ = unsafe { &raw const $($place)+ };
            }
            let _ = direct;
        };
    };
}
/// Converts C's result to the type, for no longer than `life`.
///
/// The expansion of `#[calls]` uses the macro on the value that C has just returned. The author's return type says who
/// owns the value, and the author vouches for that with `unsafe`.
#[doc(hidden)]
#[macro_export]
macro_rules! __from_c {
    (unsafe $value:ty, $returned:expr, $life:expr) => {
        match $returned {
            // SAFETY: annotation `calls`: C just returned it, and the return type says who owns it; guarantee 14: it
            // lives no longer than `$life`.
            returned => unsafe {
                <$value as $crate::__private::from_c::FromC<_>>::from_c_within(returned, $life)
            },
        }
    };
}
