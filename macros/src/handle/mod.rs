//! `#[handle(…)]`: a C handle type, its guards' facts and its Python class.

mod expand;
mod model;

use proc_macro2::TokenStream;

use crate::diagnostics::Diagnostics;

pub(crate) fn handle(words: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let Some(item) = diagnostics.ok(syn::parse2(item)) else {
        return diagnostics.into_tokens();
    };
    let model = model::model(words, item, &diagnostics);
    let mut tokens = expand::expand(&model);
    tokens.extend(diagnostics.into_tokens());
    tokens
}
