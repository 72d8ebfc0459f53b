//! Arguments of the generated call. They are converted in safe code before C is called.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::spanned::Spanned;
use syn::{Expr, Lit, Type};

use crate::callbacks::expand::function_constant;
use crate::methods::ast::{Calls, Method, Parameter};
use crate::methods::c_args::CArg;
use crate::methods::expand::variables::{
    attempt_variable, c_value_variable, callback_variable, capacity_variable, data_variable,
    destroy_variable, details_variable, function_variable, given_variable, here_variable,
    length_variable, memory_variable, out_length_variable, out_variable, place_variable,
    site_variable, start_variable, text_variable,
};
use crate::span::respanned;
use crate::types::inspect::{argument_of, is_text};
use crate::types::param_kind::ParamKind;

/// Declares a converted argument before the call, if the conversion can fail or has to stay alive.
pub(crate) fn prepare(argument: &CArg<'_>, runtime: &TokenStream) -> Option<TokenStream> {
    match argument {
        CArg::Length(Parameter { name, .. }, span) => {
            let (variable, text) = (length_variable(name), name.to_string());
            let (site, memory) = (site_variable(), memory_variable(name));
            let converted = quote!(#runtime::__private::call::length(#site, #text, &#memory)?);
            let converted = respanned(converted, *span);
            Some(quote!(let #variable = #converted;))
        }
        CArg::Data(parameter, span) => {
            let (variable, state) = (
                data_variable(&parameter.name),
                callback_variable(&parameter.name),
            );
            let data = respanned(quote!((&#state).data()), *span);
            Some(quote!(let #variable = #data;))
        }
        CArg::Destroy(parameter, span) => {
            let (variable, state) = (
                destroy_variable(&parameter.name),
                callback_variable(&parameter.name),
            );
            let destroy = respanned(quote!((&#state).destroy()), *span);
            Some(quote!(let #variable = #destroy;))
        }
        CArg::Function(Parameter { name, ty }, method, span) => {
            let (variable, state) = (function_variable(name, method), callback_variable(name));
            let ty = match ty {
                Type::Reference(reference) => &*reference.elem,
                ty => argument_of(ty, "Option").unwrap_or(ty),
            };
            let constant = function_constant(method);
            let function = respanned(quote!((&#state).function(<#ty>::#constant)), *span);
            Some(quote!(let #variable = #function;))
        }
        CArg::Parameter(Parameter { name, ty }, _) if is_text(ty) => {
            let (variable, text) = (text_variable(name), name.to_string());
            let site = site_variable();
            Some(quote!(let #variable = #runtime::__private::call::text(#site, #text, #name)?;))
        }
        _ => None,
    }
}

/// Moves each parameter that is passed as `name.ptr` or `name.len` into a variable that the author
/// cannot name, and takes its start. `name` is a shared reference from then on, unless it can be
/// copied.
pub(crate) fn expand_memory_arguments(
    arguments: &[&CArg<'_>],
    runtime: &TokenStream,
) -> TokenStream {
    let mut held: Vec<&Parameter> = Vec::new();
    for argument in arguments {
        if let CArg::Start(parameter, _) | CArg::Length(parameter, _) = argument
            && !held.iter().any(|other| other.name == parameter.name)
        {
            held.push(parameter);
        }
    }
    let held = held.into_iter().map(|Parameter { name, ty }| {
        let (memory, variable) = (memory_variable(name), start_variable(name));
        let started = arguments.iter().find_map(|argument| match argument {
            CArg::Start(parameter, span) if parameter.name == *name => Some(*span),
            _ => None,
        });
        let started = started.map(|span| {
            let start = quote!(#runtime::__private::to_c::Memory::start(&mut #memory));
            let start = respanned(start, span);
            quote!(let #variable = #start;)
        });
        let mutable = started.is_some().then(|| quote!(mut));
        let seen = match ParamKind::of(ty) {
            ParamKind::Ref(_) | ParamKind::OptionRef(_) => None,
            ParamKind::Mut(_) => Some(quote!(&*#memory)),
            _ => Some(quote!(&#memory)),
        };
        let seen = seen.map(|seen| {
            quote! {
                #[allow(unused_variables, reason = "for the author's expressions")]
                let #name = #seen;
            }
        });
        quote! {
            let #mutable #memory = #name;
            #started
            #seen
        }
    });
    quote!(#(#held)*)
}

/// Expands an expression of the author. It sees the parameters by their types, those that C consumes
/// as `&T`, and none of the generated variables.
fn expand_constant(method: &Method, constant: &Expr, runtime: &TokenStream) -> TokenStream {
    let named = method
        .consumed()
        .filter(|parameter| is_mentioned(&parameter.name, constant.to_token_stream()));
    let shown: Vec<TokenStream> = named
        .map(|Parameter { name, .. }| {
            let (lent, here) = (c_value_variable(name), here_variable());
            quote!(let #name = #runtime::__private::call::limit_to(&#here, #lent);)
        })
        .collect();
    let kept = method.parameters.iter().filter(|parameter| {
        method.is_kept(parameter) && is_mentioned(&parameter.name, constant.to_token_stream())
    });
    let kept = kept.map(|Parameter { name, ty }| {
        let (state, is_optional) = (
            callback_variable(name),
            matches!(ParamKind::of(ty), ParamKind::OptionOwned(_)),
        );
        match is_optional {
            true => quote!(let #name = (&#state).optional();),
            false => quote!(let #name = (&#state).required();),
        }
    });
    let shown: Vec<TokenStream> = shown.into_iter().chain(kept).collect();
    match shown.is_empty() {
        true => constant.to_token_stream(),
        false => quote!({ #(#shown)* #constant }),
    }
}

/// Returns `true` if `tokens` contain `name`, also in a macro.
fn is_mentioned(name: &Ident, tokens: TokenStream) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => is_mentioned(name, group.stream()),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Expands the value that C gets. It is evaluated in safe code, before C is called.
pub(crate) fn pass(method: &Method, argument: &CArg<'_>, runtime: &TokenStream) -> TokenStream {
    let into_c = quote!(#runtime::__private::to_c::IntoC::into_c);
    let (passed, span) = match argument {
        CArg::Receiver(span) => (quote!(#into_c(&*self)), span),
        CArg::Parameter(Parameter { name, ty }, span) if is_text(ty) => {
            let variable = text_variable(name);
            (
                quote!(#into_c(::core::option::Option::as_deref(&#variable))),
                span,
            )
        }
        // References are reborrowed, because the errors of the call may still use them.
        CArg::Parameter(parameter @ Parameter { name, ty }, span) => match ParamKind::of(ty) {
            ParamKind::Ref(_) | ParamKind::Mut(_) => (quote!(#into_c(&*#name)), span),
            ParamKind::Owned(_) | ParamKind::OptionOwned(_) if method.is_kept(parameter) => {
                let state = callback_variable(name);
                (quote!(#into_c((&#state).optional())), span)
            }
            ParamKind::Owned(_) => {
                let lent = c_value_variable(name);
                (quote!(#into_c(#lent)), span)
            }
            ParamKind::OptionMut(_) => (
                quote!(#into_c(#runtime::__private::shape::optional(&#name))),
                span,
            ),
            ParamKind::Value | ParamKind::Python | ParamKind::OptionOwned(_) => {
                let by_value = quote!(#runtime::__private::to_c::IntoC::by_value);
                (quote!(#by_value(#name)), span)
            }
            ParamKind::OptionRef(_) => (quote!(#into_c(#name)), span),
        },
        CArg::Start(Parameter { name, .. }, span) => {
            let start = start_variable(name);
            let start = quote! {
                // SAFETY: Rust: the parameter is borrowed by this method until C has returned.
                unsafe { #runtime::__private::to_c::Start::new(#start) }
            };
            (quote!(#into_c(#start)), span)
        }
        CArg::Length(Parameter { name, .. }, span) => {
            (length_variable(name).to_token_stream(), span)
        }
        CArg::Data(parameter, span) => (data_variable(&parameter.name).to_token_stream(), span),
        CArg::Destroy(parameter, span) => {
            (destroy_variable(&parameter.name).to_token_stream(), span)
        }
        CArg::Function(parameter, method, span) => (
            function_variable(&parameter.name, method).to_token_stream(),
            span,
        ),
        CArg::Out(n, span) => {
            let slot = out_variable(*n);
            (quote!((&#slot).pointer()), span)
        }
        CArg::OutLength(span) => {
            let slot = out_length_variable();
            (quote!((&#slot).pointer()), span)
        }
        CArg::Details(n, span) => {
            let slot = details_variable(*n);
            (quote!((&#slot).pointer()), span)
        }
        CArg::BufferStart(span) => {
            let attempt = attempt_variable();
            let start = quote! {
                // SAFETY: guarantee 27: the attempt has the memory until C has returned.
                unsafe { #runtime::__private::to_c::Start::new((&mut #attempt).start()) }
            };
            (quote!(#into_c(#start)), span)
        }
        CArg::BufferSize(span) => {
            let attempt = attempt_variable();
            (quote!((&mut #attempt).capacity()), span)
        }
        CArg::BufferLength(span) => {
            let capacity = capacity_variable();
            (quote!(&raw mut #capacity), span)
        }
        CArg::Null(span) => (quote!(#into_c(#runtime::__private::to_c::Null)), span),
        CArg::Constant(constant) => match c_text(constant) {
            Some(text) => (quote!(#into_c(#text)), &constant.span()),
            None => return expand_constant(method, constant, runtime),
        },
    };
    respanned(passed, *span)
}

/// Returns `true` for an expression of the author's that may run code, or whose value may have a `Drop` that does: all
/// but literals, and casts of them. A field may be that of what a type of the author's dereferences to, an operator may
/// be one of the author's, and the value of a constant may be a reference that C's type dereferences.
pub(crate) fn runs_code(argument: &CArg<'_>) -> bool {
    fn runs(expression: &Expr) -> bool {
        match expression {
            Expr::Lit(_) => false,
            Expr::Cast(cast) => runs(&cast.expr),
            Expr::Group(group) => runs(&group.expr),
            Expr::Paren(paren) => runs(&paren.expr),
            Expr::Unary(unary) => !matches!(*unary.expr, Expr::Lit(_)),
            _ => true,
        }
    }
    matches!(argument, CArg::Constant(constant) if runs(constant))
}

/// Returns `true` for the name of a constant or of a variable, which makes no value on the way to what C gets.
pub(crate) fn is_name(argument: &CArg<'_>) -> bool {
    matches!(argument, CArg::Constant(Expr::Path(_)))
}

/// The text, for a C string literal, perhaps with its C type.
fn c_text(constant: &Expr) -> Option<&Lit> {
    let constant = match constant {
        Expr::Cast(cast) => &cast.expr,
        constant => constant,
    };
    match constant {
        Expr::Lit(literal) if matches!(literal.lit, Lit::CStr(_)) => Some(&literal.lit),
        _ => None,
    }
}

/// Declares the value that C gets for an `Owned` parameter.
pub(crate) fn expand_owned_argument(parameter: &Parameter, runtime: &TokenStream) -> TokenStream {
    let Parameter { name, ty } = parameter;
    let (lent, given) = (c_value_variable(name), given_variable(name));
    let target = match ParamKind::of(ty) {
        ParamKind::Owned(target) => target,
        _ => ty.clone(),
    };
    let place = place_variable(name);
    let lend = quote!(#runtime::__private::call::handle_in::<#target>(#place));
    let lend = respanned(lend, ty.span());
    quote! {
        // SAFETY: guarantee 7: the handle stays in its place until C has returned; afterwards only
        // its address is shown.
        let #lent = unsafe { #lend };
        let #given = #runtime::__private::children::Id::of(#lent);
    }
}

/// The arguments that an error message shows, by their names.
pub(crate) fn expand_arguments_for_message(method: &Method, calls: &Calls) -> Vec<TokenStream> {
    let mut callbacks = method.callbacks(calls);
    callbacks.extend(method.kept_handles(calls));
    let shown = method
        .parameters
        .iter()
        .filter(|parameter| !callbacks.iter().any(|other| other.name == parameter.name));
    let shown_arguments = shown.map(|parameter| {
        let name = &parameter.name;
        let value = match ParamKind::of(&parameter.ty) {
            ParamKind::Owned(_) => c_value_variable(name),
            _ => name.clone(),
        };
        quote!(#name #value)
    });
    shown_arguments.collect()
}
