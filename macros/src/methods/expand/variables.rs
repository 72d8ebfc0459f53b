//! The names of the variables in a generated body.

use proc_macro2::{Ident, Span};
use quote::format_ident;

/// What holds a callback while C is called.
pub(crate) fn callback_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_state", span = Span::mixed_site())
}

pub(crate) fn data_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_data", span = Span::mixed_site())
}

pub(crate) fn destroy_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_destroy", span = Span::mixed_site())
}

pub(crate) fn function_variable(name: &Ident, method: &Ident) -> Ident {
    format_ident!("__{name}_function_{method}", span = Span::mixed_site())
}

pub(crate) fn length_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_length")
}

/// The start of memory, taken before anything else is done with the parameter: of `&mut [u8]` C writes to it.
pub(crate) fn start_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_start", span = Span::mixed_site())
}

/// What C gives lives no longer than this.
pub(crate) fn lifetime_variable() -> Ident {
    Ident::new("__life", Span::mixed_site())
}

/// What frees what C gives.
pub(crate) fn free_variable() -> Ident {
    Ident::new("__free", Span::mixed_site())
}

/// The memory of the out-parameter for a length.
pub(crate) fn out_length_variable() -> Ident {
    Ident::new("__out_length", Span::mixed_site())
}

/// The memory of the `n`-th out-parameter.
pub(crate) fn out_variable(n: usize) -> Ident {
    format_ident!("__out_{n}", span = Span::mixed_site())
}

/// The `n`-th value that C gets, or that a field is set to.
pub(crate) fn passed_variable(n: usize, span: Span) -> Ident {
    format_ident!("__passed_{n}", span = span.resolved_at(Span::mixed_site()))
}

/// What a consumed handle kept, until the call has ended.
pub(crate) fn transfer_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_passed_on", span = Span::mixed_site())
}

/// What C gets of a parameter that it keeps.
pub(crate) fn c_value_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_lent", span = Span::mixed_site())
}

pub(crate) fn text_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_text")
}
