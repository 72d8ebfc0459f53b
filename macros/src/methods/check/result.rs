//! Rules for the result of a C call: its status, NULL, out-parameters, and the handles that it
//! lives in.

use syn::{ReturnType, Type};

use crate::diagnostics::Diagnostics;
use crate::length::Length;
use crate::methods::ast::{Calls, Method, Receiver};
use crate::methods::c_args::{CArg, can_fail};
use crate::status::StatusTest;
use crate::types::inspect::{
    argument_of, borrowed_handles, borrowed_slice, is_named, is_slice_ref, owned_handles, type_name,
};
use crate::types::param_kind::ParamKind;

pub(crate) fn check_result(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let fails = calls.fails.is_some();
    if fails && !method.output.fallible {
        let message = "a call with `fails` can fail: return `Result<…>`";
        match &method.signature.output {
            ReturnType::Type(_, ty) => diagnostics.at(ty, message),
            ReturnType::Default => diagnostics.at(&method.signature.ident, message),
        }
    }
    let fields = method.field_arguments(calls);
    let arguments_fail = method.c_arguments(calls).iter().any(can_fail)
        || fields.iter().any(|(_, argument)| can_fail(argument));
    let length_fails = matches!(calls.length, Some(Length::Computed(_)));
    if method.output.fallible
        && !fails
        && !arguments_fail
        && !length_fails
        && !method.has_strict_text()
        && method.token.is_none()
    {
        diagnostics.at(
            &calls.function,
            "a `Result` requires a test for failure: add `fails = null`, `nonzero`, `negative` or \
             `when(|ret| …)`",
        );
    }
}

pub(crate) fn check_null(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let value = &method.output.value;
    let pointer = ["Owned", "Borrowed", "String", "CString", "Bytes"]
        .into_iter()
        .any(|name| is_named(value, name))
        || is_slice_ref(value);
    match (&calls.fails, pointer) {
        (None, true) if calls.buffer.is_none() => diagnostics.at(
            value,
            match (&method.token, is_named(value, "Bytes")) {
                (None, _) => format!(
                    "C may return NULL here: return `Option<{0}>`, or `Result<{0}>` with `fails = null`",
                    type_name(value)
                ),
                (Some(_), is_bytes) => {
                    let class = if is_bytes { "PyBytes" } else { "PyString" };
                    format!("C may return NULL here: return `Result<Option<Bound<'py, {class}>>>`, or add `fails = null`")
                }
            },
        ),
        (Some(StatusTest::Null(keyword)), _) if argument_of(value, "Option").is_some() => {
            diagnostics.at(keyword, "NULL is either a failure or `None`: remove `fails = null` or the `Option`");
        }
        _ => {}
    }
}

pub(crate) fn check_outs(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let out_params = method.out_count(calls);
    if let (Some(_), 0) = (calls.on_failure, out_params) {
        diagnostics.at(
            &calls.function,
            "`on_failure` is the state of `out` after a failing call: add `out` to `args = (…)`, \
             or remove `on_failure`",
        );
    }
    if let (Some(_), None) = (calls.on_failure, &calls.fails) {
        diagnostics.at(
            &calls.function,
            "`on_failure` requires a test for failure: add `fails = nonzero`, `negative` or \
             `when(|ret| …)`",
        );
    }
    if calls.buffer.is_some() {
        return;
    }
    let value = method.out_value(calls);
    let Some(types) = method.out_types(calls) else {
        diagnostics.at(
            &method.output.value,
            format!(
                "`args` has {out_params} out-parameters: return a tuple of {out_params} values"
            ),
        );
        return;
    };
    if let (1, Type::Tuple(tuple)) = (out_params, value) {
        diagnostics.at(
            tuple,
            "a single `out` is the whole result: return its type, not a tuple",
        );
    }
    let freed = calls.free.as_ref().and(types.first());
    let owned = types
        .iter()
        .find(|ty| is_named(argument_of(ty, "Option").unwrap_or(ty), "Owned"))
        .or(freed);
    if let (Some(owned), Some(_), None) = (owned, &calls.fails, calls.on_failure) {
        diagnostics.at(
            owned,
            "specify what a failing call leaves in `out`: add `on_failure = owned` (an object that \
             has to be released), `null` (nothing) or `undefined` (an invalid value)",
        );
    }
}

