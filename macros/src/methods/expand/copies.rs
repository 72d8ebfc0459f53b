//! Methods that return a copy of C's text or bytes. Each is generic over the value that the copy becomes, so that
//! Python gets an object that was made from C's memory. A method with a token returns such an object itself.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::spanned::Spanned;
use syn::{FnArg, Signature, Type, parse_quote};

use crate::methods::ast::{Method, Receiver, Source};
use crate::span::{hidden_span, respanned};
use crate::text::{contains_string, decode, is_string, with_argument, with_undecoded_text};
use crate::types::inspect::{argument_of, is_named};
use crate::types::param_kind::ParamKind;

/// The type of the copy: `String`, `CString` or `Bytes`. `None` if the method returns anything else, or if Python gets
/// the result in another way.
pub(crate) fn copied(method: &Method) -> Option<&Type> {
    let written = &method.output.value;
    let value = argument_of(written, "Option").unwrap_or(written);
    let is_generated = match &method.source {
        Source::Calls(_) => method.consumed().next().is_none(),
        Source::Field(_) => true,
        Source::Body(_) | Source::Nothing => false,
    };
    let is_copied = is_string(value) || is_named(value, "CString") || is_named(value, "Bytes");
    let is_for_python = !method.rust_only || method.token.is_some();
    (is_copied && is_generated && is_for_python).then_some(value)
}

/// The type parameter of the value that the copy becomes.
fn parameter() -> Ident {
    Ident::new("__T", Span::mixed_site())
}

fn generic_name(method: &Method) -> Ident {
    let ident = &method.signature.ident;
    format_ident!("__{}_copied", ident, span = hidden_span(ident))
}

/// The type of the result while the call lasts: with copies that are not decoded. `None` if there are none.
pub(crate) fn undecoded(method: &Method, written: &Type, runtime: &TokenStream) -> Option<Type> {
    let Some(ty) = copied(method) else {
        return with_undecoded_text(written, runtime);
    };
    let parameter = parameter();
    let copy = quote!(#runtime::__private::from_c::Undecoded<#parameter>);
    Some(in_option(written, respanned(copy, ty.span())))
}

/// `value`, in an `Option` if `written` is one.
fn in_option(written: &Type, value: TokenStream) -> Type {
    let value = Type::Verbatim(value);
    match argument_of(written, "Option") {
        Some(_) => with_argument(written, value),
        None => value,
    }
}

/// Decodes `value`, whose type is [`undecoded`].
pub(crate) fn decoded(
    method: &Method,
    value: TokenStream,
    site: &Ident,
    runtime: &TokenStream,
) -> TokenStream {
    match copied(method) {
        Some(ty) if !contains_string(ty) => {
            quote!(#runtime::__private::from_c::Decode::decode_lossy(#value))
        }
        _ => decode(&method.output.value, value, method.utf8, site, runtime),
    }
}

/// Expands to the generic method with `body`, and the body of the method itself, which calls that.
pub(crate) fn expand_generic(
    method: &Method,
    signature: &Signature,
    ty: &Type,
    body: &TokenStream,
    runtime: &TokenStream,
) -> (TokenStream, TokenStream) {
    let (parameter, name) = (parameter(), generic_name(method));
    let mut generic = signature.clone();
    generic.ident = name.clone();
    let params = &mut generic.generics.params;
    params.push(parse_quote!(#parameter: #runtime::__private::from_c::CopyOfC<Of = #ty>));
    if method.token.is_some() {
        let is_token = |input: &FnArg| matches!(input, FnArg::Typed(typed) if matches!(ParamKind::of(&typed.ty), ParamKind::Python));
        let inputs = generic.inputs.into_iter();
        generic.inputs = inputs.filter(|input| !is_token(input)).collect();
    }
    let proof: FnArg = parse_quote!(_: #parameter::Proof);
    let receivers = usize::from(method.receiver != Receiver::None);
    generic.inputs.insert(receivers, proof);
    let value = in_option(&method.output.value, quote!(#parameter));
    let result = match method.output.fallible {
        true => quote!(#runtime::Result<#value>),
        false => quote!(#value),
    };
    generic.output = parse_quote!(-> #result);
    let configuration = method.cfg_attributes();
    let allow_many = (generic.inputs.len() > 7)
        .then(|| quote!(#[allow(clippy::too_many_arguments, reason = "one is added")]));
    let arguments = method.parameters.iter().map(|parameter| &parameter.name);
    let callee = match method.receiver {
        Receiver::None => quote!(Self::#name),
        _ => quote!(self.#name),
    };
    let generic = quote! {
        #(#configuration)*
        #allow_many
        #generic #body
    };
    let body = match &method.token {
        None => quote!({ #callee::<#ty>((), #(#arguments),*) }),
        Some(token) => {
            let copy = expand_object(method, ty, runtime);
            let copied = quote!(#callee::<#copy>(#token, #(#arguments),*)?);
            quote!({ #runtime::__private::python::CopiedObject::object(#copied, #token) })
        }
    };
    (generic, body)
}

/// The type of the copy that is a Python object.
fn expand_object(method: &Method, ty: &Type, runtime: &TokenStream) -> TokenStream {
    let copy = match method.interned() {
        Some(_) => quote!(InternedCopy<'_>),
        None => quote!(NewCopy<'_, #ty>),
    };
    quote!(#runtime::__private::python::#copy)
}

/// The method that Python's wrapper calls: the generic one, with the object as the copy, or the method itself. The
/// generic one takes the token of the interpreter first.
pub(crate) fn expand_python_name(method: &Method, runtime: &TokenStream) -> TokenStream {
    match copied(method) {
        None => method.signature.ident.to_token_stream(),
        Some(ty) => {
            let name = generic_name(method);
            let copy = expand_object(method, ty, runtime);
            quote!(#name::<#copy>)
        }
    }
}
