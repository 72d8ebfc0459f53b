//! Rules for methods that read or write a field.

use syn::Type;

use crate::diagnostics::Diagnostics;
use crate::length::{Length, check_steps};
use crate::methods::ast::{FieldAccess, Method, Parameter, Receiver};
use crate::methods::check::signature::{check_generics, check_lifetimes};
use crate::types::inspect::{argument_of, is_call_data, is_named};
use crate::types::param_kind::ParamKind;

pub(crate) fn check_field(method: &Method, field: &FieldAccess, diagnostics: &Diagnostics) {
    check_lifetimes(method, diagnostics);
    check_generics(method, diagnostics);
    check_atomic(field, diagnostics);
    let value = &method.output.value;
    let setter = !method.parameters.is_empty();
    let can_fail = method.reads_required(field) || method.computes_length(field);
    if method.output.fallible && !method.has_strict_text() && !can_fail && method.token.is_none() {
        diagnostics.at(
            value,
            "reading or writing a field can't fail: remove the `Result`",
        );
    }
    let written_alone = method.receiver == Receiver::Exclusive || field.atomic.is_some();
    if setter && (method.parameters.len() > 1 || !written_alone) {
        diagnostics.at(
            &method.signature.ident,
            "a method that writes a field takes `&mut self` and the value: change its parameters",
        );
    }
    if setter {
        check_written(method, field, diagnostics);
    }
    if setter && (field.is_array() || field.when.is_some()) {
        diagnostics.at(
            &field.place,
            "`len`, `until` and `when` are for reading a field: remove them",
        );
    }
    let inner = argument_of(value, "Option").unwrap_or(value);
    let is_array = argument_of(inner, "Vec").is_some() || is_named(inner, "Bytes");
    let is_text = is_named(inner, "String") || is_named(inner, "CString");
    if let (false, Some(length)) = (setter, &field.length)
        && !is_array
        && !is_text
    {
        diagnostics.at(
            length,
            "`len` counts the elements of an array: return a `Vec`, `Bytes`, `String` or `CString`, or an `Option` of it",
        );
    }
    if let (false, Some(until)) = (setter, &field.until) {
        if field.length.is_some() {
            let message = "a length has one source: keep one of `len = …` and `until = null`";
            diagnostics.at(until, message);
        } else if argument_of(inner, "Vec").is_none() {
            let message = "`until` is the end of an array: return a `Vec`, or an `Option` of it";
            diagnostics.at(until, message);
        }
    }
    if let Some(Length::Computed(expression)) = &field.length {
        check_steps(expression, diagnostics);
    }
    if let Some(closure) = field.length.as_ref().and_then(Length::closure)
        && closure.inputs.len() != 1
    {
        diagnostics.at(
            closure,
            "the closure of `len` gets a pointer to the C struct: write `len = |it| (*it).rows * (*it).columns`",
        );
    }
    if !field.is_array() && is_array && !setter {
        diagnostics.at(
            &field.place,
            "an array needs its length: add `len = the_field`, or `until = null`",
        );
    }
    if let Some((tag, _)) = &field.when
        && argument_of(value, "Option").is_none()
    {
        diagnostics.at(tag, "there is no value for other tags: return `Option<…>`");
    }
    if !setter {
        check_ownership(field, value, diagnostics);
    }
}

/// Checks what a method writes to a field.
fn check_written(method: &Method, field: &FieldAccess, diagnostics: &Diagnostics) {
    let Some(Parameter { name, ty }) = method.parameters.first() else {
        return;
    };
    let is_handle = match ParamKind::of(ty) {
        ParamKind::Value => return,
        ParamKind::Ref(_) | ParamKind::OptionRef(_) => !is_call_data(ty),
        _ => false,
    };
    if !is_handle || field.atomic.is_some() {
        diagnostics.at(
            name,
            "a field keeps its value after the call, so a reference cannot be written to it: write a number, or `&T` of \
             a part, or call a C function",
        );
    } else if !method.rust_only {
        diagnostics.at(
            name,
            "Python cannot say how long the part lives that a field gets: mark the method `#[rust_only]`, and write a \
             body that calls it",
        );
    }
}

/// Checks that the type of the result says who owns the object that the field points to.
fn check_ownership(field: &FieldAccess, value: &Type, diagnostics: &Diagnostics) {
    let is_owned = is_named(argument_of(value, "Option").unwrap_or(value), "Owned");
    if is_owned && field.retain.is_none() {
        diagnostics.at(
            value,
            "an object that a field points to belongs to the struct: return `Borrowed`, or add `retain` if the object is \
             reference counted",
        );
    }
}

/// Checks `atomic`.
pub(crate) fn check_atomic(field: &FieldAccess, diagnostics: &Diagnostics) {
    let Some(keyword) = &field.atomic else { return };
    if field.is_array() || field.when.is_some() || field.retain.is_some() || field.place.is_self() {
        diagnostics.at(
            keyword,
            "`atomic` is for a field that holds one number: remove the other arguments, or `atomic`",
        );
    }
}
