//! `#[function]`: a function of the Python module, written in safe Rust.

use proc_macro2::TokenStream;
use quote::{quote, quote_spanned};

use crate::attr::CommonArgs;
use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Receiver, Source};
use crate::methods::expand::python::expand_wrapper;
use crate::methods::expand::signature::rust_signature;
use crate::pyo3::crate_path;

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
    let mut inner = rust_signature(&function, &runtime);
    inner.ident = quote::format_ident!("__{}", function.signature.ident);
    let name = &inner.ident;
    let attributes = &function.attributes;
    let visibility = &function.visibility;
    let no_self: syn::Type = syn::parse_quote!(());
    let wrapper = expand_wrapper(&runtime, &no_self, &function, visibility, |_| quote!(#name));
    let pyo3 = crate_path(&runtime);
    let span = function.signature.ident.span();
    let mut tokens = quote_spanned! {span=>
        #(#attributes)*
        #[allow(dead_code, reason = "Python calls it through the wrapper")]
        #inner #body

        #runtime::__python! {
            #[#runtime::pyo3::pyfunction]
            #[pyo3(crate = #pyo3)]
            #wrapper
        }
    };
    tokens.extend(diagnostics.into_tokens());
    tokens
}
