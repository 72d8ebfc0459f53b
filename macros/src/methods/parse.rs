//! From the tokens of an `impl` block to its methods.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Block, Expr, FnArg, ImplItem, ItemImpl, Meta, Pat, Path, ReceiverKind, ReturnType,
    Signature, Token, Type, Visibility,
};

use super::model::{
    Calls, Consumes, Field, Method, MethodsBlock, OnFailure, Output, Parameter, Receiver, Source,
};
use crate::diagnostics::Diagnostics;
use crate::fails::Fails;
use crate::text::Utf8;
use crate::words::{
    Headed, Place, Value, Word, argument_of, header_comment, parse_words, report_renamed,
    runtime_path,
};

const PYO3_ATTRIBUTES: &[&str] = &[
    "new",
    "getter",
    "setter",
    "staticmethod",
    "classmethod",
    "classattr",
    "pyo3",
];

pub(crate) fn block(words: TokenStream, item: ItemImpl, diagnostics: &Diagnostics) -> MethodsBlock {
    let mut is_unsafe = false;
    let mut all_rust_only = false;
    let mut utf8 = Utf8::Strict;
    let mut runtime: Option<Path> = None;
    for word in parse_words(
        words,
        &["unsafe", "rust_only", "utf8", "crate"],
        diagnostics,
    ) {
        match word.name.unraw().to_string().as_str() {
            "unsafe" => is_unsafe = word.flag(diagnostics),
            "rust_only" => all_rust_only = word.flag(diagnostics),
            "utf8" => utf8 = word.value(Utf8::FORM, diagnostics).unwrap_or(Utf8::Lossy),
            _ => runtime = word.value("crate = path", diagnostics),
        }
    }
    if let Some((path, _)) = &item.trait_ {
        diagnostics.at(
            path,
            "`#[methods]` makes methods of the handle itself: write `impl Handle { … }`",
        );
    }
    let mut methods = Vec::new();
    let mut others = Vec::new();
    for item in item.items {
        let tokens = match item {
            ImplItem::Verbatim(tokens) => tokens,
            ImplItem::Fn(function) => quote::ToTokens::into_token_stream(function),
            other => {
                others.push(other);
                continue;
            }
        };
        if let Some(raw) = diagnostics.ok(syn::parse2::<RawMethod>(tokens)) {
            let mut method = raw.into_method(diagnostics);
            method.rust_only |= all_rust_only;
            if utf8 == Utf8::Lossy {
                method.utf8 = utf8;
            }
            methods.push(method);
        }
    }
    MethodsBlock {
        attributes: item.attrs,
        handle: *item.self_ty,
        is_unsafe,
        methods,
        others,
        runtime: runtime_path(runtime),
    }
}

/// One function, outside of a block, where only what has a body is one.
pub(crate) fn function(item: TokenStream, diagnostics: &Diagnostics) -> Option<Method> {
    let raw = diagnostics.ok(syn::parse2::<RawMethod>(item))?;
    if raw.body.is_none() {
        diagnostics.at(
            &raw.signature.ident,
            "a function of the module has a body: what is generated from C is a method, perhaps a `#[staticmethod]`",
        );
        return None;
    }
    Some(raw.into_method(diagnostics))
}

/// A method as it is written: with a body or, which Rust itself has not, without.
struct RawMethod {
    attributes: Vec<Attribute>,
    visibility: Visibility,
    signature: Signature,
    body: Option<Block>,
}

impl Parse for RawMethod {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let visibility = input.parse()?;
        let signature = input.parse()?;
        let body = if input.peek(Token![;]) {
            input.parse::<Token![;]>()?;
            None
        } else {
            Some(input.parse()?)
        };
        Ok(RawMethod {
            attributes,
            visibility,
            signature,
            body,
        })
    }
}

