//! `#[handle(…)]`: a C handle type, the facts that its guards need, and its Python class.

pub(crate) mod ast;
pub(crate) mod check;
pub(crate) mod expand;
pub(crate) mod model;
pub(crate) mod parse;

use crate::attr::parse_item;
use crate::diagnostics::Diagnostics;
use proc_macro2::TokenStream;

pub(crate) fn handle(args: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let Some(item) = parse_item(
        item,
        "a handle is a struct, for C has the fields: write `struct Name;`",
        &diagnostics,
    ) else {
        return diagnostics.into_tokens();
    };
    let model = model::model(args, item, &diagnostics);
    let mut tokens = expand::expand(&model);
    tokens.extend(diagnostics.into_tokens());
    tokens
}
