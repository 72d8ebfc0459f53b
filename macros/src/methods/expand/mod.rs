//! The tokens of a methods block, for Rust callers and for Python.

pub(crate) mod ancestors;
pub(crate) mod arguments;
pub(crate) mod buffer;
pub(crate) mod call;
pub(crate) mod checks;
pub(crate) mod copies;
pub(crate) mod details;
pub(crate) mod direct;
pub(crate) mod field;
pub(crate) mod moving;
pub(crate) mod outcome;
pub(crate) mod parents;
pub(crate) mod python;
pub(crate) mod result;
pub(crate) mod sharing;
pub(crate) mod signature;
pub(crate) mod site;
pub(crate) mod transfer;
pub(crate) mod variables;

use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use syn::Type;

use crate::methods::ast::{Method, MethodsBlock, Source};
use crate::methods::expand::call::{expand_calls, expand_lifetime};
use crate::methods::expand::checks::expand_result_checks;
use crate::methods::expand::copies::{copied, expand_generic};
use crate::methods::expand::field::expand_field;
use crate::methods::expand::signature::rust_signature;
use crate::methods::expand::site::expand_site;
use crate::methods::expand::transfer::expand_consuming;
use crate::types::inspect::{argument_of, is_named};

pub(crate) fn expand(block: &MethodsBlock) -> TokenStream {
    let MethodsBlock {
        attributes,
        handle,
        others,
        ..
    } = block;
    let methods = block
        .methods
        .iter()
        .map(|method| expand_method(block, method));
    quote! {
        #(#attributes)*
        impl #handle {
            #(#others)*
            #(#methods)*
        }
    }
}

/// The signatures of all methods without generated bodies, so that rustc reports no errors about
/// code with mistakes in it.
pub(crate) fn expand_skeleton(block: &MethodsBlock) -> TokenStream {
    let MethodsBlock {
        handle, runtime, ..
    } = block;
    let methods = block.methods.iter().map(|method| {
        let signature = rust_signature(method, runtime);
        let (attributes, visibility) = (&method.attributes, &method.visibility);
        let body = match &method.source {
            Source::Body(body) => body.to_token_stream(),
            _ => quote!({ ::core::unimplemented!() }),
        };
        quote! {
            #(#attributes)*
            #[allow(unused, reason = "there are mistakes in this block")]
            #visibility #signature #body
        }
    });
    quote!(impl #handle { #(#methods)* })
}

/// Returns whether a result of this type is a copy of text or of an array.
fn copies_memory(value: &Type) -> bool {
    let value = argument_of(value, "Option").unwrap_or(value);
    let is_text = ["String", "CString"]
        .iter()
        .any(|name| is_named(value, name));
    is_text || argument_of(value, "Vec").is_some()
}

pub(crate) fn expand_method(block: &MethodsBlock, method: &Method) -> TokenStream {
    let runtime = &block.runtime;
    let Method {
        attributes,
        visibility,
        source,
        ..
    } = method;
    let signature = rust_signature(method, runtime);
    let python_only = (!method.rust_only)
        .then(|| quote!(#[allow(dead_code, reason = "Python calls it through the class")]));
    let body = match source {
        Source::Body(body) => body.to_token_stream(),
        Source::Calls(calls) => expand_calls(block, method, calls),
        Source::Field(field) => {
            let (place, body) = (
                expand_result_checks(block, method),
                expand_field(block, method, field),
            );
            let life = expand_lifetime(method, None, runtime);
            let site = method
                .has_strict_text()
                .then(|| expand_site(block, method, "", std::iter::empty()));
            quote!({ #site #place #life #body })
        }
        Source::Nothing => quote!({ ::core::unimplemented!() }),
    };
    if matches!(source, Source::Calls(_)) && method.consumed().next().is_some() {
        return expand_consuming(block, method, body, runtime);
    }
    let (generic, body) = match copied(method) {
        None => (None, body),
        Some(ty) => {
            let (generic, call) = expand_generic(method, &signature, ty, &body, runtime);
            (Some(generic), call)
        }
    };
    let comment = method.comment.for_rust();
    // The read of a field is a few instructions, unless it copies something, and most bodies make several reads.
    let is_read = matches!(source, Source::Field(_)) && method.parameters.is_empty();
    let is_marked = attributes.iter().any(|it| it.path().is_ident("inline"));
    let inline = (is_read && !copies_memory(&method.output.value) && !is_marked)
        .then(|| quote!(#[inline(always)]));
    quote! {
        #(#attributes)*
        #comment
        #python_only
        #inline
        #visibility #signature #body
        #generic
    }
}
