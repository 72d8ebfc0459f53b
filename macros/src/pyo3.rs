//! Names and attributes of PyO3 in generated code.

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use syn::Path;

/// `path::DocumentClass` of `path::Document`: the Python class of what a macro made.
pub(crate) fn class_path(path: &Path) -> TokenStream {
    let mut path = path.clone();
    if let Some(segment) = path.segments.last_mut() {
        segment.ident = format_ident!("{}Class", segment.ident);
    }
    quote!(#path)
}
