//! The arguments of a C call: which expression stands for which parameter.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{Expr, ExprField, Member};

use super::model::{Calls, Method, Parameter, Receiver};
use super::types::is_text;

/// One argument of the C function.
pub(crate) enum Argument<'a> {
    Receiver(Span),
    Parameter(&'a Parameter, Span),
    /// `name.ptr`
    Start(&'a Parameter, Span),
    /// `name.len`
    Length(&'a Parameter, Span),
    Null(Span),
    /// A constant, as it is.
    Constant(&'a Expr),
}

impl Method {
    /// The arguments in C's order.
    pub(crate) fn c_arguments<'a>(&'a self, calls: &'a Calls) -> Vec<Argument<'a>> {
        match &calls.arguments {
            Some(arguments) => arguments
                .iter()
                .map(|argument| self.argument(argument))
                .collect(),
            None => {
                let receiver = (self.receiver != Receiver::None)
                    .then(|| Argument::Receiver(calls.function.span()));
                let parameters = self
                    .parameters
                    .iter()
                    .map(|parameter| Argument::Parameter(parameter, parameter.ty.span()));
                receiver.into_iter().chain(parameters).collect()
            }
        }
    }

    fn argument<'a>(&'a self, argument: &'a Expr) -> Argument<'a> {
        if let Expr::Path(path) = argument {
            if path.path.is_ident("self") {
                return Argument::Receiver(argument.span());
            }
            if path.path.is_ident("null") {
                return Argument::Null(argument.span());
            }
            if let Some(parameter) = path.path.get_ident().and_then(|name| self.parameter(name)) {
                return Argument::Parameter(parameter, argument.span());
            }
        }
        if let Expr::Field(ExprField {
            base,
            member: Member::Named(part),
            ..
        }) = argument
            && let Expr::Path(path) = &**base
            && let Some(parameter) = path.path.get_ident().and_then(|name| self.parameter(name))
        {
            if part == "ptr" {
                return Argument::Start(parameter, argument.span());
            }
            if part == "len" {
                return Argument::Length(parameter, argument.span());
            }
        }
        Argument::Constant(argument)
    }

    pub(crate) fn parameter(&self, name: &Ident) -> Option<&Parameter> {
        self.parameters
            .iter()
            .find(|parameter| parameter.name == *name)
    }
}

/// Whether converting this argument can fail, so that the method must return a `Result`.
pub(crate) fn can_fail(argument: &Argument<'_>) -> bool {
    match argument {
        Argument::Length(..) => true,
        Argument::Parameter(parameter, _) => is_text(&parameter.ty),
        _ => false,
    }
}

/// What has to be converted before the call, because it can fail or has to stay alive.
pub(crate) fn prepare(argument: &Argument<'_>, runtime: &TokenStream) -> Option<TokenStream> {
    match argument {
        Argument::Length(Parameter { name, .. }, span) => {
            let (variable, text) = (length_variable(name), name.to_string());
            Some(quote_spanned! {*span=>
                let #variable = #runtime::call::length(&SITE, #text, &#name)?;
            })
        }
        Argument::Parameter(Parameter { name, ty }, span) if is_text(ty) => {
            let (variable, text) = (text_variable(name), name.to_string());
            Some(quote_spanned! {*span=>
                let #variable = #runtime::call::text(&SITE, #text, #name)?;
            })
        }
        _ => None,
    }
}

fn length_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_length")
}

fn text_variable(name: &Ident) -> Ident {
    format_ident!("__{name}_text")
}

/// The argument as the C function takes it.
pub(crate) fn pass(argument: &Argument<'_>, runtime: &TokenStream) -> TokenStream {
    let into_c = quote!(#runtime::arguments::IntoC::into_c);
    match argument {
        Argument::Receiver(span) => quote_spanned!(*span=> #into_c(&*self)),
        Argument::Parameter(Parameter { name, ty }, span) if is_text(ty) => {
            let variable = text_variable(name);
            quote_spanned!(*span=> #into_c(#variable.as_deref()))
        }
        Argument::Parameter(Parameter { name, ty }, span) => match ty {
            // A reference that is not moved: the call's errors may still look at it.
            syn::Type::Reference(_) => quote_spanned!(*span=> #into_c(&*#name)),
            _ => quote_spanned!(*span=> #into_c(#name)),
        },
        Argument::Start(Parameter { name, .. }, span) => {
            quote_spanned!(*span=> #into_c(#runtime::arguments::Start(#runtime::arguments::Bytes::start(&#name))))
        }
        Argument::Length(Parameter { name, .. }, _) => {
            let variable = length_variable(name);
            quote!(#variable)
        }
        Argument::Null(span) => quote_spanned!(*span=> #into_c(#runtime::arguments::Null)),
        Argument::Constant(constant) => quote!(#constant),
    }
}
