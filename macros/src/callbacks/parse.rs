//! Parses `#[callback(…)]`.

use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{Attribute, Expr, ImplItemFn, Member, Meta, Token, Type};

use crate::attr::{Arg, TargetAndArgs, parse_args};
use crate::callbacks::ast::{CallbackCArg, CallbackMethod};
use crate::diagnostics::Diagnostics;
use crate::methods::parse::source::parse_until;
use crate::text::Utf8;

pub(crate) fn parse(
    method: ImplItemFn,
    attribute: &Attribute,
    diagnostics: &Diagnostics,
) -> Option<CallbackMethod> {
    let form = "#[callback(ffi::callback_type, args = (data, …))]";
    let tokens = match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => list.tokens.clone(),
        _ => {
            diagnostics.at(
                attribute.path(),
                format!("the C item is missing: write `{form}`"),
            );
            return None;
        }
    };
    let parsed: TargetAndArgs<Type> = TargetAndArgs::of(tokens, form, diagnostics)?;
    let mut callback = CallbackMethod {
        method,
        function: parsed.target,
        arguments: Vec::new(),
        data: None,
        length: None,
        before: None,
        on_error: None,
        until: None,
        exclusive: false,
        even_after_error: false,
        utf8: Utf8::Strict,
    };
    let known = [
        "args",
        "before",
        "data",
        "len",
        "on_error",
        "until",
        "utf8",
        "exclusive",
        "even_after_error",
    ];
    let mut has_arguments = false;
    for arg in parse_args(parsed.args, &known, diagnostics) {
        match arg.name.to_string().as_str() {
            "args" => {
                has_arguments = true;
                callback.arguments = parse_arguments(arg, diagnostics);
            }
            "data" => callback.data = arg.value("data = ffi::user_data(context)", diagnostics),
            "len" => callback.length = arg.value("len = size.saturating_mul(count)", diagnostics),
            "before" => callback.before = arg.value("before = ffi::default_of_it", diagnostics),
            "on_error" => callback.on_error = arg.value("on_error = 1", diagnostics),
            "until" => callback.until = Some(parse_until(arg, diagnostics)),
            "utf8" => callback.utf8 = arg.value(Utf8::FORM, diagnostics).unwrap_or(Utf8::Lossy),
            "exclusive" => callback.exclusive = arg.flag(diagnostics),
            _ => callback.even_after_error = arg.flag(diagnostics),
        }
    }
    if !has_arguments && diagnostics.is_empty() {
        diagnostics.at(
            attribute.path(),
            "the arguments that C passes are missing: add `args = (…)`, with `data` for the user \
             data",
        );
    }
    Some(callback)
}

pub(crate) fn parse_arguments(arg: Arg, diagnostics: &Diagnostics) -> Vec<CallbackCArg> {
    struct Arguments(Vec<CallbackCArg>);
    impl Parse for Arguments {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            if !input.peek(syn::token::Paren) {
                return Err(input.error(
                    "`args` is a list of the arguments that C passes: write \
                 `args = (data, …)`",
                ));
            }
            let content;
            syn::parenthesized!(content in input);
            let arguments = Punctuated::<CallbackCArg, Token![,]>::parse_terminated(&content)?;
            Ok(Arguments(arguments.into_iter().collect()))
        }
    }
    let arguments: Option<Arguments> = arg.value("args = (data, …)", diagnostics);
    arguments.map_or_else(Vec::new, |arguments| arguments.0)
}

impl Parse for CallbackCArg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        if input.peek(Token![_]) {
            input.parse::<Token![_]>()?;
            return Ok(CallbackCArg::Ignored);
        }
        let argument: Expr = input.parse()?;
        let named = |path: &syn::ExprPath| path.path.get_ident().cloned();
        match &argument {
            Expr::Path(path) => {
                if let Some(name) = named(path) {
                    return Ok(CallbackCArg::Named(name));
                }
            }
            Expr::Field(field) => {
                if let (Expr::Path(path), Member::Named(part)) = (&*field.base, &field.member)
                    && let Some(name) = named(path)
                {
                    if part == "ptr" {
                        return Ok(CallbackCArg::Start(name, argument.span()));
                    }
                    if part == "len" {
                        return Ok(CallbackCArg::Length(name, argument.span()));
                    }
                }
            }
            _ => {}
        }
        Err(syn::Error::new_spanned(
            &argument,
            "expected the name of a parameter, `name.ptr`, `name.len`, `data`, or `_`",
        ))
    }
}
