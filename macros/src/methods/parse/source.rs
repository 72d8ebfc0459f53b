//! Parses the attributes of methods without a body: `#[calls(…)]` and `#[field(…)]`.

use proc_macro2::Ident;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, Expr, Meta, Path, Token, Type, parse_quote};

use crate::attr::{Arg, ArgValue, TargetAndArgs, parse_args, parse_when};
use crate::diagnostics::Diagnostics;
use crate::field_path::FieldPath;
use crate::methods::ast::{Calls, Consumes, Details, FieldAccess, OnFailure, WrittenArg};
use crate::status::StatusTest;
use crate::text::Utf8;

pub(crate) fn parse_calls(attribute: &Attribute, diagnostics: &Diagnostics) -> Option<Calls> {
    let parsed = parse_target::<Path>(attribute, "#[calls(ffi::the_function)]", diagnostics)?;
    let mut calls = Calls {
        function: parsed.target,
        arguments: None,
        fields: Vec::new(),
        fails: None,
        none: None,
        on_failure: None,
        consumes: None,
        scope: None,
        keep_alive: Vec::new(),
        length: None,
        until: None,
        free: None,
        borrowed: None,
        owned: None,
        utf8: None,
        detach: false,
        pure: None,
        interned: None,
        interrupt: None,
        retain: None,
        gives_back: None,
        details: None,
        buffer: None,
        too_small: None,
    };
    for arg in parse_args(
        parsed.args,
        &[
            "args",
            "fields",
            "fails",
            "none",
            "on_failure",
            "consumes",
            "scope",
            "keep_alive",
            "len",
            "until",
            "free",
            "borrowed",
            "owned",
            "utf8",
            "detach",
            "pure",
            "interned",
            "interrupt",
            "retain",
            "gives_back",
            "details",
            "buffer",
            "too_small",
        ],
        diagnostics,
    ) {
        match arg.name.to_string().as_str() {
            "args" => calls.arguments = parse_arguments(arg, diagnostics),
            "fields" => calls.fields = parse_fields(arg, diagnostics),
            "fails" => calls.fails = StatusTest::of(arg, diagnostics),
            "none" => {
                let value = arg.value("none = when(|ret| ret == ffi::END)", diagnostics);
                calls.none = Some(value.unwrap_or(StatusTest::Unknown));
            }
            "on_failure" => {
                let form = "on_failure = owned";
                let value = arg.value(form, diagnostics);
                calls.on_failure = Some(value.unwrap_or(OnFailure::Undefined));
            }
            "consumes" => {
                let value = arg.value("consumes = always", diagnostics);
                calls.consumes = Some(value.unwrap_or(Consumes::Always));
            }
            "scope" => {
                let form = "scope = notified";
                calls.scope = arg.value(form, diagnostics);
            }
            "keep_alive" => calls.keep_alive = parse_keep_alive(arg, diagnostics),
            "len" => calls.length = arg.value("len = ffi::the_function", diagnostics),
            "until" => calls.until = Some(parse_until(arg, diagnostics)),
            "free" => calls.free = arg.value("free = ffi::the_function", diagnostics),
            "utf8" => {
                let value = arg.value(Utf8::FORM, diagnostics);
                calls.utf8 = Some(value.unwrap_or(Utf8::Lossy));
            }
            "borrowed" => calls.borrowed = named_flag(arg, diagnostics),
            "owned" => calls.owned = named_flag(arg, diagnostics),
            "retain" => calls.retain = named_flag(arg, diagnostics),
            "gives_back" => calls.gives_back = named_flag(arg, diagnostics),
            "interned" => calls.interned = named_flag(arg, diagnostics),
            "pure" => calls.pure = named_flag(arg, diagnostics),
            "details" => calls.details = Some(parse_details(arg, diagnostics)),
            "buffer" => {
                let name = arg.name.clone();
                calls.buffer = arg
                    .value("buffer = 256", diagnostics)
                    .map(|size| (name, size));
            }
            "too_small" => {
                let name = arg.name.clone();
                let form = "too_small = when(|ret| ret == ffi::TOO_SMALL)";
                let test = arg.value(form, diagnostics).unwrap_or(StatusTest::Unknown);
                calls.too_small = Some((name, test));
            }
            "interrupt" => {
                calls.interrupt = arg.value("interrupt = TheHandle::the_method", diagnostics);
            }
            _ => calls.detach = arg.flag(diagnostics),
        }
    }
    Some(calls)
}

