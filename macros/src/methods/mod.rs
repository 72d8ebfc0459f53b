//! `#[methods]`: the methods of a handle, for Rust and for Python.

mod calls;
mod check;
mod function;
mod model;
mod parse;
mod python;
mod rust;
mod types;

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;

pub(crate) use function::function;

pub(crate) fn methods(words: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let Some(item) = diagnostics.ok(syn::parse2(item)) else {
        return diagnostics.into_tokens();
    };
    let block = parse::block(words, item, &diagnostics);
    check::check(&block, &diagnostics);
    let mut tokens = rust::expand(&block);
    tokens.extend(python::expand(&block));
    tokens.extend(diagnostics.into_tokens());
    tokens
}
