//! Parses an `impl` block.

pub(crate) mod source;

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::{
    Attribute, Block, FnArg, ImplItem, ItemImpl, Pat, ReceiverKind, ReturnType, Signature, Token,
    Type, Visibility,
};

use crate::attr::CommonArgs;
use crate::diagnostics::Diagnostics;
use crate::docs::HeaderComment;
use crate::methods::ast::{Method, MethodsBlock, Output, Parameter, Receiver, Source};
use crate::methods::parse::source::{parse_calls, parse_field};
use crate::renamed::report_renamed;
use crate::text::{Utf8, with_argument};
use crate::types::inspect::{argument_of, is_named, ungroup};
use crate::types::lifetimes::qualify_borrowed;
use crate::types::param_kind::ParamKind;

pub(crate) const PYO3_ATTRIBUTES: &[&str] = &[
    "new",
    "getter",
    "setter",
    "staticmethod",
    "classmethod",
    "classattr",
    "pyo3",
];

pub(crate) fn block(args: TokenStream, item: ItemImpl, diagnostics: &Diagnostics) -> MethodsBlock {
    let mut is_unsafe = false;
    let mut all_rust_only = false;
    let mut utf8 = Utf8::Strict;
    let allowed = ["unsafe", "rust_only", "utf8", "crate"];
    let (common, args) = CommonArgs::parse(args, &allowed, diagnostics);
    for arg in args {
        match arg.name.unraw().to_string().as_str() {
            "unsafe" => is_unsafe = arg.flag(diagnostics),
            "rust_only" => all_rust_only = arg.flag(diagnostics),
            _ => utf8 = arg.value(Utf8::FORM, diagnostics).unwrap_or(Utf8::Lossy),
        }
    }
    if let Some((path, _)) = &item.trait_ {
        diagnostics.at(
            path,
            "a generated method cannot be a method of a trait: write `impl Handle { … }`",
        );
    }
    let runtime = common.runtime();
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
            let cfgs = cfg_attributes(&raw.attributes);
            let (mut method, has_mistakes) =
                diagnostics.within(cfgs, || raw.into_method(&runtime, diagnostics));
            method.has_mistakes = has_mistakes;
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
        runtime,
    }
}

