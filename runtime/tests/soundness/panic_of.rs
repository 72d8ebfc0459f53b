//! Calls that panic.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The text that `call` panicked with.
#[track_caller]
pub(crate) fn panic_of<R>(call: impl FnOnce() -> R) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(call)) else {
        panic!("the call should have panicked");
    };
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map(ToString::to_string)
            .unwrap_or_default(),
    }
}