/// Checks `details`.
pub(crate) fn check_details(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let count = method.details_count(calls);
    let Some(details) = &calls.details else {
        let arguments = method.c_arguments(calls);
        let first = arguments.iter().find_map(|argument| match argument {
            CArg::Details(_, span) => Some(*span),
            _ => None,
        });
        if let Some(span) = first {
            diagnostics.add(syn::Error::new(
                span,
                "the type of what C writes here is missing: add `details = TheType`",
            ));
        }
        return;
    };
    if !method.output.fallible {
        diagnostics.at(
            &details.keyword,
            "`details` are for the error of a call that fails: return `Result<…>` and add `fails = …`, or pass `null`",
        );
    }
    if count == 0 && method.has_details_in_length(calls) {
        // C writes one number there.
    } else if count == 0 {
        diagnostics.at(
            &details.keyword,
            "`details` is what C writes about a failure: name the place in `args = (…, details)`",
        );
    } else if details.types(count).is_none() {
        diagnostics.at(
            &details.ty,
            format!("`args` has {count} times `details`: write a tuple of {count} types"),
        );
    }
    let text = argument_of(&details.ty, "Option").unwrap_or(&details.ty);
    let is_copied = ["String", "CString"]
        .iter()
        .any(|name| is_named(text, name));
    if details.free.is_some() && (!is_copied || count > 1) {
        diagnostics.at(
            &details.ty,
            "`free` is for text of one parameter: write `details(String, free = ffi::the_function)`; an object that has to be \
             released is a handle, `details = Option<Owned<…>>`",
        );
    }
    if let Some(handle) = borrowed_handles(&details.ty).first() {
        diagnostics.at(
            handle,
            "the details of a failure live longer than the call: write `Option<Owned<…>>` for an object that the caller \
             releases, or copy it as text or a record",
        );
    }
}

/// Refuses a borrowed result that could only live in a handle which the call consumes.
pub(crate) fn check_borrow_of_consumed(method: &Method, diagnostics: &Diagnostics) {
    let Some(parameter) = method.consumed().next() else {
        return;
    };
    let borrowed = borrowed_handles(&method.output.value);
    if let (Receiver::None, Some(handle)) = (method.receiver, borrowed.first()) {
        diagnostics.at(
            handle,
            format!(
                "a borrowed `{}` cannot live in `{}`, which this call consumes: return `Owned<…>`, take `{1}` by reference, or \
                 make it a method of the handle that the result lives in",
                type_name(handle),
                parameter.name
            ),
        );
    }
}

/// Checks `keep_alive`.
pub(crate) fn check_parents(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    for name in &calls.keep_alive {
        let lent = method
            .parameter(name)
            .is_some_and(|parameter| matches!(ParamKind::of(&parameter.ty), ParamKind::Ref(_)));
        if !lent {
            diagnostics.at(
                name,
                format!("`{name}` is not a handle parameter: name a parameter of type `&Handle`"),
            );
        }
    }
    if let (Some(name), Receiver::None) = (calls.keep_alive.first(), method.receiver) {
        diagnostics.at(
            name,
            "the first parent of a result is the receiver or a parent of it: take `&self`",
        );
    }
    if let (Some(name), Some(_), false) = (
        calls.keep_alive.first(),
        borrowed_slice(&method.output.value),
        method.rust_only,
    ) {
        diagnostics.at(
            name,
            "a `memoryview` of lent memory keeps the receiver alive, but not this handle: return a \
             copy, `Bytes`, or mark the method `#[rust_only]`",
        );
    }
    if let (Receiver::None, Some(parameter), Some(memory), false) = (
        method.receiver,
        method.parameters.first(),
        borrowed_slice(&method.output.value),
        method.rust_only,
    ) {
        diagnostics.at(
            memory,
            format!(
                "a `memoryview` of lent memory keeps a receiver alive, and this method has none: take \
                 `&self` instead of `{}`, return a copy, `Bytes`, or mark the method `#[rust_only]`",
                parameter.name
            ),
        );
    }
}

/// Checks `gives_back`.
pub(crate) fn check_gives_back(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let Some(keyword) = &calls.gives_back else {
        return;
    };
    if calls.retain.is_some() {
        diagnostics.at(
            keyword,
            "`retain` makes the caller one more owner of a handle that C still has: remove `gives_back`",
        );
    } else if owned_handles(&method.output.value).is_empty() {
        diagnostics.at(
            keyword,
            "`gives_back` says that C had the handles of the result before, and has them no more: return `Owned<…>`, or an \
             `Option` of it, or remove `gives_back`",
        );
    }
}
