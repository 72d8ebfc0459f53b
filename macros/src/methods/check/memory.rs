//! Rules for memory and strings that C returns: their length, and who frees them.

use syn::Type;

use crate::diagnostics::Diagnostics;
use crate::length::{Length, check_steps};
use crate::methods::ast::{Calls, Method};
use crate::types::inspect::{argument_of, is_named, is_slice_ref};

/// Checks that copied memory has a length.
pub(crate) fn check_memory(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    let text = is_named(value, "String") || is_named(value, "CString");
    let array = argument_of(value, "Vec").is_some();
    let lent = is_slice_ref(value);
    let bytes = is_named(value, "Bytes") || lent;
    let out_length = method.out_length(calls);
    if let (Some(free), false) = (&calls.free, (text || array || bytes) && !lent) {
        let message = match value {
            Type::Tuple(_) => {
                "`free` frees the one result of a call, and a tuple has several: return the memory alone, by a method of \
                 its own"
            }
            _ => {
                "`free` frees memory that was copied: return `String`, `CString`, `Bytes` or a `Vec`"
            }
        };
        diagnostics.at(free, message);
    }
    if let (Some(length), false) = (&calls.length, bytes || array || is_named(value, "String")) {
        diagnostics.at(
            length,
            "`len = …` is the length of returned memory: return `Bytes`, `String` or a `Vec`, or \
             an `Option` of it",
        );
    }
    if let (Some(span), false) = (out_length, bytes || array || is_named(value, "String")) {
        diagnostics.add(syn::Error::new(
            span,
            "`len` in `args` is the length of returned memory: return `Bytes`, `String` or a \
             `Vec`, or an `Option` of it",
        ));
    }
    if let (Some(until), false) = (&calls.until, array) {
        diagnostics.at(until, "`until` is the end of an array: return a `Vec`");
    }
    if let Some(Length::Computed(expression)) = &calls.length {
        check_steps(expression, diagnostics);
    }
    let closure = calls.length.as_ref().and_then(Length::closure);
    // A closure computes the length of what C writes to `len`.
    let converts = closure.is_some() && out_length.is_some();
    let ways = [
        calls.length.is_some() && !converts,
        calls.until.is_some(),
        out_length.is_some(),
    ];
    match ways.into_iter().filter(|way| *way).count() {
        0 if bytes && method.out_count(calls) > 0 && calls.free.is_none() => {}
        0 if bytes && method.out_count(calls) > 0 => diagnostics.at(
            value,
            "`free` frees memory whose length C writes to `len` in `args`. If C writes a struct with a pointer and a \
             length, make the struct a handle: `#[handle(caller_allocates = T, release = f)]`, return `Owned<…>`, and \
             read the memory by `#[field(…)]`",
        ),
        0 if bytes => diagnostics.at(
            value,
            "memory needs a length: add `len = ffi::the_function`, which gets the same arguments, \
             or pass `len` in `args` where C writes the length",
        ),
        0 if array => diagnostics.at(
            value,
            "an array needs its length: add `len = ffi::the_function`, `until = null`, or pass \
             `len` in `args` where C writes the length",
        ),
        0 | 1 => {}
        _ => diagnostics.at(
            &calls.function,
            "a length has one source: keep one of `len = …`, `until = null`, and `len` in `args`; a length in another unit is \
             `len` in `args` and a closure, `len = |n| n * 4`",
        ),
    }
    if let (Some(closure), Some(span)) = (closure, out_length)
        && closure.inputs.len() != 1
    {
        diagnostics.add(syn::Error::new(
            span,
            "the closure of `len` gets what C writes to `len` in `args`: write `len = |n| …`",
        ));
    }
    let count = method.c_arguments(calls).len() - method.out_count(calls);
    if let (Some(closure), None) = (closure, out_length)
        && closure.inputs.len() != count
    {
        let without = match method.out_count(calls) {
            0 => "",
            _ => " without `out`",
        };
        diagnostics.at(
            closure,
            format!(
                "the closure of `len` gets the arguments of the C function{without}, which are {count}: write a parameter \
                 for each, or `_`"
            ),
        );
    }
}

/// Checks `free`, `borrowed` and `owned`, which say together who frees the returned memory.
pub(crate) fn check_owner(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    let copied = |ty: &Type| {
        let ty = argument_of(ty, "Option").unwrap_or(ty);
        let text = is_named(ty, "String") || is_named(ty, "CString");
        text || is_named(ty, "Bytes") || argument_of(ty, "Vec").is_some()
    };
    let is_copied = match value {
        Type::Tuple(tuple) => tuple.elems.iter().any(copied),
        value => copied(value),
    };
    if let (Some(borrowed), Some(_)) = (&calls.borrowed, &calls.free) {
        diagnostics.at(
            borrowed,
            "memory is freed by C or by the caller: keep one of `borrowed` and `free`",
        );
    } else if let (Some(borrowed), false) = (&calls.borrowed, is_copied) {
        diagnostics.at(
            borrowed,
            "`borrowed` is for a copy of memory that still belongs to C: return `String`, \
             `CString`, `Bytes` or a `Vec`, or remove `borrowed`",
        );
    }
    let Some(owned) = &calls.owned else {
        return;
    };
    let is_given = is_named(value, "Owned") && method.out_count(calls) == 0;
    if calls.retain.is_some() {
        diagnostics.at(
            owned,
            "`retain` makes the caller an owner of a handle that C lends: remove `owned`",
        );
    } else if !is_given && calls.free.is_none() {
        diagnostics.at(
            owned,
            "`owned` is for a `const` result that the caller has to release or free: return \
             `Owned<…>`, add `free = …`, or remove `owned`",
        );
    }
}
