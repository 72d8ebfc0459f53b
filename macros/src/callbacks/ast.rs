//! The methods of a `#[callbacks]` block as they are written.

use proc_macro2::{Ident, Span};
use syn::{Expr, FnArg, ImplItemFn, Pat, Path, Type};

use crate::text::Utf8;

/// A method with `#[callback(…)]`.
pub(crate) struct CallbackMethod {
    pub(crate) method: ImplItemFn,
    /// The type of the C function pointer.
    pub(crate) function: Type,
    pub(crate) arguments: Vec<CallbackCArg>,
    /// The expression for the user data, if `data` is no argument.
    pub(crate) data: Option<Expr>,
    /// A C function of the same type, which is called first.
    pub(crate) before: Option<Path>,
    /// The value that C gets after an error or a panic.
    pub(crate) on_error: Option<Expr>,
    pub(crate) until_null: bool,
    pub(crate) exclusive: bool,
    pub(crate) even_after_error: bool,
    pub(crate) utf8: Utf8,
}

/// An argument that C passes.
pub(crate) enum CallbackCArg {
    /// A parameter, `data`, or a name that other expressions use.
    Named(Ident),
    /// `name.ptr`
    Start(Ident, Span),
    /// `name.len`
    Length(Ident, Span),
    Ignored,
}

pub(crate) fn parameters(method: &ImplItemFn) -> impl Iterator<Item = (&Ident, &Type)> {
    method.sig.inputs.iter().filter_map(|input| match input {
        FnArg::Typed(typed) => match &*typed.pat {
            Pat::Ident(name) => Some((&name.ident, &*typed.ty)),
            _ => None,
        },
        FnArg::Receiver(_) => None,
    })
}