pub(crate) fn parse_arguments(arg: Arg, diagnostics: &Diagnostics) -> Option<Vec<WrittenArg>> {
    struct Arguments(Vec<WrittenArg>);
    impl Parse for Arguments {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            if !input.peek(syn::token::Paren) {
                return Err(input.error(
                    "`args` is a list of the arguments that C gets: write `args \
                 = (self, …)`",
                ));
            }
            let content;
            syn::parenthesized!(content in input);
            let (mut arguments, mut is_variable) = (Vec::new(), false);
            while !content.is_empty() {
                if content.peek(Token![...]) {
                    let dots: Token![...] = content.parse()?;
                    if is_variable {
                        return Err(syn::Error::new_spanned(
                            dots,
                            "all arguments after the first `...` are variable ones: remove this one",
                        ));
                    }
                    is_variable = true;
                } else {
                    let value = content.parse()?;
                    arguments.push(WrittenArg { value, is_variable });
                }
                if !content.is_empty() {
                    content.parse::<Token![,]>()?;
                }
            }
            Ok(Arguments(arguments))
        }
    }
    let arguments: Arguments = arg.value("args = (self, …)", diagnostics)?;
    Some(arguments.0)
}

pub(crate) fn parse_keep_alive(arg: Arg, diagnostics: &Diagnostics) -> Vec<Ident> {
    struct Names(Punctuated<Ident, Token![,]>);
    impl Parse for Names {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            let content;
            syn::parenthesized!(content in input);
            Ok(Names(Punctuated::parse_terminated(&content)?))
        }
    }
    let names: Option<Names> = arg.value("keep_alive = (self, parameter)", diagnostics);
    let names = names.into_iter().flat_map(|names| names.0);
    names.collect()
}

pub(crate) fn parse_fields(arg: Arg, diagnostics: &Diagnostics) -> Vec<(FieldPath, Expr)> {
    struct Set(FieldPath, Expr);
    impl Parse for Set {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            let place = FieldPath::parse_assigned(input)?;
            input.parse::<Token![=]>()?;
            Ok(Set(place, input.parse()?))
        }
    }
    let ArgValue::List(tokens) = arg.value else {
        diagnostics.at(
            &arg.name,
            "`fields` is a list of fields and their values: write `fields(next_in = data.ptr, \
             avail_in = data.len)`",
        );
        return Vec::new();
    };
    let parsed = Punctuated::<Set, Token![,]>::parse_terminated.parse2(tokens);
    let set = diagnostics.ok(parsed).into_iter().flatten();
    set.map(|Set(place, value)| (place, value)).collect()
}

/// Parses `details`. Its type is `_` if it has a mistake.
pub(crate) fn parse_details(arg: Arg, diagnostics: &Diagnostics) -> Details {
    struct Freed(Type, Expr);
    impl Parse for Freed {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            let ty = input.parse()?;
            input.parse::<Token![,]>()?;
            let free: Ident = input.parse()?;
            if free != "free" {
                return Err(syn::Error::new(
                    free.span(),
                    "`details` takes a type, and the function that frees it: write `details(String, free = ffi::the_function)`",
                ));
            }
            input.parse::<Token![=]>()?;
            Ok(Freed(ty, input.parse()?))
        }
    }
    let keyword = arg.name.clone();
    let parsed = match arg.value {
        ArgValue::List(tokens) => diagnostics
            .ok(syn::parse2(tokens))
            .map(|Freed(ty, free)| (ty, Some(free))),
        _ => arg
            .value("details = TheType", diagnostics)
            .map(|ty| (ty, None)),
    };
    let (ty, free) = parsed.unwrap_or_else(|| (parse_quote!(_), None));
    Details { keyword, ty, free }
}

