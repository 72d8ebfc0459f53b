//! The result of a call. It moves into its owner right after the call, from the return value or
//! from out-parameters.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::length::{Length, expand_computed};
use crate::methods::ast::{Calls, Method};
use crate::methods::expand::copies::undecoded;
use crate::methods::expand::moving::made_part;
use crate::methods::expand::sharing::type_before_retain;
use crate::methods::expand::variables::{
    buffer_variable, free_variable, length_error_variable, lifetime_variable, out_length_variable,
    out_variable, result_variable,
};
use crate::span::respanned;
use crate::text::contains_string;
use crate::types::inspect::{argument_of, is_named, is_slice_ref};
use crate::types::lifetimes::with_inferred_lifetime;

/// Returns `true` if the result is copied from memory of C: bytes, an array, or a string with a
/// length.
pub(crate) fn is_copied_memory(method: &Method, calls: &Calls) -> bool {
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    let counted = calls.length.is_some() || calls.until.is_some() || calls.free.is_some();
    // A struct that C writes to `out` contains its length.
    let written = method.out_count(calls) > 0;
    (is_named(value, "Bytes") || is_slice_ref(value)) && !written
        || argument_of(value, "Vec").is_some()
        || counted
        || calls.buffer.is_some()
        || method.out_length(calls).is_some()
}

/// Returns `true` for strings that are copied: `CString` or `String`.
pub(crate) fn is_copied_text(ty: &Type) -> bool {
    let ty = argument_of(ty, "Option").unwrap_or(ty);
    contains_string(ty) || is_named(ty, "CString")
}

/// Returns `true` for bytes that are copied from a `byte_slice!` struct, which C writes to `out`.
fn is_copied_slice(ty: &Type) -> bool {
    is_named(argument_of(ty, "Option").unwrap_or(ty), "Bytes")
}

