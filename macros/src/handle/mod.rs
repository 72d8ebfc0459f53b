//! `#[handle(…)]`: a C handle type, its guards' facts and its Python class.

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;
use crate::words::parse_item;

pub(crate) fn handle(words: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let Some(item) = parse_item(
        item,
        "a handle is a struct, for C has the fields: write `struct Name;`",
        &diagnostics,
    ) else {
        return diagnostics.into_tokens();
    };
    let model = model::model(words, item, &diagnostics);
    let mut tokens = expand::expand(&model);
    tokens.extend(diagnostics.into_tokens());
    tokens
}
