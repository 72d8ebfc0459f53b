//! `#[methods]`: the methods of a handle, for Rust and for Python.

mod calls;
mod check;
mod function;
mod interrupt;
mod model;
mod parse;
mod python;
mod results;
mod rust;
mod sharing;
mod types;

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;
use crate::words::parse_item;

pub(crate) use function::function;
pub(crate) use types::{detached, owned_handles, written};

pub(crate) fn methods(words: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let form = "methods stand in an `impl` block: write `impl Handle { … }`";
    let Some(item) = parse_item(item, form, &diagnostics) else {
        return diagnostics.into_tokens();
    };
    let block = parse::block(words, item, &diagnostics);
    check::check(&block, &diagnostics);
    if !diagnostics.is_empty() {
        // The signatures alone, so that there are no errors about the errors.
        let mut tokens = rust::expand_skeleton(&block);
        tokens.extend(diagnostics.into_tokens());
        return tokens;
    }
    let mut tokens = rust::expand(&block);
    tokens.extend(python::expand(&block));
    tokens.extend(diagnostics.into_tokens());
    tokens
}
