//! Rules for calls that a signal can interrupt.

use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Calls, Method, Receiver};

/// Checks `interrupt`, by which a call runs on a helper thread.
pub(crate) fn check_interrupt(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let Some(path) = &calls.interrupt else { return };
    if method.receiver == Receiver::None {
        diagnostics.at(
            path,
            "`interrupt` is called on the receiver: take `&self` or `&mut self`",
        );
    }
    if !calls.detach {
        diagnostics.at(
            path,
            "signal handlers need the GIL during the call: add `detach`, which releases it",
        );
    }
    if !method.output.fallible {
        diagnostics.at(
            path,
            "an interrupted call raises the exception of the signal handler: return `Result<…>`",
        );
    }
    if let Some(callback) = method.callbacks(calls).first() {
        diagnostics.at(
            &callback.name,
            "`interrupt` runs C on a helper thread, where callbacks cannot run: remove \
             `interrupt`, and call `leakproof::check_signals` in the callback",
        );
    }
    if let Some((place, _)) = calls.fields.first() {
        diagnostics.at(
            place,
            "`fields` would be written on the helper thread of `interrupt`: write the field before \
             the call, by a method with `#[field(…)]`",
        );
    }
}
