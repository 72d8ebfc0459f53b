//! Rules for calls that only read.

use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Calls, Method, Receiver};
use crate::types::inspect::owned_handles;
use crate::types::param_kind::ParamKind;

/// Checks `pure`, by which nobody listens to the call, and nobody knows what it uses.
pub(crate) fn check_pure(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let Some(pure) = &calls.pure else { return };
    let refuse = |why| diagnostics.at(pure, format!("{why}: remove `pure`"));
    let gives = |ty| {
        matches!(
            ParamKind::of(ty),
            ParamKind::Mut(_)
                | ParamKind::OptionMut(_)
                | ParamKind::Owned(_)
                | ParamKind::OptionOwned(_)
        )
    };
    let changes = method
        .parameters
        .iter()
        .any(|parameter| gives(&parameter.ty));
    if method.receiver == Receiver::Exclusive || changes {
        refuse("a call that only reads takes its handles by `&`");
    }
    if method.output.fallible {
        refuse(
            "a call that only reads has no failure to report, and this one returns a `Result` (text can be a `CString`, or \
             have `utf8 = lossy`)",
        );
    }
    if !owned_handles(&method.output.value).is_empty() {
        refuse("a call that only reads makes no handle");
    }
    if !method.callbacks(calls).is_empty() {
        refuse("a call that only reads calls nothing back");
    }
    if calls.detach {
        refuse("a call that only reads takes no time, and keeps the GIL: `detach` is for others");
    }
}
