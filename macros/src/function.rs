//! `#[function]`: a function of the Python module, written in safe Rust.

use proc_macro2::TokenStream;
use quote::{format_ident, quote, quote_spanned};
use syn::ext::IdentExt;

use crate::attr::CommonArgs;
use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Method, Receiver, Source};
use crate::methods::expand::direct::expand_function_entry;
use crate::methods::expand::python::expand_wrapper;
use crate::methods::expand::signature::rust_signature;
use crate::pyo3::crate_path;
use crate::span::hidden_span;

pub(crate) fn function(args: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let (common, _) = CommonArgs::parse(args, &["crate"], &diagnostics);
    let runtime = common.runtime();
    let Some(function) = crate::methods::parse::function(item, &runtime, &diagnostics) else {
        return diagnostics.into_tokens();
    };
    if function.receiver != Receiver::None {
        diagnostics.at(
            &function.signature.ident,
            "a function of the module has no `self`: move it to a `#[methods]` block",
        );
        return diagnostics.into_tokens();
    }
    let Source::Body(body) = &function.source else {
        diagnostics.at(
            &function.signature.ident,
            "`#[function]` needs a body: to generate a call of a C function, write a method in \
             `#[methods]`, for example a `#[staticmethod]`",
        );
        return diagnostics.into_tokens();
    };
    let mut tokens = expand(&runtime, &function, body);
    tokens.extend(diagnostics.into_tokens());
    tokens
}

/// The function under its name, for Rust, and the function that PyO3 exports.
///
/// `#[pymodule_export]` reads the items of a module that has the function's name, which shares no namespace with it.
fn expand(runtime: &TokenStream, function: &Method, body: &syn::Block) -> TokenStream {
    let inner = rust_signature(function, runtime);
    let ident = &inner.ident;
    let exported = format_ident!("__python_{}", ident, span = hidden_span(ident));
    let attributes = &function.attributes;
    let configuration = function.cfg_attributes().collect::<Vec<_>>();
    let visibility = &function.visibility;
    let no_self: syn::Type = syn::parse_quote!(());
    let name = ident.unraw().to_string();
    let python_name = (!names_itself(function)).then(|| quote!(#[pyo3(name = #name)]));
    let wrapper = expand_wrapper(
        runtime,
        &no_self,
        function,
        &exported,
        visibility,
        // A parameter may have the name of the function.
        |_| quote!(self::#ident),
    );
    let pyo3 = crate_path(runtime);
    let entry = expand_function_entry(runtime, &exported, function);
    quote_spanned! {ident.span()=>
        #(#attributes)*
        #[allow(dead_code, reason = "Python calls it through the wrapper")]
        #inner #body

        #runtime::__python! {
            #(#configuration)*
            #[doc(hidden)]
            #visibility mod #ident {
                #[allow(unused_imports, unreachable_pub, reason = "only read where the function is exported")]
                pub use super::#exported::*;
            }

            #(#configuration)*
            #[doc(hidden)]
            #[#runtime::pyo3::pyfunction]
            #[pyo3(crate = #pyo3)]
            #python_name
            #wrapper

            #entry
        }
    }
}

/// Returns whether an attribute `#[pyo3(name = …)]` gives the function its name in Python.
fn names_itself(function: &Method) -> bool {
    let mut named = false;
    for attribute in &function.python_attributes {
        if attribute.path().is_ident("pyo3") {
            // PyO3 reports mistakes in its own attributes.
            let _ = attribute.parse_nested_meta(|meta| {
                named |= meta.path.is_ident("name");
                meta.value()?.parse::<syn::Expr>().map(drop)
            });
        }
    }
    named
}
