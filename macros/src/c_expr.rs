//! Expressions of the author that may call C. Each C call and each dereference gets an `unsafe`
//! block of its own.
//!
//! An annotation such as `on_error = ffi::stop(parser.cast(), 0)` calls a C function by its name,
//! as `#[calls]` does. The `unsafe` block holds only this call: its arguments and the rest of the
//! expression are compiled where `unsafe` is not allowed.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::{Expr, Stmt, UnOp};

/// Expands `expression`.
pub(crate) fn expand_c_expr(expression: &Expr) -> TokenStream {
    match expression {
        Expr::Paren(paren) => expand_c_expr(&paren.expr),
        Expr::Group(group) => expand_c_expr(&group.expr),
        Expr::Block(block) if block.label.is_none() => {
            let statements = block.block.stmts.iter().map(statement);
            quote!({ #(#statements)* })
        }
        Expr::Cast(cast) => {
            let (value, ty) = (expand_c_expr(&cast.expr), &cast.ty);
            // The parentheses of `(a - b) as T` are those of the author.
            match *cast.expr {
                Expr::Paren(_) => quote!(((#value) as #ty)),
                _ => quote!((#value as #ty)),
            }
        }
        Expr::Closure(closure) => {
            let mut closure = closure.clone();
            *closure.body = Expr::Verbatim(expand_c_expr(&closure.body));
            closure.to_token_stream()
        }
        Expr::Call(call) if matches!(*call.func, Expr::Path(_)) => {
            let function = &call.func;
            let values = call.args.iter().map(expand_c_expr);
            let names: Vec<Ident> = (0..call.args.len()).map(argument).collect();
            quote! {
                match (#(#values,)*) {
                    // SAFETY: annotation `f(…)`: the author says that C may be called so.
                    (#(#names,)*) => unsafe { #function(#(#names),*) },
                }
            }
        }
        Expr::MethodCall(call) => {
            let mut call = call.clone();
            let receiver = expand_c_expr(&call.receiver);
            *call.receiver = Expr::Verbatim(quote!((#receiver)));
            call.to_token_stream()
        }
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => {
            let (value, pointer) = (expand_c_expr(&unary.expr), argument(0));
            quote! {
                match #value {
                    // SAFETY: annotation `*p`: the author says that C's pointer may be followed.
                    #pointer => unsafe { *#pointer },
                }
            }
        }
        Expr::Field(_) => field(expression),
        Expr::Path(path) if path.path.segments.len() > 1 => quote! {
            // SAFETY: annotation `f(…)`: a name; if it is that of a variable of C's, the author
            // says that it may be read.
            (unsafe { #path })
        },
        other => other.to_token_stream(),
    }
}

/// Expands a field access: of a value, or of the struct that a pointer points to.
pub(crate) fn field(expression: &Expr) -> TokenStream {
    let (mut base, mut members) = (expression, Vec::new());
    loop {
        match base {
            Expr::Field(field) => {
                members.insert(0, &field.member);
                base = &field.base;
            }
            Expr::Paren(paren) => base = &paren.expr,
            _ => break,
        }
    }
    match base {
        Expr::Unary(unary) if matches!(unary.op, UnOp::Deref(_)) => {
            let (value, pointer) = (expand_c_expr(&unary.expr), argument(0));
            quote! {
                match #value {
                    // SAFETY: annotation `(*p).field`: the author says that C's pointer may be
                    // followed.
                    #pointer => unsafe { (*#pointer)#(.#members)* },
                }
            }
        }
        _ => expression.to_token_stream(),
    }
}

pub(crate) fn statement(statement: &Stmt) -> TokenStream {
    match statement {
        Stmt::Expr(expression, semicolon) => {
            let expression = expand_c_expr(expression);
            quote!(#expression #semicolon)
        }
        other => other.to_token_stream(),
    }
}

pub(crate) fn argument(index: usize) -> Ident {
    format_ident!("__value_{index}", span = Span::mixed_site())
}
