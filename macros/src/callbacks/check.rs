//! The rules of a callback.

use crate::callbacks::ast::{CallbackCArg, CallbackMethod, parameters};
use crate::diagnostics::Diagnostics;
use crate::text::{Utf8, contains_string};
use crate::types::inspect::{argument_of, is_unit, named_lifetime};
use syn::{ReceiverKind, ReturnType};

pub(crate) fn check(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    let signature = &callback.method.sig;
    let shared = signature
        .receiver()
        .is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Reference(_, _, None)));
    if !shared {
        diagnostics.at(
            &signature.ident,
            "C may call it while it runs already: take `&self`, and put what changes into a `Mutex`",
        );
    }
    for (name, ty) in parameters(&callback.method) {
        if let Some(lifetime) = named_lifetime(ty, None) {
            diagnostics.at(
                lifetime,
                "what C passes is valid until the callback returns: leave the lifetime out, and copy what is to stay",
            );
        }
        let passed = callback.arguments.iter().any(|argument| match argument {
            CallbackCArg::Named(other) | CallbackCArg::Start(other, _) => other == name,
            _ => false,
        });
        if !passed {
            diagnostics.at(
                name,
                format!("`{name}` is not passed by C: name it in `args = (…)`, or remove it"),
            );
        }
        let measured = callback
            .arguments
            .iter()
            .any(|argument| matches!(argument, CallbackCArg::Length(other, _) if other == name));
        let started = callback
            .arguments
            .iter()
            .any(|argument| matches!(argument, CallbackCArg::Start(other, _) if other == name));
        if started && !measured && !callback.until_null {
            diagnostics.at(
                ty,
                format!(
                    "memory needs a length: pass `{name}.len` in `args`, or add `until = null`"
                ),
            );
        }
    }
    let value = match &signature.output {
        ReturnType::Default => None,
        ReturnType::Type(_, ty) => Some(argument_of(ty, "Result").unwrap_or(ty)),
    };
    if let (Some(_), Some(value)) = (&callback.before, value)
        && !is_unit(value)
    {
        diagnostics.at(
            value,
            "C gets what the function that is called before returned: return `()` or `Result<()>`, or remove `before`",
        );
    }
    if callback.utf8 == Utf8::Lossy
        && !parameters(&callback.method).any(|(_, ty)| contains_string(ty))
    {
        diagnostics.at(
            &signature.ident,
            "`utf8` is about text of C that becomes a `String`: take one, or remove the word",
        );
    }
    let has_data = callback
        .arguments
        .iter()
        .any(|argument| matches!(argument, CallbackCArg::Named(name) if name == "data"));
    if callback.data.is_none() && !has_data && !callback.arguments.is_empty() {
        diagnostics.at(
            &signature.ident,
            "nothing says where the user data is: write `data` in `args = (…)`, or add `data = ffi::user_data(context)`",
        );
    }
}
