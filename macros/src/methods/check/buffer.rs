//! Rules for memory that C gets to fill: `buffer = N`.

use proc_macro2::Span;
use quote::ToTokens;
use syn::{Expr, Type};

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
    check_filled(method, calls, diagnostics);
    check_details_of_buffer(method, calls, diagnostics);
    check_length(method, calls, keyword, diagnostics);
    check_others(method, calls, diagnostics);
}

/// Checks that the result is what C has filled, perhaps in a tuple.
fn check_filled(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let value = &method.output.value;
    let Some(results) = method.filled_results(calls) else {
        let outs = match method.out_count(calls) {
            0 => String::new(),
            1 => ", and what it writes to `out`".to_owned(),
            count => format!(", and what it writes to the {count} `out`"),
        };
        diagnostics.at(
            value,
            format!(
                "the results of a call with `buffer` are what C has filled{outs}, in the order of `args`: return these \
                 alone, or a tuple that begins with the value that C returns, such as `(i32, Bytes)`"
            ),
        );
        return;
    };
    let is_tuple = results.returned.is_some() || !results.outs.is_empty();
    let filled = match argument_of(results.filled, "Option") {
        Some(filled) if !is_tuple => filled,
        _ => results.filled,
    };
    let is_text = is_named(filled, "String") || is_named(filled, "CString");
    if !is_text && !is_named(filled, "Bytes") {
        let message = match is_tuple {
            false => {
                "the result is what C has filled: return `Bytes`, `String`, `CString` or an `Option` of it, or a tuple \
                 with the value that C returns, such as `(i32, Bytes)`"
            }
            true => {
                "this is what C has filled: write `Bytes`, `String` or `CString`; the other results stand in the order \
                 of `args`, and the value that C returns stands first"
            }
        };
        diagnostics.at(results.filled, message);
    }
    if let (Some(_), true, None) = (argument_of(value, "Option"), is_tuple, &calls.none) {
        diagnostics.at(
            value,
            "C fills the memory unless it fails: remove the `Option`, or add `none = …` where there may be no result",
        );
    }
    for ty in results.returned.iter().chain(&results.outs) {
        if !may_be_number(ty) {
            diagnostics.at(
                ty,
                "C may be called again with more memory, so what stands beside the memory is nothing that has to be copied or \
                 released: return a number, a `bool`, an enum, flags or a record",
            );
        }
    }
}

/// Returns `false` for types that are made from pointers. Other names for them are found by their traits.
fn may_be_number(ty: &Type) -> bool {
    const POINTERS: &[&str] = &[
        "Owned", "Borrowed", "String", "CString", "Bytes", "Vec", "Option",
    ];
    !matches!(ty, Type::Reference(_)) && !POINTERS.iter().any(|name| is_named(ty, name))
}

/// Checks that what explains a failure may be written several times.
fn check_details_of_buffer(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let Some(details) = &calls.details else {
        return;
    };
    let count = method.details_count(calls).max(1);
    let types = details.types(count).unwrap_or_default();
    let is_released = details.free.is_some();
    if let Some(ty) = types
        .into_iter()
        .find(|ty| is_released || !may_be_number(ty))
    {
        diagnostics.at(
            ty,
            "C may be called again with more memory, so the details are nothing that has to be copied or released: write a \
             number, a record or `TextBuffer<N>`",
        );
    }
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
        if let CArg::OutLength(span) = argument {
            diagnostics.add(syn::Error::new(
                span,
                "`len` is the length of memory of C's: write `buffer.len`, the size of the memory that C fills, or \
                 `&mut buffer.len`",
            ));
        }
    }
    let kept = method.stored(calls).into_iter().chain(method.consumed());
    for parameter in kept {
        diagnostics.at(
            &parameter.ty,
            "C may be called again with more memory, so it cannot get what it keeps: take it by reference",
        );
    }
}
