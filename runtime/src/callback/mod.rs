//! Callbacks: the C function pointers of generated code, and the owners of their user data.
//!
//! The user data of every callback points at a `BoxedUserData`, which leads to the value whose `#[callbacks]` method is
//! called. User data for one call is on the stack. User data that C keeps is in a box that belongs to the handle
//! (`crate::callback::user_data`).
//!
//! Neither an exception nor a panic crosses C. It is stored in the `Frame` of the C call that this thread runs, C is
//! told to stop as the annotation says, and no other callback of that call runs unless it is annotated
//! `even_after_error`. The exception or panic is raised when C returns. If this thread runs no C call, as on a thread
//! of C's own, it is reported.
//!
//! Every call has a frame once a handle that can keep callbacks was made: C may reach a callback through the receiver,
//! through an argument, or through handles that these are linked to in C.

mod enter;
mod exclusive;
pub(crate) mod expected;
mod frame;
mod function;
mod out_buffer;
mod pass;
mod traits;
pub(crate) mod user_data;

pub(crate) use self::frame::{CallbackFailure, framed, report_raised};
pub use self::function::{Function, Trampoline};
pub use self::out_buffer::{OutBuffer, OutMemory, OutStart, WrittenCount, length, zeros};
pub(crate) use self::pass::store_value;
pub use self::pass::{BorrowedCallback, IntoState, PendingValue, borrow, store};
pub use self::traits::{
    Arguments, Callback, Fallback, FunctionPointer, HasCallbacks, NoFallback, Return, UserData,
};
use crate::convert::to_c::IntoC;
use crate::error::{Error, Result};

/// Converts the result of a callback for C. A handle in it is released if C does not get it.
///
/// # Errors
///
/// [`Error::Busy`] if C is given a handle that something else uses.
#[doc(hidden)]
#[inline]
pub fn returned<T: IntoC<C>, C>(value: T) -> Result<C> {
    let _uses = value.begin_giving()?;
    Ok(value.into_c())
}

/// Returns the converted argument from C.
///
/// # Errors
///
/// [`Error::Value`] if C passed NULL where a value is required.
#[doc(hidden)]
pub fn passed<T>(value: Option<T>, name: &'static str) -> Result<T> {
    value.ok_or_else(|| Error::Value(format!("C passed no {name} to a callback")))
}
