//! Paths to fields of a C struct: `field`, `(*field).inner`, `union.member`.

use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::quote;
use syn::parse::{Parse, ParseStream};
use syn::{Expr, Token};

use crate::span::respanned;

/// A field of a C struct, written relative to the struct: `field`, `(*field).inner`,
/// `union.member`.
pub(crate) struct FieldPath(Expr);

impl Parse for FieldPath {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let expression = input.parse()?;
        check_field_path(&expression)?;
        Ok(FieldPath(expression))
    }
}

pub(crate) fn check_field_path(expression: &Expr) -> syn::Result<()> {
    match expression {
        Expr::Path(path) if path.path.get_ident().is_some() => Ok(()),
        Expr::Field(field) => check_field_path(&field.base),
        Expr::Paren(paren) => check_field_path(&paren.expr),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Deref(_)) => {
            check_field_path(&unary.expr)
        }
        _ => Err(syn::Error::new_spanned(
            expression,
            "expected a field of the C struct: `field`, `field.inner`, or `(*field).inner` through \
             a pointer",
        )),
    }
}

impl FieldPath {
    /// Parses a field path that stands before `=`.
    pub(crate) fn parse_assigned(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut tokens = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![=]) {
            tokens.extend([input.parse::<TokenTree>()?]);
        }
        if tokens.is_empty() {
            return Err(input.error("expected a field of the C struct before `=`"));
        }
        syn::parse2(tokens)
    }

    /// The field of the struct `base`.
    pub(crate) fn within(&self, base: &TokenStream) -> TokenStream {
        within(&self.0, base)
    }

    /// Expands to the check that none of the author's code runs on the way to the places in a struct of the type `raw`:
    /// an overloaded `Deref`, which would run while C's struct is in use.
    pub(crate) fn expand_direct_check<'p>(
        paths: impl IntoIterator<Item = &'p FieldPath>,
        raw: &TokenStream,
        runtime: &TokenStream,
    ) -> TokenStream {
        let pointer = Ident::new("raw", Span::mixed_site());
        let checks = paths
            .into_iter()
            .filter(|path| !path.is_self())
            .map(|path| {
                let place = path.within(&quote!((*#pointer)));
                respanned(
                    quote!(#runtime::__runs_no_code!(#pointer: #raw => #place);),
                    path.span(),
                )
            });
        checks.collect()
    }

    /// The pointers that the path follows, in the order in which it follows them.
    pub(crate) fn pointers(&self, base: &TokenStream) -> Vec<TokenStream> {
        let mut pointers = Vec::new();
        let mut expression = &self.0;
        loop {
            expression = match expression {
                Expr::Field(field) => &field.base,
                Expr::Paren(paren) => &paren.expr,
                Expr::Unary(unary) => {
                    pointers.insert(0, within(&unary.expr, base));
                    &unary.expr
                }
                _ => return pointers,
            };
        }
    }

    pub(crate) fn is_self(&self) -> bool {
        matches!(&self.0, Expr::Path(path) if path.path.is_ident("self"))
    }

    pub(crate) fn span(&self) -> proc_macro2::Span {
        syn::spanned::Spanned::span(&self.0)
    }
}

impl quote::ToTokens for FieldPath {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

pub(crate) fn within(expression: &Expr, base: &TokenStream) -> TokenStream {
    match expression {
        Expr::Field(field) => {
            let (inner, member) = (within(&field.base, base), &field.member);
            quote!(#inner.#member)
        }
        Expr::Paren(paren) => {
            let inner = within(&paren.expr, base);
            quote!((#inner))
        }
        Expr::Unary(unary) => {
            let inner = within(&unary.expr, base);
            quote!(*#inner)
        }
        name => quote!(#base.#name),
    }
}
