//! Spans: the source position at which rustc reports an error in generated code.

use proc_macro2::{Group, Span, TokenStream, TokenTree};

/// `tokens` with `span` as the position for errors.
pub(crate) fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let respan = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            let content = respanned(group.stream(), span);
            tree = TokenTree::Group(Group::new(group.delimiter(), content));
        }
        tree.set_span(tree.span().located_at(span));
        tree
    };
    tokens.into_iter().map(respan).collect()
}
