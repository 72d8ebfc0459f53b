//! The methods of a `#[callbacks]` block as they are written.

use crate::text::Utf8;
use proc_macro2::{Ident, Span};
use syn::{Expr, FnArg, ImplItemFn, Pat, Path, Type};

/// One method that C calls.
pub(crate) struct CallbackMethod {
    pub(crate) method: ImplItemFn,
    /// C's function pointer type.
    pub(crate) function: Type,
    pub(crate) arguments: Vec<CallbackCArg>,
    /// Where the user data is.
    pub(crate) data: Option<Expr>,
    /// C's own function of this type, which is called first.
    pub(crate) before: Option<Path>,
    /// What C is told when something was raised.
    pub(crate) on_error: Option<Expr>,
    pub(crate) until_null: bool,
    pub(crate) exclusive: bool,
    pub(crate) even_after_error: bool,
    pub(crate) utf8: Utf8,
}

/// One argument that C passes.
pub(crate) enum CallbackCArg {
    /// A parameter, the user data, or what only has a name.
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
