//! `#[methods]`: the methods of a handle, for Rust and for Python.

pub(crate) mod ast;
pub(crate) mod c_args;
pub(crate) mod check;
pub(crate) mod expand;

pub(crate) mod parse;
pub(crate) mod special;

use proc_macro2::TokenStream;

use crate::attr::parse_item;
use crate::diagnostics::Diagnostics;

pub(crate) fn methods(args: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let form = "`#[methods]` is for `impl` blocks: write `impl Handle { … }`";
    let Some(item) = parse_item(item, form, &diagnostics) else {
        return diagnostics.into_tokens();
    };
    let mut block = parse::block(args, item, &diagnostics);
    check::check(&mut block, &diagnostics);
    if diagnostics.are_conditional() {
        // A method that `cfg` removes takes its mistakes with it.
        block.methods.retain(|method| !method.has_mistakes);
    } else {
        // Only the signatures, so that rustc reports no errors that follow from these.
        let mut tokens = expand::expand_skeleton(&block);
        tokens.extend(diagnostics.into_tokens());
        return tokens;
    }
    let mut tokens = expand::expand(&block);
    tokens.extend(expand::python::expand(&block));
    tokens.extend(diagnostics.into_tokens());
    tokens
}
