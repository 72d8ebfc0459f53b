//! Names that annotations no longer have. This module is removed before the first release.

use proc_macro2::Ident;

use crate::diagnostics::Diagnostics;

/// Former attribute arguments with their new names.
pub(crate) const RENAMED: &[(&str, &str)] = &[
    ("private", "rust_only"),
    ("stop", "on_error"),
    ("alone", "exclusive"),
    ("always", "even_after_error"),
    ("value", "integer"),
    ("inplace", "caller_allocates"),
    ("transient", "until_mut"),
    ("owner", "owner_field"),
    ("lent", "callback_only"),
    ("parents", "keep_alive"),
];

/// Former attributes and values with their new names.
pub(crate) const RENAMED_ELSEWHERE: &[(&str, &str)] = &[
    ("called", "callback"),
    ("private", "rust_only"),
    ("forever", "handle"),
    ("replaced", "until_replaced"),
];

/// Reports an attribute or a value whose name was replaced. Returns `true` if `name` is one.
pub(crate) fn report_renamed(kind: &str, name: &Ident, diagnostics: &Diagnostics) -> bool {
    let new = replacement(RENAMED_ELSEWHERE, name);
    if let Some(new) = new {
        diagnostics.at(
            name,
            format!("the {kind} `{name}` was renamed: write `{new}`"),
        );
    }
    new.is_some()
}

pub(crate) fn replacement(table: &[(&str, &'static str)], name: &Ident) -> Option<&'static str> {
    table
        .iter()
        .find(|(old, _)| name == old)
        .map(|(_, new)| *new)
}