impl RawMethod {
    fn into_method(self, diagnostics: &Diagnostics) -> Method {
        let mut attributes = Vec::new();
        let mut python_attributes = Vec::new();
        let mut rust_only = false;
        let mut detach = None;
        let mut reads_parent = None;
        let mut foreign = Vec::new();
        let mut source = self.body.map(Source::Body);
        for attribute in self.attributes {
            let name = attribute
                .path()
                .get_ident()
                .map(Ident::to_string)
                .unwrap_or_default();
            let generated = match name.as_str() {
                "calls" => parse_calls(&attribute, diagnostics)
                    .map(Box::new)
                    .map(Source::Calls),
                "field" => parse_field(&attribute, diagnostics)
                    .map(Box::new)
                    .map(Source::Field),
                "rust_only" => {
                    rust_only = true;
                    continue;
                }
                "detach" => {
                    detach = attribute.path().get_ident().cloned();
                    continue;
                }
                "reads_parent" => {
                    reads_parent = attribute.path().get_ident().cloned();
                    continue;
                }
                "foreign" => {
                    let names =
                        attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated);
                    foreign.extend(diagnostics.ok(names).into_iter().flatten());
                    continue;
                }
                name if PYO3_ATTRIBUTES.contains(&name) => {
                    python_attributes.push(attribute);
                    continue;
                }
                _ => {
                    if let Some(ident) = attribute.path().get_ident()
                        && report_renamed("attribute", ident, diagnostics)
                    {
                        continue;
                    }
                    attributes.push(attribute);
                    continue;
                }
            };
            match &source {
                None => source = Some(generated.unwrap_or(Source::Nothing)),
                Some(Source::Body(_)) => diagnostics.at(
                    attribute.path(),
                    format!("a method with a body is not generated from C: remove the body or `#[{name}]`"),
                ),
                Some(_) => diagnostics.at(attribute.path(), "a method comes from one place: keep one of `#[calls]`, `#[field]`"),
            }
        }
        if source.is_none() {
            diagnostics.at(
                &self.signature.ident,
                "a method without a body has to say where it comes from: add `#[calls(ffi::f)]` or `#[field(f)]`, \
                 or write a body",
            );
        }
        let comment = match &source {
            Some(Source::Calls(calls)) => header_comment(&attributes, &calls.function),
            _ => None,
        };
        let utf8 = match &source {
            Some(Source::Calls(calls)) => calls.utf8,
            Some(Source::Field(field)) => field.utf8,
            _ => None,
        };
        let (receiver, parameters) = parse_parameters(&self.signature, diagnostics);
        Method {
            utf8: utf8.unwrap_or(Utf8::Strict),
            attributes,
            comment,
            python_attributes,
            rust_only,
            detach,
            reads_parent,
            foreign,
            visibility: self.visibility,
            output: parse_output(&self.signature.output),
            signature: self.signature,
            receiver,
            parameters,
            source: source.unwrap_or(Source::Nothing),
        }
    }
}

fn parse_parameters(
    signature: &Signature,
    diagnostics: &Diagnostics,
) -> (Receiver, Vec<Parameter>) {
    let mut receiver = Receiver::None;
    let mut parameters = Vec::new();
    for input in &signature.inputs {
        match input {
            FnArg::Receiver(written) => match &written.kind {
                ReceiverKind::Reference(_, _, None) => receiver = Receiver::Shared,
                ReceiverKind::Reference(_, _, Some(_)) => receiver = Receiver::Exclusive,
                _ => diagnostics.at(
                    written,
                    "a handle is only ever behind a reference: take `&self` or `&mut self`",
                ),
            },
            FnArg::Typed(typed) => match &*typed.pat {
                Pat::Ident(name) => {
                    parameters.push(Parameter {
                        name: name.ident.clone(),
                        ty: (*typed.ty).clone(),
                    });
                }
                pattern => diagnostics.at(
                    pattern,
                    "a parameter needs a name, which is also its name in Python",
                ),
            },
        }
    }
    (receiver, parameters)
}

fn parse_output(output: &ReturnType) -> Output {
    let ty: Type = match output {
        ReturnType::Default => syn::parse_quote!(()),
        ReturnType::Type(_, ty) => (**ty).clone(),
    };
    match argument_of(&ty, "Result") {
        Some(value) => Output {
            fallible: true,
            value: value.clone(),
        },
        None => Output {
            fallible: false,
            value: ty,
        },
    }
}

fn headed<T: Parse>(
    attribute: &Attribute,
    form: &str,
    diagnostics: &Diagnostics,
) -> Option<Headed<T>> {
    match &attribute.meta {
        Meta::List(list) if !list.tokens.is_empty() => {
            Headed::of(list.tokens.clone(), form, diagnostics)
        }
        _ => {
            diagnostics.at(
                attribute.path(),
                format!("something is missing: write `{form}`"),
            );
            None
        }
    }
}

fn parse_calls(attribute: &Attribute, diagnostics: &Diagnostics) -> Option<Calls> {
    let headed = headed::<Path>(attribute, "#[calls(ffi::the_function)]", diagnostics)?;
    let mut calls = Calls {
        function: headed.head,
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
        interrupt: None,
        retain: None,
    };
    for word in parse_words(
        headed.words,
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
            "interrupt",
            "retain",
        ],
        diagnostics,
    ) {
        match word.name.to_string().as_str() {
            "args" => calls.arguments = parse_arguments(word, diagnostics),
            "fields" => calls.fields = parse_fields(word, diagnostics),
            "fails" => calls.fails = Fails::of(word, diagnostics),
            "none" => {
                let said = word.value("none = when(|ret| ret == ffi::END)", diagnostics);
                calls.none = Some(said.unwrap_or(Fails::Unknown));
            }
            "on_failure" => {
                let form = "on_failure = owned";
                let said = word.value(form, diagnostics);
                calls.on_failure = Some(said.unwrap_or(OnFailure::Undefined));
            }
            "consumes" => {
                let said = word.value("consumes = always", diagnostics);
                calls.consumes = Some(said.unwrap_or(Consumes::Always));
            }
            "scope" => {
                let form = "scope = notified";
                calls.scope = word.value(form, diagnostics);
            }
            "keep_alive" => calls.keep_alive = parse_keep_alive(word, diagnostics),
            "len" => calls.length = word.value("len = ffi::the_function", diagnostics),
            "until" => {
                let name = word.name.clone();
                let null = word.value("until = null", diagnostics);
                calls.until = Some(null.map_or(name, |Null(null)| null));
            }
            "free" => calls.free = word.value("free = ffi::the_function", diagnostics),
            "utf8" => {
                let said = word.value(Utf8::FORM, diagnostics);
                calls.utf8 = Some(said.unwrap_or(Utf8::Lossy));
            }
            "borrowed" => calls.borrowed = named_flag(word, diagnostics),
            "owned" => calls.owned = named_flag(word, diagnostics),
            "retain" => calls.retain = named_flag(word, diagnostics),
            "interrupt" => {
                calls.interrupt = word.value("interrupt = TheHandle::the_method", diagnostics);
            }
            _ => calls.detach = word.flag(diagnostics),
        }
    }
    Some(calls)
}

