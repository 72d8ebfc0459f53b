//! Names that annotations no longer have. This module is removed before the first release.

use proc_macro2::Ident;

use crate::diagnostics::Diagnostics;

/// The place of a former name.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// An argument of an attribute.
    Argument,
    /// An attribute, or the value of an argument.
    Elsewhere,
}

use Place::{Argument, Elsewhere};

/// Former names with their new ones.
const RENAMED: &[(Place, &str, &str)] = &[
    (Argument, "private", "rust_only"),
    (Argument, "stop", "on_error"),
    (Argument, "alone", "exclusive"),
    (Argument, "always", "even_after_error"),
    (Argument, "value", "integer"),
    (Argument, "inplace", "caller_allocates"),
    (Argument, "transient", "until_mut"),
    (Argument, "owner", "owner_field"),
    (Argument, "lent", "callback_only"),
    (Argument, "parents", "keep_alive"),
    (Elsewhere, "called", "callback"),
    (Elsewhere, "private", "rust_only"),
    (Elsewhere, "forever", "handle"),
    (Elsewhere, "replaced", "until_replaced"),
];

/// Reports an attribute or a value whose name was replaced. Returns `true` if `name` is one.
pub(crate) fn report_renamed(kind: &str, name: &Ident, diagnostics: &Diagnostics) -> bool {
    let new = replacement(Elsewhere, name);
    if let Some(new) = new {
        diagnostics.at(
            name,
            format!("the {kind} `{name}` was renamed: write `{new}`"),
        );
    }
    new.is_some()
}

/// Returns the new name of an argument whose name was replaced.
pub(crate) fn renamed_argument(name: &Ident) -> Option<&'static str> {
    replacement(Argument, name)
}

fn replacement(place: Place, name: &Ident) -> Option<&'static str> {
    let mut found = RENAMED
        .iter()
        .filter(|(at, old, _)| *at == place && name == old);
    found.next().map(|(_, _, new)| *new)
}
