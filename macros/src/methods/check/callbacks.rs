//! Rules for callbacks that a method passes to C.

use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Calls, Method, Receiver};
use crate::methods::c_args::CArg;
use crate::renamed::report_renamed;
use crate::types::param_kind::ParamKind;

/// Checks that a callback is passed with its user data, and that `scope` says how long C keeps it.
pub(crate) fn check_callbacks(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    const SCOPES: &str = "`notified` (until C calls the destroy function), `until_replaced` (until this method is called again), or \
         `handle` (as long as the handle)";
    let callbacks = method.callbacks(calls);
    let stored = method.stored_callbacks(calls);
    for parameter in &callbacks {
        match ParamKind::of(&parameter.ty) {
            ParamKind::Value | ParamKind::Ref(_) => {}
            _ => diagnostics.at(
                &parameter.ty,
                "take a callback as `&State` if C uses it only during the call, or as `State` or \
                 `Option<State>` if C keeps it",
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
    for (_, argument) in method.field_arguments(calls) {
        if let CArg::Data(parameter, span) | CArg::Function(parameter, _, span) = argument
            && !matches!(ParamKind::of(&parameter.ty), ParamKind::Ref(_))
        {
            diagnostics.add(syn::Error::new(
                span,
                "C cannot keep a callback from `fields`, because they are reset after the call: \
                 take the callback by `&`",
            ));
        }
    }
    let destroyed = method
        .c_arguments(calls)
        .iter()
        .find_map(|argument| match argument {
            CArg::Destroy(parameter, span) => Some((parameter.name.clone(), *span)),
            _ => None,
        });
    let Some(first) = stored.first() else {
        if let Some(scope) = &calls.scope {
            diagnostics.at(
                scope,
                "`scope` is for a callback that C keeps, which is taken by value: remove `scope`",
            );
        }
        if let Some((_, span)) = destroyed {
            diagnostics.add(syn::Error::new(
                span,
                "C does not destroy a callback that is borrowed for the call: take the callback by \
                 value, or remove `.destroy`",
            ));
        }
        return;
    };
    if method.receiver == Receiver::None {
        diagnostics.at(
            &first.ty,
            "a callback that C keeps is stored with the receiver: take `&self`, or take the \
             callback by `&` if C uses it only during the call",
        );
    }
    match calls.scope.as_ref().map(ToString::to_string).as_deref() {
        None => diagnostics.at(
            &first.ty,
            format!("specify how long C keeps the callback: add `scope = …` with {SCOPES}"),
        ),
        Some("notified") => {
            if destroyed.is_none() {
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
                    "specify whether a failing call has destroyed the callback: add `consumes = \
                     always` or `consumes = on_success`",
                );
            }
        }
        Some("until_replaced" | "handle") => {
            if let Some((name, span)) = &destroyed {
                diagnostics.add(syn::Error::new(
                    *span,
                    format!(
                        "`{name}.destroy` requires `scope = notified`: remove it, or change \
                     the scope"
                    ),
                ));
            }
            let replaced = calls
                .scope
                .as_ref()
                .is_some_and(|scope| scope == "until_replaced");
            if replaced && method.receiver == Receiver::Shared {
                diagnostics.at(
                    &first.ty,
                    "the callback that is replaced may be running: take `&mut self`",
                );
            }
        }
        Some(_)
            if calls
                .scope
                .as_ref()
                .is_some_and(|scope| report_renamed("scope", scope, diagnostics)) => {}
        Some(_) => diagnostics.at(
            calls.scope.as_ref().unwrap_or(&first.name),
            format!("unknown scope: expected one of {SCOPES}"),
        ),
    }
}
