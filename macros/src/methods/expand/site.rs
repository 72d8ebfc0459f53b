//! The call site of a generated method.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;

use crate::methods::ast::{Method, MethodsBlock};
use crate::methods::expand::variables::site_variable;
use crate::types::inspect::type_name;

/// Expands to the statement that makes the call site of a method, with its fail points.
pub(crate) fn expand_site(
    block: &MethodsBlock,
    method: &Method,
    function: &str,
    marks: impl Iterator<Item = &'static str>,
) -> TokenStream {
    let runtime = &block.runtime;
    let method = method_name(block, method);
    let marks = marks.map(|mark| Ident::new(mark, Span::call_site()));
    let site = site_variable();
    quote! {
        #runtime::__here!(#site, #method, #function #(, #marks)*);
    }
}

/// The name of a method with that of its handle.
pub(crate) fn method_name(block: &MethodsBlock, method: &Method) -> String {
    let handle = type_name(&block.handle);
    // The type may be named by its path.
    let handle = handle.rsplit("::").next().unwrap_or(&handle);
    format!("{handle}.{}", method.signature.ident)
}
