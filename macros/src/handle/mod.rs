//! `#[handle(…)]`: a C handle type, the facts that its guards need, and its Python class.

pub(crate) mod ast;
pub(crate) mod check;
pub(crate) mod expand;
pub(crate) mod lock_place;
pub(crate) mod model;
pub(crate) mod parse;

use proc_macro2::TokenStream;

use crate::attr::parse_item;
use crate::diagnostics::Diagnostics;

pub(crate) fn handle(args: TokenStream, item: TokenStream) -> TokenStream {
    let diagnostics = Diagnostics::new();
    let form = "a handle type is a struct without Rust fields: write `struct Name;`";
    let Some(item) = parse_item(item, form, &diagnostics) else {
        return diagnostics.into_tokens();
    };
    let args = parse::parse(args, &diagnostics);
    check::check(&args, &item, &diagnostics);
    let handle = model::model(args, item, &diagnostics);
    let mut tokens = expand::expand(&handle);
    tokens.extend(diagnostics.into_tokens());
    tokens
}
