//! Spans: the source position at which rustc reports an error in generated code.

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};

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

/// The span of an item of ours that is named after the author's `ident`: lints about names are not for the author.
pub(crate) fn hidden_span(ident: &Ident) -> Span {
    ident.span().resolved_at(Span::mixed_site())
}
