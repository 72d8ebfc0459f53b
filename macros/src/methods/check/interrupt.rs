//! Rules for calls that a signal can interrupt.

use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Calls, Method, Receiver};

/// The rules of a call that runs on a helper thread.
pub(crate) fn check_interrupt(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let Some(path) = &calls.interrupt else { return };
    if method.receiver == Receiver::None {
        diagnostics.at(
            path,
            "`interrupt` is called on the handle of the call: take `&self` or `&mut self`",
        );
    }
    if !calls.detach {
        diagnostics.at(
            path,
            "signal handlers run while C works: add `detach`, by which the GIL is released meanwhile",
        );
    }
    if !method.output.fallible {
        diagnostics.at(
            path,
            "an interrupted call raises what the signal handler raised: return `Result<…>`",
        );
    }
    if let Some(callback) = method.callbacks(calls).first() {
        diagnostics.at(
            &callback.name,
            "C runs on a helper thread, where callbacks cannot: remove `interrupt`, and call `leakproof::check_signals` \
             in the callback",
        );
    }
    if let Some((place, _)) = calls.fields.first() {
        diagnostics.at(
            place,
            "`fields` are written by the thread that C runs on, beside the one that interrupts: write the field before the \
             call by a method of its own, with `#[field(…)]`",
        );
    }
}
