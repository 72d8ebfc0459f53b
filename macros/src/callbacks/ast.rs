//! The methods of a `#[callbacks]` block as they are written.

use proc_macro2::{Ident, Span};
use syn::{Expr, FnArg, ImplItemFn, Pat, Path, ReturnType, Type};

use crate::text::Utf8;
use crate::types::inspect::{argument_of, is_out_buffer, is_unit};

/// A method with `#[callback(…)]`.
pub(crate) struct CallbackMethod {
    pub(crate) method: ImplItemFn,
    /// The type of the C function pointer.
    pub(crate) function: Type,
    pub(crate) arguments: Vec<CallbackCArg>,
    /// The expression for the user data, if `data` is no argument.
    pub(crate) data: Option<Expr>,
    /// The expression for the length of the memory that has none in `arguments`.
    pub(crate) length: Option<Expr>,
    /// A C function of the same type, which is called first.
    pub(crate) before: Option<Path>,
    /// The value that C gets after an error or a panic.
    pub(crate) on_error: Option<Expr>,
    /// `until = null`: the array that has no length ends with a NULL or a 0.
    pub(crate) until: Option<Ident>,
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

impl CallbackMethod {
    /// Returns `true` if the array that has no length ends with a NULL or a 0.
    pub(crate) fn until_null(&self) -> bool {
        self.until.is_some()
    }

    /// Returns `true` if C passes the pointer to the memory `name`.
    pub(crate) fn has_start(&self, name: &Ident) -> bool {
        self.arguments
            .iter()
            .any(|argument| matches!(argument, CallbackCArg::Start(other, _) if other == name))
    }

    /// Returns `true` if C passes the length of the memory `name`.
    pub(crate) fn has_length(&self, name: &Ident) -> bool {
        self.arguments
            .iter()
            .any(|argument| matches!(argument, CallbackCArg::Length(other, _) if other == name))
    }

    /// The memory whose length C does not pass.
    pub(crate) fn unmeasured(&self) -> impl Iterator<Item = (&Ident, &Type)> {
        parameters(&self.method).filter(|(name, _)| self.has_start(name) && !self.has_length(name))
    }

    /// The type of the method's value, within `Result`; `None` for `()`.
    pub(crate) fn value(&self) -> Option<&Type> {
        let ReturnType::Type(_, ty) = &self.method.sig.output else {
            return None;
        };
        Some(argument_of(ty, "Result").unwrap_or(ty)).filter(|ty| !is_unit(ty))
    }

    /// The memory that C asks to be filled.
    pub(crate) fn filled(&self) -> impl Iterator<Item = (&Ident, &Type)> {
        parameters(&self.method).filter(|(_, ty)| is_out_buffer(ty))
    }
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
