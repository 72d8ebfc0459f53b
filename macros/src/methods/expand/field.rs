//! The body of a method that reads or writes a field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::methods::ast::{FieldAccess, Method, Parameter, Receiver};
use crate::methods::expand::copies::{decoded, undecoded};
use crate::methods::expand::parents::is_guard;
use crate::methods::expand::sharing::type_before_retain;
use crate::methods::expand::variables::{lifetime_variable, site_variable};
use crate::span::respanned;
use crate::types::inspect::{argument_of, is_named};
use crate::types::lifetimes::with_inferred_lifetime;

pub(crate) fn expand_field(
    method: &Method,
    field: &FieldAccess,
    runtime: &TokenStream,
) -> TokenStream {
    // The author may have a parameter `raw`.
    let raw_pointer = Ident::new("raw", Span::mixed_site());
    let raw = quote!((*#raw_pointer));
    let exclusive = method.receiver == Receiver::Exclusive;
    // C's other threads find the field at any time.
    let used = match field.atomic {
        Some(_) => quote!(atomic_field),
        None => quote!(field),
    };
    let used = quote!(#runtime::__private::uses::#used(&*self, #exclusive));
    let used = match method.output.fallible {
        true => quote!(#used?),
        false => quote!(#runtime::__private::uses::granted(#used)),
    };
    // The use lasts until the value was copied.
    let uses = Ident::new("_uses", Span::mixed_site());
    let handle = quote!(let (#raw_pointer, #uses) = #used;);
    match &method.parameters[..] {
        [parameter] => {
            let write = expand_write(field, parameter, &raw, runtime);
            quote!({ #handle #write })
        }
        _ => {
            let read = expand_read(method, field, &raw_pointer, runtime);
            let read = quote!({ #handle #read });
            let read = decoded(method, read, &site_variable(), runtime);
            match method.output.fallible {
                true => quote!({ let __decoded = #read; ::core::result::Result::Ok(__decoded) }),
                false => read,
            }
        }
    }
}

/// Writes the value of `parameter` to the field.
fn expand_write(
    field: &FieldAccess,
    parameter: &Parameter,
    raw: &TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let (name, place) = (&parameter.name, field.place.within(raw));
    let value = quote!(#runtime::__private::from_c::written(#name));
    let value = respanned(value, parameter.ty.span());
    let passed = quote!(#runtime::__private::to_c::IntoC::into_c(value));
    let passed = respanned(passed, name.span());
    let write = match &field.atomic {
        None => quote! {
            // SAFETY: annotation `field`: the place may be written; guarantee 4: the handle is
            // borrowed exclusively.
            unsafe { #place = value }
        },
        Some(_) => {
            let store = quote!(#runtime::__private::atomic::Atomic::store(&raw mut #place, value));
            let store = respanned(store, field.place.span());
            quote! {
                // SAFETY: annotation `atomic`: the place may be written in one step while C reads
                // it; guarantee 3: the handle is borrowed, so valid.
                unsafe { #store }
            }
        }
    };
    quote! {
        let value = #value;
        let value = #passed;
        #write
    }
}

/// Reads the field, and makes the caller an owner if `retain` says so.
fn expand_read(
    method: &Method,
    field: &FieldAccess,
    raw_pointer: &Ident,
    runtime: &TokenStream,
) -> TokenStream {
    let raw = &quote!((*#raw_pointer));
    let written = match &field.retain {
        Some(_) => type_before_retain(&method.output.value, runtime),
        None => method.output.value.clone(),
    };
    let text = undecoded(method, &written, runtime);
    let value = text.as_ref().unwrap_or(&written);
    let value = &with_inferred_lifetime(value, runtime);
    let read = expand_converted(method, field, (value, raw_pointer), runtime);
    let read = quote! {
        // SAFETY: annotation `field`: the place may be read, and is what the type says; guarantee
        // 3: the handle is borrowed.
        unsafe { #read }
    };
    let read = match &field.retain {
        None => read,
        Some(keyword) => respanned(
            quote!(#runtime::__private::ref_counted::Retain::retain_now(#read)),
            keyword.span(),
        ),
    };
    let read = match is_guard(&written) {
        true => quote!({
            let lent = #read;
            // SAFETY: annotation `Borrowed`: what C lends is valid as long as the receiver.
            unsafe { #runtime::__private::call::record_lender(&*self, lent) }
        }),
        false => read,
    };
    match &field.when {
        None => read,
        Some((tag, values)) => {
            let tag = tag.within(raw);
            quote! {
                // SAFETY: annotation `field`: the tag may be read at any time; guarantee 3: the
                // handle is borrowed.
                match unsafe { #tag } {
                    #values => #read,
                    _ => ::core::option::Option::None,
                }
            }
        }
    }
}

/// The value of the field, converted to the type `value`.
fn expand_converted(
    method: &Method,
    field: &FieldAccess,
    (value, raw_pointer): (&Type, &Ident),
    runtime: &TokenStream,
) -> TokenStream {
    let raw = &quote!((*#raw_pointer));
    let life = lifetime_variable();
    match (&field.length, argument_of(value, "Vec")) {
        (Some(length), Some(element)) => {
            let start = field.place.within(raw);
            let start = respanned(
                quote!(#runtime::__private::from_c::Start::start(#start)),
                field.place.span(),
            );
            let count = length.within(raw);
            let count = respanned(
                quote!(#runtime::__private::from_c::Count::count(#count)),
                length.span(),
            );
            quote!(#runtime::__private::from_c::array::<_, #element>(#start, #count, #life))
        }
        _ if field.atomic.is_some() => {
            let place = field.place.within(raw);
            let read = quote!(#runtime::__private::atomic::Atomic::load(&raw mut #place));
            let read = respanned(read, field.place.span());
            quote_spanned! {value.span()=>
                #runtime::__private::call::expect_some(<#value as #runtime::__private::from_c::FromC<_>>::from_c_within(#read, #life))
            }
        }
        _ if !field.place.is_self() && is_text_result(&method.output.value) => {
            let place = field.place.within(raw);
            let text = argument_of(value, "Option").unwrap_or(value);
            respanned(
                quote!(#runtime::__private::from_c::text::<#text, _>(&raw const #place)),
                value.span(),
            )
        }
        _ => {
            let place = if field.place.is_self() {
                quote!(#raw_pointer.cast())
            } else {
                field.place.within(raw)
            };
            quote_spanned! {value.span()=>
                #runtime::__private::call::expect_some(<#value as #runtime::__private::from_c::FromC<_>>::from_c_within(#place, #life))
            }
        }
    }
}

/// Returns `true` for `Option<String>` and `Option<CString>`.
pub(crate) fn is_text_result(ty: &Type) -> bool {
    argument_of(ty, "Option").is_some_and(|ty| is_named(ty, "String") || is_named(ty, "CString"))
}