/// The name of a word that has no value.
fn named_flag(word: Word, diagnostics: &Diagnostics) -> Option<Ident> {
    let name = word.name.clone();
    word.flag(diagnostics).then_some(name)
}

fn parse_arguments(word: Word, diagnostics: &Diagnostics) -> Option<Vec<Expr>> {
    struct Arguments(Punctuated<Expr, Token![,]>);
    impl Parse for Arguments {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            if !input.peek(syn::token::Paren) {
                return Err(input.error("`args` lists what C gets: write `args = (self, …)`"));
            }
            let content;
            syn::parenthesized!(content in input);
            Ok(Arguments(Punctuated::parse_terminated(&content)?))
        }
    }
    let arguments: Arguments = word.value("args = (self, …)", diagnostics)?;
    Some(arguments.0.into_iter().collect())
}

fn parse_keep_alive(word: Word, diagnostics: &Diagnostics) -> Vec<Ident> {
    struct Names(Punctuated<Ident, Token![,]>);
    impl Parse for Names {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            let content;
            syn::parenthesized!(content in input);
            Ok(Names(Punctuated::parse_terminated(&content)?))
        }
    }
    let names: Option<Names> = word.value("keep_alive = (self, parameter)", diagnostics);
    let names = names.into_iter().flat_map(|names| names.0);
    names.collect()
}

fn parse_fields(word: Word, diagnostics: &Diagnostics) -> Vec<(Place, Expr)> {
    struct Set(Place, Expr);
    impl Parse for Set {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            let place = Place::parse_assigned(input)?;
            input.parse::<Token![=]>()?;
            Ok(Set(place, input.parse()?))
        }
    }
    let Value::List(tokens) = word.value else {
        diagnostics.at(
            &word.name,
            "`fields` needs what is set: write `fields(next_in = data.ptr, avail_in = data.len)`",
        );
        return Vec::new();
    };
    let parsed = Punctuated::<Set, Token![,]>::parse_terminated.parse2(tokens);
    let set = diagnostics.ok(parsed).into_iter().flatten();
    set.map(|Set(place, value)| (place, value)).collect()
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
                    "`{name}` does not say when C keeps it: `always` or `on_success` is expected"
                ),
            )),
        }
    }
}

/// The word `null`.
struct Null(Ident);

impl Parse for Null {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let span = input.span();
        match input.call(Ident::parse_any) {
            Ok(name) if name == "null" => Ok(Null(name)),
            _ => Err(syn::Error::new(
                span,
                "an array ends with its first NULL or 0: write `until = null`",
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
                    "`{name}` says nothing about what C leaves in `out`: one of `owned`, `null`, `undefined` is expected"
                ),
            )),
        }
    }
}

fn parse_field(attribute: &Attribute, diagnostics: &Diagnostics) -> Option<Field> {
    let headed = headed::<Place>(attribute, "#[field(the_field)]", diagnostics)?;
    let mut field = Field {
        place: headed.head,
        length: None,
        when: None,
        utf8: None,
        retain: None,
        atomic: None,
    };
    for word in parse_words(
        headed.words,
        &["len", "when", "utf8", "retain", "atomic"],
        diagnostics,
    ) {
        match word.name.to_string().as_str() {
            "len" => field.length = word.value("len = the_field", diagnostics),
            "utf8" => {
                let said = word.value(Utf8::FORM, diagnostics);
                field.utf8 = Some(said.unwrap_or(Utf8::Lossy));
            }
            "retain" => {
                let name = word.name.clone();
                field.retain = word.flag(diagnostics).then_some(name);
            }
            "atomic" => {
                let name = word.name.clone();
                field.atomic = word.flag(diagnostics).then_some(name);
            }
            _ => field.when = parse_when(word, diagnostics),
        }
    }
    Some(field)
}

fn parse_when(word: Word, diagnostics: &Diagnostics) -> Option<(Place, Pat)> {
    struct When(Place, Pat);
    impl Parse for When {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            let tag = input.parse()?;
            input.parse::<Token![,]>()?;
            Ok(When(tag, Pat::parse_multi(input)?))
        }
    }
    match word.value {
        Value::List(tokens) => diagnostics
            .ok(syn::parse2::<When>(tokens))
            .map(|when| (when.0, when.1)),
        _ => {
            diagnostics.at(
                &word.name,
                "`when` needs the tag and its values: write `when(tag, ffi::A | ffi::B)`",
            );
            None
        }
    }
}