/// The `cfg` attributes among `attributes`.
pub(crate) fn cfg_attributes(attributes: &[Attribute]) -> TokenStream {
    let attributes = attributes.iter();
    let cfgs = attributes.filter(|attribute| attribute.path().is_ident("cfg"));
    quote::quote!(#(#cfgs)*)
}

/// Parses a function outside of a block, which has to have a body.
pub(crate) fn function(
    item: TokenStream,
    runtime: &TokenStream,
    diagnostics: &Diagnostics,
) -> Option<Method> {
    let raw = diagnostics.ok(syn::parse2::<RawMethod>(item))?;
    if raw.body.is_none() {
        diagnostics.at(
            &raw.signature.ident,
            "`#[function]` needs a body: to generate a call of a C function, write a method in \
             `#[methods]`, for example a `#[staticmethod]`",
        );
        return None;
    }
    Some(raw.into_method(runtime, diagnostics))
}

/// A method with or without a body. Rust's own syntax has no methods without a body in `impl`
/// blocks.
pub(crate) struct RawMethod {
    pub(crate) attributes: Vec<Attribute>,
    pub(crate) visibility: Visibility,
    pub(crate) signature: Signature,
    pub(crate) body: Option<Block>,
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
    pub(crate) fn into_method(
        mut self,
        runtime: &TokenStream,
        diagnostics: &Diagnostics,
    ) -> Method {
        ungroup(&mut self.signature);
        qualify_borrowed(&mut self.signature, runtime);
        let mut parsed = MethodAttributes {
            source: self.body.map(Source::Body),
            ..MethodAttributes::default()
        };
        for attribute in self.attributes {
            parsed.accept(attribute, diagnostics);
        }
        if parsed.source.is_none() {
            diagnostics.at(
                &self.signature.ident,
                "a method without a body needs a source: add `#[calls(ffi::f)]` or `#[field(f)]`, \
                 or write a body",
            );
        }
        let source = parsed.source.unwrap_or(Source::Nothing);
        let comment = match &source {
            Source::Calls(calls) => HeaderComment::of(&parsed.rust, &calls.function),
            _ => HeaderComment::none(),
        };
        let utf8 = match &source {
            Source::Calls(calls) => calls.utf8,
            Source::Field(field) => field.utf8,
            _ => None,
        };
        let (receiver, mut parameters) = parse_parameters(&self.signature, diagnostics);
        let mut output = parse_output(&self.signature.output);
        let token = match &source {
            Source::Calls(_) | Source::Field(_) => take_token(&mut output, &mut parameters),
            Source::Body(_) | Source::Nothing => None,
        };
        Method {
            utf8: utf8.unwrap_or(Utf8::Strict),
            attributes: parsed.rust,
            comment,
            python_attributes: parsed.python,
            rust_only: parsed.rust_only,
            detach: parsed.detach,
            reads_parent: parsed.reads_parent,
            foreign: parsed.foreign,
            visibility: self.visibility,
            output,
            signature: self.signature,
            receiver,
            parameters,
            token,
            source,
            has_mistakes: false,
        }
    }
}

/// The attributes of a method, sorted.
#[derive(Default)]
struct MethodAttributes {
    /// Attributes for Rust, unchanged.
    rust: Vec<Attribute>,
    /// Attributes for PyO3, unchanged.
    python: Vec<Attribute>,
    rust_only: bool,
    detach: Option<Ident>,
    reads_parent: Option<Ident>,
    foreign: Vec<Ident>,
    source: Option<Source>,
}

impl MethodAttributes {
    fn accept(&mut self, attribute: Attribute, diagnostics: &Diagnostics) {
        let ident = attribute.path().get_ident().cloned();
        let name = ident.as_ref().map(Ident::to_string).unwrap_or_default();
        match name.as_str() {
            "calls" => {
                let calls = parse_calls(&attribute, diagnostics);
                let source = calls.map(|calls| Source::Calls(Box::new(calls)));
                self.set_source(source, &attribute, diagnostics);
            }
            "field" => {
                let field = parse_field(&attribute, diagnostics);
                let source = field.map(|field| Source::Field(Box::new(field)));
                self.set_source(source, &attribute, diagnostics);
            }
            "rust_only" => self.rust_only = true,
            "detach" => self.detach = ident,
            "reads_parent" => self.reads_parent = ident,
            "foreign" => {
                let names =
                    attribute.parse_args_with(Punctuated::<Ident, Token![,]>::parse_terminated);
                self.foreign
                    .extend(diagnostics.ok(names).into_iter().flatten());
            }
            name if PYO3_ATTRIBUTES.contains(&name) => self.python.push(attribute),
            _ if ident.is_some_and(|ident| report_renamed("attribute", &ident, diagnostics)) => {}
            _ => self.rust.push(attribute),
        }
    }

    /// Stores the source that `attribute` names; `None` is one with mistakes.
    fn set_source(
        &mut self,
        source: Option<Source>,
        attribute: &Attribute,
        diagnostics: &Diagnostics,
    ) {
        let path = attribute.path();
        match &self.source {
            None => self.source = Some(source.unwrap_or(Source::Nothing)),
            Some(Source::Body(_)) => {
                let name = quote!(#path);
                diagnostics.at(
                    path,
                    format!(
                        "`#[{name}]` generates the body of a method: remove the body or `#[{name}]`"
                    ),
                );
            }
            Some(_) => diagnostics.at(
                path,
                "a method has one source: keep one of `#[calls]` and `#[field]`",
            ),
        }
    }
}

pub(crate) fn parse_parameters(
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
                    "a handle cannot be taken by value: take `&self` or `&mut self`",
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
                    "a parameter needs a name, which is its name in Python, too: write `name: Type`",
                ),
            },
        }
    }
    (receiver, parameters)
}

pub(crate) fn parse_output(output: &ReturnType) -> Output {
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

/// Takes the token of a method that makes a Python object from C's memory, and leaves the type of the copy as its
/// result. `None` if the method makes none.
fn take_token(output: &mut Output, parameters: &mut Vec<Parameter>) -> Option<Ident> {
    let copy = copy_behind(&output.value)?;
    let is_token =
        |parameter: &Parameter| matches!(ParamKind::of(&parameter.ty), ParamKind::Python);
    let index = parameters.iter().position(is_token)?;
    output.value = copy;
    Some(parameters.remove(index).name)
}

/// The type of the copy that a `Bound<PyString>` or `Bound<PyBytes>` is made from, in an `Option` if `written` is one.
fn copy_behind(written: &Type) -> Option<Type> {
    if let Some(value) = argument_of(written, "Option") {
        return copy_behind(value).map(|copy| with_argument(written, copy));
    }
    let object = argument_of(written, "Bound")?;
    let copy = match object {
        object if is_named(object, "PyString") => "String",
        object if is_named(object, "PyBytes") => "Bytes",
        _ => return None,
    };
    let copy = Ident::new(copy, object.span());
    Some(syn::parse_quote!(#copy))
}
