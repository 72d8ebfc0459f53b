//! `len = …`: the length of memory, and the expressions that compute it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{BinOp, Expr, ExprClosure, Lit};

use crate::c_expr::expand_c_expr;
use crate::field_path::{FieldPath, check_field_path};

/// The length of memory: a C function or a field that has it, or an expression that computes it.
pub(crate) enum Length<P> {
    Of(P),
    Computed(Box<Expr>),
}

impl Parse for Length<syn::Path> {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        Ok(match input.parse()? {
            Expr::Path(function) if function.qself.is_none() => Length::Of(function.path),
            expression => Length::Computed(Box::new(expression)),
        })
    }
}

impl Parse for Length<FieldPath> {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let expression: Expr = input.parse()?;
        let is_computed = match &expression {
            Expr::Path(path) => path.path.segments.len() > 1,
            Expr::Closure(_) | Expr::Lit(_) | Expr::Cast(_) | Expr::Binary(_) | Expr::Block(_) => {
                true
            }
            Expr::Call(_) | Expr::MethodCall(_) => true,
            _ => false,
        };
        match is_computed {
            true => Ok(Length::Computed(Box::new(expression))),
            false => {
                check_field_path(&expression)?;
                syn::parse2(expression.into_token_stream()).map(Length::Of)
            }
        }
    }
}

impl<P: ToTokens> ToTokens for Length<P> {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        match self {
            Length::Of(place) => place.to_tokens(tokens),
            Length::Computed(expression) => expression.to_tokens(tokens),
        }
    }
}

impl<P> Length<P> {
    /// The closure that computes the length; `None` for a constant, a function or a field.
    pub(crate) fn closure(&self) -> Option<&ExprClosure> {
        match self {
            Length::Computed(expression) => match &**expression {
                Expr::Closure(closure) => Some(closure),
                _ => None,
            },
            Length::Of(_) => None,
        }
    }
}

/// Expands to the `Size` of a constant, or of a closure that is given `values`.
pub(crate) fn expand_computed(
    expression: &Expr,
    values: &[TokenStream],
    runtime: &TokenStream,
) -> TokenStream {
    let leaf = |expression: &Expr| {
        let value = expand_c_expr(expression);
        quote!({
            #[allow(unused_unsafe, reason = "the expression may be safe")]
            let value = #value;
            value
        })
    };
    match expression {
        Expr::Closure(ExprClosure { inputs, body, .. }) => {
            let (inputs, size) = (inputs.iter(), expand_size(body, &leaf, runtime));
            let code = Ident::new("_code", Span::mixed_site());
            quote!({
                let #code = #runtime::__private::uses::AuthorCode::begin();
                match (#(#values,)*) {
                    (#(#inputs,)*) => #size,
                }
            })
        }
        constant => expand_size(constant, &leaf, runtime),
    }
}

/// Expands an expression of integers, whose sums, differences, products and quotients are checked. `leaf` expands
/// everything else in it.
pub(crate) fn expand_size(
    expression: &Expr,
    leaf: &dyn Fn(&Expr) -> TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let of = quote!(#runtime::__private::size::Size::of);
    match expression {
        Expr::Paren(paren) => expand_size(&paren.expr, leaf, runtime),
        Expr::Group(group) => expand_size(&group.expr, leaf, runtime),
        Expr::Binary(binary)
            if matches!(
                binary.op,
                BinOp::Add(_) | BinOp::Sub(_) | BinOp::Mul(_) | BinOp::Div(_) | BinOp::Rem(_)
            ) =>
        {
            let left = expand_size(&binary.left, leaf, runtime);
            let right = expand_size(&binary.right, leaf, runtime);
            let operator = &binary.op;
            quote!((#left #operator #right))
        }
        Expr::Lit(literal) => match &literal.lit {
            // Of a type that holds all numbers.
            Lit::Int(number) if number.suffix().is_empty() => {
                let digits =
                    syn::LitInt::new(&format!("{}i128", number.base10_digits()), number.span());
                quote!(#of(#digits))
            }
            _ => quote!(#of(#literal)),
        },
        other => {
            let value = leaf(other);
            quote!(#of(#value))
        }
    }
}
