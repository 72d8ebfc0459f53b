//! Rules for the arguments of a C call.

use quote::ToTokens;
use syn::visit::Visit;

use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Calls, Consumes, Method, Parameter, Receiver};
use crate::methods::c_args::{CArg, can_fail};
use crate::status::StatusTest;
use crate::types::inspect::is_bytes;

pub(crate) fn check_arguments(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let mut arguments = method.c_arguments(calls);
    let fields = method.field_arguments(calls);
    if let (Some((place, _)), true) = (fields.first(), method.receiver != Receiver::Exclusive) {
        diagnostics.at(
            place,
            "`fields` are written to the receiver: take `&mut self`",
        );
    }
    arguments.extend(fields.into_iter().map(|(_, argument)| argument));
    check_variable_arguments(calls, &arguments, diagnostics);
    let mut misspelled = false;
    let mut mentioned = Vec::new();
    for argument in &arguments {
        match argument {
            CArg::Constant(constant) => {
                misspelled |= report_misspelled(method, constant, diagnostics);
                mentioned.extend(names_in(constant));
            }
            CArg::Parameter(parameter, span) if is_bytes(&parameter.ty) => {
                let name = &parameter.name;
                diagnostics.add(syn::Error::new(
                    *span,
                    format!("bytes are passed as pointer and length: write `{name}.ptr, {name}.len` in `args = (…)`"),
                ));
            }
            CArg::Receiver(span) if method.receiver == Receiver::None => {
                diagnostics.add(syn::Error::new(
                    *span,
                    "there is no `self` to pass: take `&self`, or remove `self` from `args`",
                ));
            }
            _ => {}
        }
        if can_fail(argument) && !method.output.fallible {
            let place = match argument {
                CArg::Length(parameter, _) | CArg::Parameter(parameter, _) => &parameter.name,
                _ => &method.signature.ident,
            };
            diagnostics.at(
                place,
                "the conversion of this argument can fail (a NUL inside the text, or too many \
                 bytes for C's length): return `Result<…>`",
            );
        }
    }
    for parameter in &method.parameters {
        let passed = arguments.iter().any(|argument| match argument {
            CArg::Parameter(other, _)
            | CArg::Start(other, _)
            | CArg::Length(other, _)
            | CArg::Data(other, _)
            | CArg::Destroy(other, _)
            | CArg::Function(other, ..) => other.name == parameter.name,
            _ => false,
        });
        // A parameter that is misspelled in `args` is not reported as missing, too.
        if !passed && !misspelled && !mentioned.contains(&parameter.name) {
            let name = &parameter.name;
            diagnostics.at(
                name,
                format!("`{name}` is not passed to C: name it in `args = (…)`, or remove it"),
            );
        }
    }
}

/// Checks that each argument behind `...` has a C type. Functions of callbacks and their data have one of their own.
fn check_variable_arguments(calls: &Calls, arguments: &[CArg<'_>], diagnostics: &Diagnostics) {
    let written = calls.arguments.iter().flatten();
    for (written, argument) in written.zip(arguments) {
        let is_typed = written.c_type().is_some()
            || matches!(
                argument,
                CArg::Function(..) | CArg::Data(..) | CArg::Destroy(..)
            );
        if written.is_variable && !is_typed {
            let value = written.value.to_token_stream().to_string();
            let value = value.replace(" :: ", "::").replace(" . ", ".");
            diagnostics.at(
                &written.value,
                format!(
                    "C's declaration has no type for an argument behind `...`: write `{value} as T`, where `T` is the C \
                     type that the function reads there, such as `c_long` or `*const c_char`"
                ),
            );
        }
    }
}

/// Reports a lower-case name that is no parameter. Returns `true` if `constant` is one.
pub(crate) fn report_misspelled(
    method: &Method,
    constant: &syn::Expr,
    diagnostics: &Diagnostics,
) -> bool {
    let constant = match constant {
        syn::Expr::Cast(cast) => &cast.expr,
        constant => constant,
    };
    let syn::Expr::Path(path) = constant else {
        return false;
    };
    let Some(name) = path.path.get_ident() else {
        return false;
    };
    let is_lowercase = name.to_string().starts_with(char::is_lowercase);
    let misspelled = is_lowercase && method.parameter(name).is_none();
    if misspelled {
        let known = method
            .parameters
            .iter()
            .map(|parameter| format!(", `{}`", parameter.name))
            .collect::<String>();
        diagnostics.at(
            name,
            format!(
                "`{name}` is not a parameter: expected one of `self`, \
         `null`{known} or a constant"
            ),
        );
    }
    misspelled
}

/// The single names in an expression.
pub(crate) fn names_in(expression: &syn::Expr) -> Vec<syn::Ident> {
    struct Names(Vec<syn::Ident>);
    impl<'a> Visit<'a> for Names {
        fn visit_expr_path(&mut self, path: &'a syn::ExprPath) {
            self.0.extend(path.path.get_ident().cloned());
        }
    }
    let mut names = Names(Vec::new());
    names.visit_expr(expression);
    names.0
}

/// Checks that a call with `Owned` arguments says whether it consumes them if it fails.
pub(crate) fn check_consumed(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let consumed = method.consumed().next();
    if consumed.is_none() && !method.stored(calls).is_empty() {
        return;
    }
    match (consumed, calls.consumes, &calls.fails) {
        (None, Some(_), _) => diagnostics.at(
            &calls.function,
            "`consumes` is for `Owned<…>` parameters, and this method has none: take one, or \
             remove `consumes`",
        ),
        (Some(parameter), None, Some(_)) => diagnostics.at(
            &parameter.ty,
            format!(
                "specify whether a failing call consumes `{}`: add `consumes = always` or `consumes = on_success`",
                parameter.name
            ),
        ),
        (Some(_), Some(Consumes::OnSuccess), None | Some(StatusTest::Sticky)) => diagnostics.at(
            &calls.function,
            "`consumes = on_success` requires a test of the value that C returns: add `fails = \
             null`, `nonzero`, `negative` or `when(|ret| …)`",
        ),
        _ => {}
    }
    let twice = |parameter: &&Parameter| {
        let arguments = method.c_arguments(calls);
        let same = arguments.iter().filter(|argument| {
            matches!(argument, CArg::Parameter(other, _) if other.name == parameter.name)
        });
        same.count() > 1
    };
    if let Some(parameter) = method.consumed().find(twice) {
        diagnostics.at(
            &parameter.name,
            format!(
                "`{}` is consumed by this call, so it can be passed only once: remove one of the two in `args`",
                parameter.name
            ),
        );
    }
}
