//! Rules for memory that C gets to fill: `buffer = N`.

use proc_macro2::Span;
use quote::ToTokens;
use syn::Expr;

use crate::diagnostics::Diagnostics;
use crate::length::check_steps;
use crate::methods::ast::{BufferLength, Calls, Method};
use crate::methods::c_args::{CArg, span_of};
use crate::types::inspect::{argument_of, is_named};

/// Checks `buffer`, `too_small` and the parts of the buffer in `args`.
pub(crate) fn check_buffer(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let arguments = method.c_arguments(calls);
    let parts = |wanted: fn(&CArg<'_>) -> bool| -> Vec<Span> {
        let found = arguments.iter().filter(|argument| wanted(argument));
        found.map(span_of).collect()
    };
    let starts = parts(|argument| matches!(argument, CArg::BufferStart(_)));
    let sizes = parts(|argument| matches!(argument, CArg::BufferSize(_) | CArg::BufferLength(_)));
    let Some((keyword, _)) = &calls.buffer else {
        if let Some(span) = starts.iter().chain(&sizes).next() {
            diagnostics.add(syn::Error::new(
                *span,
                "the memory that C fills has a size: add `buffer = 256`, the number of bytes at first",
            ));
        }
        if let Some((too_small, _)) = &calls.too_small {
            diagnostics.at(
                too_small,
                "`too_small` says that the memory of `buffer` is too small: add `buffer = 256`",
            );
        }
        return;
    };
    if starts.len() != 1 || sizes.len() != 1 {
        diagnostics.at(
            keyword,
            "C gets the memory and its size, once each: write `args = (self, buffer.ptr, buffer.len)`, or `&mut buffer.len` \
             where C replaces the size by the number of bytes that it has filled",
        );
    }
    if !method.output.fallible {
        diagnostics.at(
            keyword,
            "there may be no memory for the buffer: return `Result<…>`",
        );
    }
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    let is_text = is_named(value, "String") || is_named(value, "CString");
    if !is_text && !is_named(value, "Bytes") {
        diagnostics.at(
            &method.output.value,
            "the result is what C has filled: return `Bytes`, `String`, `CString` or an `Option` of it",
        );
    }
    check_length(method, calls, keyword, diagnostics);
    check_others(method, calls, diagnostics);
}

/// Checks that the number of bytes has one source.
fn check_length(method: &Method, calls: &Calls, keyword: &syn::Ident, diagnostics: &Diagnostics) {
    let is_written = method.buffer_length(calls) == Some(BufferLength::Written);
    match (&calls.length, &calls.until) {
        (None, None) if !is_written => diagnostics.at(
            keyword,
            "nothing says how much C has filled: add `len = |n| n` where C returns the number of bytes, `until = null` \
             where it writes a text, or pass `&mut buffer.len` where it writes the number",
        ),
        (Some(_), Some(until)) => diagnostics.at(
            until,
            "a length has one source: keep one of `len` and `until = null`",
        ),
        (None, Some(until)) if is_written => diagnostics.at(
            until,
            "a length has one source: keep one of `&mut buffer.len` and `until = null`",
        ),
        _ => {}
    }
    let Some(length) = &calls.length else { return };
    match length.closure() {
        Some(closure) if closure.inputs.len() == 1 => {
            check_steps(&Expr::Closure(closure.clone()), diagnostics);
        }
        _ => diagnostics.at(
            length,
            "beside `buffer`, `len` is a closure of the number that C returned or wrote: write `len = |n| n`",
        ),
    }
}

/// Refuses words that make no sense for a call that C may get several times.
fn check_others(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let free = calls
        .free
        .as_ref()
        .map(|free| (free.to_token_stream(), "free"));
    let fields = calls
        .fields
        .first()
        .map(|(place, _)| (place.to_token_stream(), "fields"));
    let flags = [
        (&calls.borrowed, "borrowed"),
        (&calls.owned, "owned"),
        (&calls.retain, "retain"),
        (&calls.gives_back, "gives_back"),
    ];
    let flags = flags
        .into_iter()
        .filter_map(|(flag, name)| Some((flag.to_token_stream(), name)).filter(|_| flag.is_some()));
    let interrupt = calls
        .interrupt
        .as_ref()
        .map(|path| (path.to_token_stream(), "interrupt"));
    for (place, name) in free.into_iter().chain(fields).chain(flags).chain(interrupt) {
        let message = format!("`{name}` and `buffer` exclude each other: remove one of them");
        diagnostics.at(place, message);
    }
    for argument in method.c_arguments(calls) {
        let name = match argument {
            CArg::Out(..) => "out",
            CArg::OutLength(_) => "len",
            CArg::Details(..) => "details",
            _ => continue,
        };
        let message = format!(
            "C may be called again with more memory, so `{name}` cannot stand beside `buffer`"
        );
        diagnostics.add(syn::Error::new(span_of(&argument), message));
    }
    let kept = method.stored(calls).into_iter().chain(method.consumed());
    for parameter in kept {
        diagnostics.at(
            &parameter.ty,
            "C may be called again with more memory, so it cannot get what it keeps: take it by reference",
        );
    }
}