/// The pointer to memory that C returned, checked against the arguments that say who frees it:
/// `free`, `borrowed`, or the `const` of its C type.
pub(crate) fn expand_memory_source(
    method: &Method,
    calls: &Calls,
    start: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let written = &method.output.value;
    let value = argument_of(written, "Option").unwrap_or(written);
    let checked = match (&calls.free, &calls.owned) {
        (Some(_), Some(_)) => quote!(#runtime::__private::from_c::transferred(#start)),
        (Some(_), None) => quote!(#runtime::__private::from_c::freeable(#start)),
        (None, _) if calls.borrowed.is_some() || is_slice_ref(value) => start,
        (None, _) => quote!(#runtime::__private::from_c::constant(#start)),
    };
    respanned(checked, written.span())
}

/// Declares the slots of the out-parameters.
pub(crate) fn expand_out_params(
    method: &Method,
    calls: &Calls,
    runtime: &TokenStream,
) -> TokenStream {
    let length = method.out_length(calls).map(|span| {
        let slot = out_length_variable();
        let new = respanned(quote!(#runtime::__private::out_param::raw()), span);
        quote!(let #slot = #new;)
    });
    let types = method.out_types(calls).unwrap_or_default();
    let memory = is_copied_memory(method, calls);
    let slots = types.iter().enumerate().map(|(n, written)| {
        let slot = out_variable(n);
        let checked = calls.borrowed.is_none();
        let text = undecoded(method, written, runtime);
        let ty = text.as_ref().unwrap_or(written);
        let (ty, life) = (with_inferred_lifetime(ty, runtime), lifetime_variable());
        let new = match memory {
            _ if calls.buffer.is_some() => {
                quote!(#runtime::__private::out_param::repeated_out_param::<#ty, _>(#life))
            }
            true => quote!(#runtime::__private::out_param::raw()),
            false if checked && is_copied_text(written) => {
                quote!(#runtime::__private::out_param::constant_out_param::<#ty, _>(#life))
            }
            false if checked && is_copied_slice(written) => {
                quote!(#runtime::__private::out_param::slice_out_param::<#ty, _>(#life))
            }
            false => quote!(#runtime::__private::out_param::out_param::<#ty, _>(#life)),
        };
        let new = respanned(new, ty.span());
        quote!(let #slot = #new;)
    });
    quote!(#length #(#slots)*)
}

/// The closure that moves what C returned into its owner. It returns `None` if C returned NULL.
pub(crate) fn expand_into_owner(
    method: &Method,
    calls: &Calls,
    runtime: &TokenStream,
) -> TokenStream {
    if calls.buffer.is_some() {
        return expand_filled_results(method, calls, runtime);
    }
    let written = match &calls.retain {
        Some(_) => type_before_retain(&method.output.value, runtime),
        None => method.output.value.clone(),
    };
    let text = undecoded(method, &written, runtime);
    let value = text.as_ref().unwrap_or(&written);
    let (value, life) = (with_inferred_lifetime(value, runtime), lifetime_variable());
    if is_copied_memory(method, calls) {
        return expand_memory(method, calls, &value, runtime);
    }
    let out_params = method.out_count(calls);
    if out_params > 0 {
        return expand_take_out_params(method, out_params);
    }
    // The return type says who owns the returned object.
    let ret = match (&calls.owned, is_copied_text(&written)) {
        (Some(_), _) => quote!(#runtime::__private::from_c::transferred(ret)),
        (None, true) => expand_memory_source(method, calls, quote!(ret), runtime),
        (None, false) => quote!(ret),
    };
    let ret = respanned(ret, value.span());
    let converted = quote_spanned!(value.span()=> #runtime::__from_c!(unsafe #value, #ret, #life));
    let converted = match &calls.retain {
        Some(keyword) => {
            let retain = respanned(
                quote!(#runtime::__private::ref_counted::Retain::retain_now),
                keyword.span(),
            );
            quote!(#converted.map(#retain))
        }
        None => converted,
    };
    let converted = match made_part(method) {
        Some(_) => quote!(#converted.map(#runtime::__private::tree::RegisterNew::register)),
        None => converted,
    };
    quote!(|ret| #converted)
}

pub(crate) fn expand_take_out_params(method: &Method, out_params: usize) -> TokenStream {
    let slots: Vec<Ident> = (0..out_params).map(out_variable).collect();
    let value = match &slots[..] {
        [slot] => quote!(#slot),
        _ => quote!(::core::option::Option::Some((#(#slots?),*))),
    };
    let optional = out_params > 1 && argument_of(&method.output.value, "Option").is_some();
    let value = match optional {
        false => value,
        true => quote!(::core::option::Option::Some(#value)),
    };
    // All values are moved into their owners before one is tested, so that none leaks if another is
    // missing.
    quote! {
        |_| {
            // SAFETY: annotation `out`: C has returned, and wrote what the return type says, or
            // nothing; guarantee 1: it gets its owner here.
            #(let #slots = unsafe { (&#slots).take() };)*
            #value
        }
    }
}

/// The closure that copies memory: it moves memory that has to be freed into an owner first, then
/// measures it.
pub(crate) fn expand_memory(
    method: &Method,
    calls: &Calls,
    value: &Type,
    runtime: &TokenStream,
) -> TokenStream {
    let (returns, life) = (quote!(#runtime::__private::from_c), lifetime_variable());
    // The author's expression stands beside these, and outside of `unsafe`.
    let own = |name: &str| Ident::new(name, Span::mixed_site());
    let (ret, memory, count, length) = (own("ret"), own("memory"), own("count"), own("length"));
    let start = match method.out_count(calls) {
        0 => quote!(#ret),
        _ => {
            let slot = out_variable(0);
            quote!(#runtime::__private::call::expect_some((&#slot).take()))
        }
    };
    let start = expand_memory_source(method, calls, respanned(start, value.span()), runtime);
    let source = match &calls.free {
        None => quote!(#returns::LentMemory(#returns::Start::start(#start))),
        Some(_) => {
            let free = free_variable();
            quote!(#returns::FreedMemory::new(#start, |pointer| #free(pointer.cast())))
        }
    };
    let written = || {
        let slot = out_length_variable();
        let written = quote!(#runtime::__private::call::expect_some((&#slot).take()));
        quote!({
            // SAFETY: annotation `out`: C has returned, and wrote the length, or nothing.
            unsafe { #written }
        })
    };
    let paired = method.paired_length(calls);
    let measured = if let Some(of) = paired {
        // The memory has an owner by now, which frees it if the length is missing.
        respanned(quote!(#returns::Count::count(#length?)), of.span())
    } else if let Some(Length::Computed(expression)) = &calls.length {
        let values: Vec<TokenStream> = match method.out_length(calls) {
            Some(_) => vec![length.to_token_stream()],
            None => Vec::new(),
        };
        let size = expand_computed(expression, &values, runtime);
        let size = expand_measured_in_owner(method, calls, size, runtime);
        match method.out_length(calls) {
            Some(_) => {
                let written = written();
                quote!({
                    let #length = #written;
                    #size
                })
            }
            None => size,
        }
    } else if let Some(until) = &calls.until {
        let measured = respanned(
            quote!(#returns::until_null((&#memory).start())),
            until.span(),
        );
        quote!({
            // SAFETY: annotation `until`: all elements up to the first NULL or 0 may be read.
            unsafe { #measured }
        })
    } else if let Some(span) = method.out_length(calls) {
        let written = written();
        respanned(quote!(#returns::Count::count(#written)), span)
    } else {
        quote!({
            // SAFETY: annotation `String`: the text ends with NUL.
            unsafe { #returns::length_of_text((&#memory).start()) }
        })
    };
    let copy = quote! {
        <#value as #returns::FromMemory<_>>::from_memory_within((&#memory).start(), #count, #life)
    };
    let copy = respanned(copy, value.span());
    let returned = match paired {
        Some(_) if method.out_count(calls) > 0 => quote!((_, #length)),
        Some(_) => quote!((#ret, #length)),
        None if method.out_count(calls) > 0 => quote!(_),
        None => ret.to_token_stream(),
    };
    quote! {
        |#returned| {
            // SAFETY: annotation `out`: C has returned, and wrote what the return type says, or nothing. annotation
            // `free`: the memory is freed once.
            let #memory = unsafe { #source };
            let #count = #measured;
            // SAFETY: annotation `len`: C just gave the memory, and `len`, `until` or its own end says how much may be
            // read.
            unsafe { #copy }
        }
    }
}

/// The closure that copies what C has filled, and takes the other results of a call with `buffer`.
fn expand_filled_results(method: &Method, calls: &Calls, runtime: &TokenStream) -> TokenStream {
    let Some(results) = method.filled_results(calls) else {
        return quote!(|_| ::core::option::Option::None);
    };
    let (returns, life, buffer) = (
        quote!(#runtime::__private::from_c),
        lifetime_variable(),
        buffer_variable(),
    );
    let own = |name: &str| Ident::new(name, Span::mixed_site());
    let (ret, memory, count, filled) = (own("ret"), own("memory"), own("count"), own("filled"));
    let text = undecoded(method, results.filled, runtime);
    let ty = text.as_ref().unwrap_or(results.filled);
    let start = respanned(quote!((&#buffer).start()), ty.span());
    let measured = expand_filled(method, calls, runtime);
    let copy = quote! {
        <#ty as #returns::FromMemory<_>>::from_memory_within(#memory, #count, #life)
    };
    let copy = respanned(copy, ty.span());
    let copy = quote! {
        let #memory = #start;
        let #count = #measured;
        // SAFETY: annotation `buffer`: C has filled so much of the memory; guarantee 27: it is still there, and all of
        // it is initialized.
        let #filled = unsafe { #copy };
    };
    if results.returned.is_none() && results.outs.is_empty() {
        return quote!(|_| { #copy #filled });
    }
    let returned = results.returned.map(|ty| {
        let value = quote!(#runtime::__private::from_c::plain::<#ty, _>(#ret));
        respanned(value, ty.span())
    });
    let slots: Vec<Ident> = (0..results.outs.len()).map(out_variable).collect();
    let (before, after) = slots.split_at(results.outs_before);
    let values = returned.into_iter();
    let values = values.chain(before.iter().map(|slot| quote!(#slot?)));
    let values = values.chain([quote!(#filled?)]);
    let values = values.chain(after.iter().map(|slot| quote!(#slot?)));
    let tuple = quote!(::core::option::Option::Some((#(#values),*)));
    let tuple = match argument_of(&method.output.value, "Option") {
        Some(_) => quote!(::core::option::Option::Some(#tuple)),
        None => tuple,
    };
    let taken = (!slots.is_empty()).then(|| {
        quote! {
            // SAFETY: annotation `out`: C has returned, and wrote what the return type says, or nothing.
            #(let #slots = unsafe { (&#slots).take() };)*
        }
    });
    let ret = match results.returned {
        Some(_) => quote!(#ret),
        None => quote!(_),
    };
    quote!(|#ret| { #copy #taken #tuple })
}

/// The number of bytes in the result, within the closure that moves the result into its owner.
fn expand_filled(method: &Method, calls: &Calls, runtime: &TokenStream) -> TokenStream {
    let buffer = buffer_variable();
    match &calls.length {
        Some(Length::Computed(expression)) => {
            let size = expand_computed(expression, &[quote!((&#buffer).filled())], runtime);
            let measured = expand_measured_in_owner(method, calls, size, runtime);
            quote!((&#buffer).limit(#measured))
        }
        _ => quote!((&#buffer).limit((&#buffer).filled())),
    }
}

/// The name of the memory in the error of its length.
fn measured_name(calls: &Calls) -> String {
    let function = calls.function.segments.last();
    function.map_or_else(String::new, |function| {
        format!("the result of {}", function.ident)
    })
}

/// The length that `size` computes, where the panic of an overflow is caught.
pub(crate) fn expand_measured(
    method: &Method,
    calls: &Calls,
    size: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let name = measured_name(calls);
    let measure = match method.output.fallible {
        true => quote!(measure_or_raise),
        false => quote!(measure_or_panic),
    };
    quote!(#runtime::__private::size::#measure(#size, #name))
}

/// The length that `size` computes, within the closure that moves the result into its owner. The error of an overflow
/// is kept until the call has ended.
fn expand_measured_in_owner(
    method: &Method,
    calls: &Calls,
    size: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    if !method.output.fallible {
        return expand_measured(method, calls, size, runtime);
    }
    let (name, variable) = (measured_name(calls), length_error_variable());
    quote! {
        match #runtime::__private::size::measure(#size, #name) {
            ::core::result::Result::Ok(count) => count,
            ::core::result::Result::Err(error) => {
                (&#variable).set(::core::option::Option::Some(error));
                return ::core::option::Option::None;
            }
        }
    }
}

/// Declares the variable for the error of a length that is computed where the result gets its owner. Expands to the
/// statement that makes it the error of the call, too.
pub(crate) fn expand_length_error(
    method: &Method,
    calls: &Calls,
    runtime: &TokenStream,
) -> Option<(TokenStream, TokenStream)> {
    let is_computed = matches!(calls.length, Some(Length::Computed(_)));
    if !is_computed || !method.output.fallible || method.paired_length(calls).is_some() {
        return None;
    }
    let (variable, result) = (length_error_variable(), result_variable());
    Some((
        quote!(let #variable = ::core::cell::Cell::new(::core::option::Option::<#runtime::Error>::None);),
        quote! {
            let #result = match (&#variable).take() {
                ::core::option::Option::Some(error) => ::core::result::Result::Err(error),
                ::core::option::Option::None => #result,
            };
        },
    ))
}