impl Parse for Consumes {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.call(Ident::parse_any)?;
        match name.to_string().as_str() {
            "always" => Ok(Consumes::Always),
            "on_success" => Ok(Consumes::OnSuccess),
            _ => Err(syn::Error::new_spanned(
                &name,
                format!(
                    "`{name}` does not say when C consumes the argument: expected `always` or \
                     `on_success`"
                ),
            )),
        }
    }
}

/// Parses `until = null`.
pub(crate) fn parse_until(arg: Arg, diagnostics: &Diagnostics) -> Ident {
    let name = arg.name.clone();
    let null = arg.value("until = null", diagnostics);
    null.map_or(name, |Null(null)| null)
}

/// The value `null`.
pub(crate) struct Null(Ident);

impl Parse for Null {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let span = input.span();
        match input.call(Ident::parse_any) {
            Ok(name) if name == "null" => Ok(Null(name)),
            _ => Err(syn::Error::new(
                span,
                "an array can only end with its first NULL or 0: write `until = null`",
            )),
        }
    }
}

impl Parse for OnFailure {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.call(Ident::parse_any)?;
        match name.to_string().as_str() {
            "owned" => Ok(OnFailure::Owned),
            "null" => Ok(OnFailure::Null),
            "undefined" => Ok(OnFailure::Undefined),
            _ => Err(syn::Error::new_spanned(
                &name,
                format!(
                    "`{name}` does not say what C leaves in `out`: expected one of `owned`, \
                     `null`, `undefined`"
                ),
            )),
        }
    }
}

pub(crate) fn parse_field(attribute: &Attribute, diagnostics: &Diagnostics) -> Option<FieldAccess> {
    let parsed = parse_target::<FieldPath>(attribute, "#[field(the_field)]", diagnostics)?;
    let mut field = FieldAccess {
        place: parsed.target,
        length: None,
        until: None,
        when: None,
        utf8: None,
        retain: None,
        atomic: None,
        interned: None,
    };
    for arg in parse_args(
        parsed.args,
        &[
            "len", "until", "when", "utf8", "interned", "retain", "atomic",
        ],
        diagnostics,
    ) {
        match arg.name.to_string().as_str() {
            "len" => field.length = arg.value("len = the_field", diagnostics),
            "until" => field.until = Some(parse_until(arg, diagnostics)),
            "utf8" => {
                let value = arg.value(Utf8::FORM, diagnostics);
                field.utf8 = Some(value.unwrap_or(Utf8::Lossy));
            }
            "retain" => {
                let name = arg.name.clone();
                field.retain = arg.flag(diagnostics).then_some(name);
            }
            "interned" => field.interned = named_flag(arg, diagnostics),
            "atomic" => {
                let name = arg.name.clone();
                field.atomic = arg.flag(diagnostics).then_some(name);
            }
            _ => field.when = parse_when(arg, diagnostics),
        }
    }
    Some(field)
}

pub(crate) fn parse_target<T: Parse>(
    attribute: &Attribute,
    form: &str,
    diagnostics: &Diagnostics,
) -> Option<TargetAndArgs<T>> {
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => {
            TargetAndArgs::of(list.tokens.clone(), form, diagnostics)
        }
        _ => {
            diagnostics.at(
                attribute.path(),
                format!("the C item is missing: write `{form}`"),
            );
            None
        }
    }
}

/// The name of an argument without a value.
pub(crate) fn named_flag(arg: Arg, diagnostics: &Diagnostics) -> Option<Ident> {
    let name = arg.name.clone();
    arg.flag(diagnostics).then_some(name)
}
