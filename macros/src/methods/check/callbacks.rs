//! Rules for callbacks that a method passes to C.

use proc_macro2::{Ident, Span};

use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Calls, Method, Parameter, Receiver};
use crate::methods::c_args::CArg;
use crate::renamed::report_renamed;
use crate::types::param_kind::ParamKind;

const SCOPES: &str = "`notified` (until C calls the destroy function), `until_replaced` (until this method is called \
     again), or `handle` (as long as the handle)";

/// Checks callbacks that are passed to C, and that `scope` says how long C keeps them.
pub(crate) fn check_callbacks(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    for parameter in method.callbacks(calls) {
        check_parameter(method, calls, parameter, diagnostics);
    }
    check_fields(method, calls, diagnostics);
    let kept = method.kept_handles(calls);
    match (method.stored_callbacks(calls).first(), kept.first()) {
        (Some(first), _) => check_stored(method, calls, first, diagnostics),
        (None, Some(first)) => check_kept(method, calls, first, diagnostics),
        (None, None) => check_borrowed(method, calls, diagnostics),
    }
}

/// Checks the type of a callback, and that its user data is passed.
fn check_parameter(
    method: &Method,
    calls: &Calls,
    parameter: &Parameter,
    diagnostics: &Diagnostics,
) {
    match ParamKind::of(&parameter.ty) {
        ParamKind::Value | ParamKind::Ref(_) => {}
        _ => diagnostics.at(
            &parameter.ty,
            "take a callback as `&State` if C uses it only during the call, or as `State` or `Option<State>` if C keeps it",
        ),
    }
    let is_data = |argument: &CArg<'_>| matches!(argument, CArg::Data(other, _) if other.name == parameter.name);
    let fields = method.field_arguments(calls);
    let has_data = method.c_arguments(calls).iter().any(is_data)
        || fields.iter().any(|(_, argument)| is_data(argument));
    if !has_data {
        let name = &parameter.name;
        diagnostics.at(
            name,
            format!("C needs the user data to find the callback: pass `{name}.data` in `args`"),
        );
    }
}

/// Checks callbacks in `fields(…)`.
fn check_fields(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    for (_, argument) in method.field_arguments(calls) {
        if let CArg::Data(parameter, span) | CArg::Function(parameter, _, span) = argument
            && !matches!(ParamKind::of(&parameter.ty), ParamKind::Ref(_))
        {
            diagnostics.add(syn::Error::new(
                span,
                "C cannot keep a callback from `fields`, because they are reset after the call: take the callback by `&`",
            ));
        }
    }
}

/// The callback whose destroy function is passed, and the position of that.
fn destroyed(method: &Method, calls: &Calls) -> Option<(Ident, Span)> {
    let arguments = method.c_arguments(calls);
    arguments.iter().find_map(|argument| match argument {
        CArg::Destroy(parameter, span) => Some((parameter.name.clone(), *span)),
        _ => None,
    })
}

/// Checks a call that keeps no callback.
fn check_borrowed(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    if let Some(scope) = &calls.scope {
        diagnostics.at(
            scope,
            "`scope` is for a callback that C keeps, which is taken by value, or for a handle that the receiver keeps, \
             `Owned<…>`: remove `scope`",
        );
    }
    if let Some((_, span)) = destroyed(method, calls) {
        diagnostics.add(syn::Error::new(
            span,
            "C does not destroy a callback that is borrowed for the call: take the callback by value, or remove `.destroy`",
        ));
    }
}

/// Checks a call that keeps callbacks, of which `first` is one.
fn check_stored(method: &Method, calls: &Calls, first: &Parameter, diagnostics: &Diagnostics) {
    if method.receiver == Receiver::None {
        diagnostics.at(
            &first.ty,
            "a callback that C keeps is stored with the receiver: take `&self`, or take the callback by `&` if C uses it \
             only during the call",
        );
    }
    let Some(scope) = &calls.scope else {
        diagnostics.at(
            &first.ty,
            format!("specify how long C keeps the callback: add `scope = …` with {SCOPES}"),
        );
        return;
    };
    match scope.to_string().as_str() {
        "notified" => check_notified(method, calls, first, diagnostics),
        "until_replaced" | "handle" => {
            if let Some((name, span)) = destroyed(method, calls) {
                diagnostics.add(syn::Error::new(
                    span,
                    format!("`{name}.destroy` requires `scope = notified`: remove it, or change the scope"),
                ));
            }
            if scope == "until_replaced" && method.receiver == Receiver::Shared {
                diagnostics.at(
                    &first.ty,
                    "the callback that is replaced may be running: take `&mut self`",
                );
            }
        }
        _ if report_renamed("scope", scope, diagnostics) => {}
        _ => diagnostics.at(scope, format!("unknown scope: expected one of {SCOPES}")),
    }
}

/// Checks a call that has C keep handles that the caller releases, of which `first` is one.
fn check_kept(method: &Method, calls: &Calls, first: &Parameter, diagnostics: &Diagnostics) {
    let Some(scope) = &calls.scope else {
        return;
    };
    if calls.consumes.is_some() {
        diagnostics.at(
            &first.ty,
            "with `scope` the caller releases the handle, with `consumes` C does: remove one of the two",
        );
    }
    match scope.to_string().as_str() {
        "until_replaced" if method.receiver == Receiver::Shared => diagnostics.at(
            &first.ty,
            "the handle that is replaced may be in use: take `&mut self`",
        ),
        "until_replaced" | "handle" => {}
        "notified" => diagnostics.at(
            scope,
            "C does not tell when it no longer needs a handle: write `until_replaced` or `handle`; if C releases the handle, \
             write `consumes = …` in place of `scope`",
        ),
        _ if report_renamed("scope", scope, diagnostics) => {}
        _ => diagnostics.at(
            scope,
            "unknown scope: expected `until_replaced` (until this method is called again) or `handle` (as long as the \
             receiver)",
        ),
    }
}

fn check_notified(method: &Method, calls: &Calls, first: &Parameter, diagnostics: &Diagnostics) {
    if destroyed(method, calls).is_none() {
        diagnostics.at(
            &first.name,
            format!(
                "`scope = notified` needs the destroy function: pass `{}.destroy` in `args`",
                first.name
            ),
        );
    }
    if calls.fails.is_some() && calls.consumes.is_none() {
        diagnostics.at(
            &first.ty,
            "specify whether a failing call has destroyed the callback: add `consumes = always` or `consumes = on_success`",
        );
    }
}
