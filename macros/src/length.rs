//! `len = …`: the length of memory, and the expressions that compute it.

use std::cell::Cell;

use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};
use syn::{
    BinOp, Expr, ExprBinary, ExprBlock, ExprClosure, ExprUnary, Lit, Local, Pat, Stmt, UnOp,
};

use crate::c_expr::expand_c_expr;
use crate::diagnostics::Diagnostics;
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
    let size = match expression {
        Expr::Closure(ExprClosure { inputs, body, .. }) => {
            let (inputs, size) = (inputs.iter(), expand_size(body, &leaf, runtime));
            quote! {
                match (#(#values,)*) {
                    (#(#inputs,)*) => #size,
                }
            }
        }
        constant => expand_size(constant, &leaf, runtime),
    };
    // A closure, which a `return` in the expression does not leave.
    quote!(#runtime::__private::size::computed(|| #size))
}

/// Expands an expression of integers, whose arithmetic is checked. `leaf` expands everything else in it.
pub(crate) fn expand_size(
    expression: &Expr,
    leaf: &dyn Fn(&Expr) -> TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let of = quote!(#runtime::__private::size::Size::of);
    let size = |expression: &Expr| expand_size(expression, leaf, runtime);
    match expression {
        Expr::Paren(paren) => size(&paren.expr),
        Expr::Group(group) => size(&group.expr),
        Expr::Binary(binary) if is_arithmetic(&binary.op) => {
            let (left, right) = (size(&binary.left), size(&binary.right));
            let operator = &binary.op;
            quote!((#left #operator #right))
        }
        Expr::Unary(unary)
            if matches!(unary.op, UnOp::Neg(_))
                || matches!(unary.op, UnOp::Not(_)) && is_any_integer(&unary.expr) =>
        {
            let (operator, value) = (&unary.op, size(&unary.expr));
            quote!((#operator #value))
        }
        Expr::Cast(cast) if has_steps(&cast.expr) => {
            let (value, ty) = (size(&cast.expr), &cast.ty);
            quote!(#runtime::__private::size::Size::as_value_of::<#ty>(#value))
        }
        Expr::Block(_) | Expr::If(_) | Expr::Match(_) if first_step(expression).is_none() => {
            leaf_size(expression, leaf, &of)
        }
        Expr::Block(block) if block.label.is_none() && block.attrs.is_empty() => {
            match block.block.stmts.split_last() {
                Some((Stmt::Expr(value, None), statements)) => {
                    let statements = statements.iter().map(|statement| match statement {
                        Stmt::Expr(expression, semicolon) => {
                            let expression = leaf(expression);
                            quote!(#expression #semicolon)
                        }
                        other => other.to_token_stream(),
                    });
                    let value = size(value);
                    quote!({ #(#statements)* #value })
                }
                _ => leaf_size(expression, leaf, &of),
            }
        }
        Expr::If(branches) => {
            let condition = leaf_condition(&branches.cond, leaf);
            let then = Expr::Block(ExprBlock {
                attrs: Vec::new(),
                label: None,
                block: branches.then_branch.clone(),
            });
            let then = size(&then);
            match &branches.else_branch {
                Some((_, other)) => {
                    let other = size(other);
                    quote!((if #condition { #then } else { #other }))
                }
                None => leaf_size(expression, leaf, &of),
            }
        }
        Expr::Match(of_values) => {
            let value = leaf(&of_values.expr);
            let arms = of_values.arms.iter().map(|arm| {
                let (attributes, pattern, body) = (&arm.attrs, &arm.pat, size(&arm.body));
                quote!(#(#attributes)* #pattern => #body,)
            });
            quote!((match #value { #(#arms)* }))
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
        Expr::Macro(panic) if ends_here(&panic.mac.path) => panic.to_token_stream(),
        other => leaf_size(other, leaf, &of),
    }
}

/// Returns `true` for a macro of the standard library that has no value, because it panics.
fn ends_here(path: &syn::Path) -> bool {
    let names = ["panic", "todo", "unimplemented", "unreachable"];
    let name = path.segments.last();
    name.is_some_and(|name| names.iter().any(|panics| name.ident == panics))
}

fn leaf_size(
    expression: &Expr,
    leaf: &dyn Fn(&Expr) -> TokenStream,
    of: &TokenStream,
) -> TokenStream {
    let value = leaf(expression);
    quote!(#of(#value))
}

/// Expands the condition of an `if`: a `let` stands in none but that.
fn leaf_condition(condition: &Expr, leaf: &dyn Fn(&Expr) -> TokenStream) -> TokenStream {
    match condition {
        Expr::Let(pattern) => {
            let (pattern, value) = (&pattern.pat, leaf(&pattern.expr));
            quote!(let #pattern = #value)
        }
        other => leaf(other),
    }
}

/// Returns `true` for an operator that can overflow, or that takes the bits of what could.
fn is_arithmetic(operator: &BinOp) -> bool {
    matches!(
        operator,
        BinOp::Add(_)
            | BinOp::Sub(_)
            | BinOp::Mul(_)
            | BinOp::Div(_)
            | BinOp::Rem(_)
            | BinOp::Shl(_)
            | BinOp::Shr(_)
            | BinOp::BitAnd(_)
            | BinOp::BitOr(_)
            | BinOp::BitXor(_)
    )
}

/// Returns `true` for an operator that changes a variable by arithmetic.
fn is_assignment(operator: &BinOp) -> bool {
    matches!(
        operator,
        BinOp::AddAssign(_)
            | BinOp::SubAssign(_)
            | BinOp::MulAssign(_)
            | BinOp::DivAssign(_)
            | BinOp::RemAssign(_)
            | BinOp::ShlAssign(_)
            | BinOp::ShrAssign(_)
    )
}

/// Returns `true` for an operator that can overflow, in numbers of C's types.
fn can_overflow(operator: &BinOp) -> bool {
    let takes_bits = matches!(
        operator,
        BinOp::BitAnd(_) | BinOp::BitOr(_) | BinOp::BitXor(_)
    );
    is_arithmetic(operator) && !takes_bits || is_assignment(operator)
}

fn is_literal(expression: &Expr) -> bool {
    matches!(expression, Expr::Lit(_))
}

/// Returns `true` for a literal that has no type of its own.
fn is_any_integer(expression: &Expr) -> bool {
    match expression {
        Expr::Lit(literal) => {
            matches!(&literal.lit, Lit::Int(number) if number.suffix().is_empty())
        }
        _ => false,
    }
}

/// Returns `true` if the value of the expression is computed by steps that are checked.
fn has_steps(expression: &Expr) -> bool {
    match expression {
        Expr::Paren(paren) => has_steps(&paren.expr),
        Expr::Group(group) => has_steps(&group.expr),
        Expr::Cast(cast) => has_steps(&cast.expr),
        Expr::Binary(binary) => is_arithmetic(&binary.op),
        Expr::Unary(unary) => matches!(unary.op, UnOp::Neg(_)) && !is_literal(&unary.expr),
        Expr::Block(_) | Expr::If(_) | Expr::Match(_) => first_step(expression).is_some(),
        _ => false,
    }
}

/// The first operator that can overflow.
#[derive(Default)]
struct FirstStep(Option<Span>);

impl<'a> Visit<'a> for FirstStep {
    fn visit_expr_binary(&mut self, binary: &'a ExprBinary) {
        if can_overflow(&binary.op) {
            self.0.get_or_insert(binary.op.span());
        }
        visit::visit_expr_binary(self, binary);
    }

    fn visit_expr_unary(&mut self, unary: &'a ExprUnary) {
        if matches!(unary.op, UnOp::Neg(_)) && !is_literal(&unary.expr) {
            self.0.get_or_insert(unary.op.span());
        }
        visit::visit_expr_unary(self, unary);
    }
}

/// Returns the first operator in the expression that can overflow.
fn first_step(expression: &Expr) -> Option<Span> {
    let mut first = FirstStep::default();
    first.visit_expr(expression);
    first.0
}

/// Returns the first operator that can overflow in a `let` of a block, or in the guard of a `match`: [`expand_size`]
/// does not look into these.
fn first_step_beside(expression: &Expr) -> Option<Span> {
    #[derive(Default)]
    struct Beside(FirstStep);

    impl<'a> Visit<'a> for Beside {
        fn visit_local(&mut self, local: &'a Local) {
            self.0.visit_local(local);
        }

        fn visit_pat(&mut self, pattern: &'a Pat) {
            self.0.visit_pat(pattern);
        }
    }

    let mut beside = Beside::default();
    beside.visit_expr(expression);
    beside.0.0
}

/// Checks that each step of the length is one that [`expand_size`] checks for overflow: in a release build, Rust's own
/// arithmetic wraps around, and a wrong length reads memory that is not there.
pub(crate) fn check_steps(expression: &Expr, diagnostics: &Diagnostics) {
    let unchecked = Cell::new(None);
    let leaf = |expression: &Expr| {
        unchecked.set(unchecked.get().or_else(|| first_step(expression)));
        TokenStream::new()
    };
    let body = match expression {
        Expr::Closure(closure) => &closure.body,
        constant => constant,
    };
    expand_size(body, &leaf, &TokenStream::new());
    if let Some(span) = unchecked.get().or_else(|| first_step_beside(body)) {
        diagnostics.add(syn::Error::new(
            span,
            "the steps of `len` are checked for overflow, and this one stands where it cannot be: move it out of the call, the \
             condition or the statement, or write a method that says what an overflow gives, such as `saturating_sub`",
        ));
    }
}
