//! `fails = …`: how one sees from what C returned that it failed.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Expr;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};

use crate::diagnostics::Diagnostics;
use crate::words::{Word, respanned};

pub(crate) enum Fails {
    Null(Ident),
    Nonzero(Ident),
    Negative(Ident),
    When(Expr),
    /// C does not say: the handle keeps it.
    Sticky,
    /// Nothing valid was written.
    Unknown,
}

impl Fails {
    pub(crate) fn of(word: Word, diagnostics: &Diagnostics) -> Option<Fails> {
        Some(
            word.value("fails = null", diagnostics)
                .unwrap_or(Fails::Unknown),
        )
    }

    /// The closure that looks at what C returned, reported at its word.
    pub(crate) fn expand(&self, runtime: &TokenStream) -> TokenStream {
        let (test, word) = match self {
            Fails::Null(word) => (quote!(Null), word),
            Fails::Nonzero(word) => (quote!(Nonzero), word),
            Fails::Negative(word) => (quote!(Negative), word),
            Fails::When(condition) => return quote!(#condition),
            Fails::Sticky | Fails::Unknown => return quote!(|_| false),
        };
        respanned(
            quote!(|ret| #runtime::fails::#test::failed(ret)),
            word.span(),
        )
    }
}

impl Parse for Fails {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        let name: Ident = ahead.call(Ident::parse_any)?;
        let fails = match name.to_string().as_str() {
            "null" => Fails::Null(name),
            "nonzero" => Fails::Nonzero(name),
            "negative" => Fails::Negative(name),
            "sticky" => Fails::Sticky,
            "when" => {
                let content;
                syn::parenthesized!(content in ahead);
                Fails::When(content.parse()?)
            }
            _ => {
                return Err(syn::Error::new_spanned(
                    &name,
                    format!(
                        "`{name}` says nothing about failure: one of `null`, `nonzero`, `negative`, \
                             `sticky`, `when(|ret| …)` is expected"
                    ),
                ));
            }
        };
        input.advance_to(&ahead);
        Ok(fails)
    }
}
