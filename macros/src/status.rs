//! Tests of the status that C returned: `fails = …` and `none = …`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::Expr;
use syn::ext::IdentExt;
use syn::parse::discouraged::Speculative;
use syn::parse::{Parse, ParseStream};

use crate::attr::Arg;
use crate::diagnostics::Diagnostics;
use crate::span::respanned;

pub(crate) enum StatusTest {
    Null(Ident),
    Nonzero(Ident),
    Negative(Ident),
    When(Expr),
    /// The returned value does not tell: the handle stores the error.
    Sticky,
    /// A test with mistakes.
    Unknown,
}

impl StatusTest {
    pub(crate) fn of(arg: Arg, diagnostics: &Diagnostics) -> Option<StatusTest> {
        Some(
            arg.value("fails = null", diagnostics)
                .unwrap_or(StatusTest::Unknown),
        )
    }

    /// The closure that tests the returned value. Type errors are reported at the test.
    pub(crate) fn expand(&self, runtime: &TokenStream) -> TokenStream {
        let (test, keyword) = match self {
            StatusTest::Null(keyword) => (quote!(Null), keyword),
            StatusTest::Nonzero(keyword) => (quote!(Nonzero), keyword),
            StatusTest::Negative(keyword) => (quote!(Negative), keyword),
            StatusTest::When(condition) => return quote!(#condition),
            StatusTest::Sticky | StatusTest::Unknown => return quote!(|_| false),
        };
        respanned(
            quote!(|ret| #runtime::__private::status::#test::failed(ret)),
            keyword.span(),
        )
    }
}

impl Parse for StatusTest {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let ahead = input.fork();
        let name: Ident = ahead.call(Ident::parse_any)?;
        let fails = match name.to_string().as_str() {
            "null" => StatusTest::Null(name),
            "nonzero" => StatusTest::Nonzero(name),
            "negative" => StatusTest::Negative(name),
            "sticky" => StatusTest::Sticky,
            "when" => {
                let content;
                syn::parenthesized!(content in ahead);
                StatusTest::When(content.parse()?)
            }
            _ => {
                return Err(syn::Error::new_spanned(
                    &name,
                    format!(
                        "`{name}` is not a test for failure: expected one of `null`, `nonzero`, \
                         `negative`, `sticky`, `when(|ret| …)`"
                    ),
                ));
            }
        };
        input.advance_to(&ahead);
        Ok(fails)
    }
}
