//! Names of the variables in a generated body.
//!
//! Each has the span `mixed_site`, so no expression of the author can name it, however it is spelled. An identifier
//! is an argument of `format_ident!`, which takes `r#` off, and never stands in its text.

use proc_macro2::{Ident, Span};
use quote::format_ident;

/// The holder of a callback during the call.
pub(crate) fn callback_variable(name: &Ident) -> Ident {
    format_ident!("__{}_state", name, span = Span::mixed_site())
}

pub(crate) fn data_variable(name: &Ident) -> Ident {
    format_ident!("__{}_data", name, span = Span::mixed_site())
}

pub(crate) fn destroy_variable(name: &Ident) -> Ident {
    format_ident!("__{}_destroy", name, span = Span::mixed_site())
}

pub(crate) fn function_variable(name: &Ident, method: &Ident) -> Ident {
    format_ident!("__{}_function_{}", name, method, span = Span::mixed_site())
}

pub(crate) fn length_variable(name: &Ident) -> Ident {
    format_ident!("__{}_length", name, span = Span::mixed_site())
}

/// The memory parameter, apart from its name: an expression of the author must not move or end what
/// C has a pointer to.
pub(crate) fn memory_variable(name: &Ident) -> Ident {
    format_ident!("__{}_memory", name, span = Span::mixed_site())
}

/// The start of a buffer. It is taken before anything else is done with the parameter, because C
/// writes to a `&mut [u8]`.
pub(crate) fn start_variable(name: &Ident) -> Ident {
    format_ident!("__{}_start", name, span = Span::mixed_site())
}

/// The lifetime of the result.
pub(crate) fn lifetime_variable() -> Ident {
    Ident::new("__life", Span::mixed_site())
}

/// The type of an argument, before its value is there.
pub(crate) fn type_variable(index: usize) -> Ident {
    format_ident!("__type_{index}", span = Span::mixed_site())
}

/// The result of the call.
pub(crate) fn result_variable() -> Ident {
    Ident::new("__result", Span::mixed_site())
}

/// The function that frees the returned memory.
pub(crate) fn free_variable() -> Ident {
    Ident::new("__free", Span::mixed_site())
}

/// The variable for the error of a length that `len` computes.
pub(crate) fn length_error_variable() -> Ident {
    Ident::new("__length_error", Span::mixed_site())
}

/// The slot of the out-parameter for a length.
pub(crate) fn out_length_variable() -> Ident {
    Ident::new("__out_length", Span::mixed_site())
}

/// The memory that C gets to fill.
pub(crate) fn buffer_variable() -> Ident {
    Ident::new("__buffer", Span::mixed_site())
}

/// The memory during one call of C.
pub(crate) fn attempt_variable() -> Ident {
    Ident::new("__attempt", Span::mixed_site())
}

/// The size of the memory, which C replaces by the number of bytes that it has filled.
pub(crate) fn capacity_variable() -> Ident {
    Ident::new("__capacity", Span::mixed_site())
}

/// The slot of the parameter `n` in which C explains a failure.
pub(crate) fn details_variable(n: usize) -> Ident {
    format_ident!("__details_{n}", span = Span::mixed_site())
}

/// A value on the stack of the generated body, which the details of a failure may borrow.
pub(crate) fn details_life_variable() -> Ident {
    Ident::new("__details_life", Span::mixed_site())
}

/// The function that frees the details of a failure.
pub(crate) fn free_details_variable() -> Ident {
    Ident::new("__free_details", Span::mixed_site())
}

/// The slot of the out-parameter `n`.
pub(crate) fn out_variable(n: usize) -> Ident {
    format_ident!("__out_{n}", span = Span::mixed_site())
}

/// The converted argument or field value `n`.
pub(crate) fn passed_variable(n: usize, span: Span) -> Ident {
    format_ident!("__passed_{n}", span = span.resolved_at(Span::mixed_site()))
}

/// The side data of a consumed handle, which is dropped after the call.
pub(crate) fn transfer_variable(name: &Ident) -> Ident {
    format_ident!("__{}_passed_on", name, span = Span::mixed_site())
}

/// The parameter that holds a consumed handle, apart from its name: an expression of the author sees
/// the handle as `&T`.
pub(crate) fn place_variable(name: &Ident) -> Ident {
    format_ident!("__{}_place", name, span = Span::mixed_site())
}

/// A value on the stack of the generated body. What the author's expressions borrow of a consumed
/// handle lives no longer.
pub(crate) fn here_variable() -> Ident {
    Ident::new("__here", Span::mixed_site())
}

/// The call site of the method.
pub(crate) fn site_variable() -> Ident {
    Ident::new("__site", Span::mixed_site())
}

/// The handles that the call consumed, until it is known which handle of the result they live in.
pub(crate) fn unplaced_variable() -> Ident {
    Ident::new("__unplaced", Span::mixed_site())
}

/// The handle of an `Owned` parameter among those of all types.
pub(crate) fn given_variable(name: &Ident) -> Ident {
    format_ident!("__{}_given", name, span = Span::mixed_site())
}

/// The value that C gets for an `Owned` parameter.
pub(crate) fn c_value_variable(name: &Ident) -> Ident {
    format_ident!("__{}_lent", name, span = Span::mixed_site())
}

pub(crate) fn text_variable(name: &Ident) -> Ident {
    format_ident!("__{}_text", name, span = Span::mixed_site())
}
