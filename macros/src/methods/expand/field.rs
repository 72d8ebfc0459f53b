//! The body of a method that reads or writes a field.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{quote, quote_spanned};
use syn::Type;
use syn::spanned::Spanned;

use crate::field_path::FieldPath;
use crate::length::{Length, expand_computed};
use crate::methods::ast::{FieldAccess, Method, MethodsBlock, Parameter, Receiver};
use crate::methods::expand::copies::{decoded, undecoded};
use crate::methods::expand::parents::is_guard;
use crate::methods::expand::sharing::type_before_retain;
use crate::methods::expand::site::method_name;
use crate::methods::expand::variables::{lifetime_variable, site_variable};
use crate::span::respanned;
use crate::types::inspect::{argument_of, is_named};
use crate::types::lifetimes::with_inferred_lifetime;
use crate::types::param_kind::ParamKind;

pub(crate) fn expand_field(
    block: &MethodsBlock,
    method: &Method,
    field: &FieldAccess,
) -> TokenStream {
    let runtime = &block.runtime;
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
    let checks = expand_direct_checks(block, field);
    let handle = quote!(#checks let (#raw_pointer, #uses) = #used;);
    match &method.parameters[..] {
        [parameter] => {
            let write = expand_write(field, parameter, &raw, runtime);
            quote!({ #handle #write })
        }
        _ => {
            let read = expand_read(block, method, field, &raw_pointer);
            let read = quote!({ #handle #read });
            let read = decoded(method, read, &site_variable(), runtime);
            match method.output.fallible {
                true => quote!({ let __decoded = #read; ::core::result::Result::Ok(__decoded) }),
                false => read,
            }
        }
    }
}

/// The checks that none of the author's code runs on the way to the places.
fn expand_direct_checks(block: &MethodsBlock, field: &FieldAccess) -> TokenStream {
    let (runtime, handle) = (&block.runtime, &block.handle);
    let length = match &field.length {
        Some(Length::Of(place)) => Some(place),
        _ => None,
    };
    let tag = field.when.as_ref().map(|(tag, _)| tag);
    let places = [Some(&field.place), length, tag].into_iter().flatten();
    let raw = quote!(<#handle as #runtime::__private::handle::Handle>::Raw);
    FieldPath::expand_direct_check(places, &raw, runtime)
}

/// Writes the value of `parameter` to the field.
fn expand_write(
    field: &FieldAccess,
    parameter: &Parameter,
    raw: &TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let (name, place) = (&parameter.name, field.place.within(raw));
    if let ParamKind::Ref(target) | ParamKind::OptionRef(target) = ParamKind::of(&parameter.ty) {
        let moves = quote!(<#target as #runtime::__private::handle::Handle>::SPEC.is_tree_part());
        let check = quote! {
            const _: () = ::core::assert!(
                !#moves,
                "a part of a tree moves, so no setter links it: call the C function that does"
            );
        };
        let check = respanned(check, parameter.ty.span());
        let part = quote!(#runtime::__private::from_c::written_part(&*self, &#name));
        let part = respanned(part, parameter.ty.span());
        return quote! {
            #check
            let part = #part;
            // SAFETY: annotation `field`: the place may be written, and the part is valid as long as the place has it;
            // guarantee 4: the handle is borrowed exclusively.
            unsafe { #place = part }
        };
    }
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
    block: &MethodsBlock,
    method: &Method,
    field: &FieldAccess,
    raw_pointer: &Ident,
) -> TokenStream {
    let runtime = &block.runtime;
    let raw = &quote!((*#raw_pointer));
    let written = match &field.retain {
        Some(_) => type_before_retain(&method.output.value, runtime),
        None => method.output.value.clone(),
    };
    let text = undecoded(method, &written, runtime);
    let value = text.as_ref().unwrap_or(&written);
    let value = &with_inferred_lifetime(value, runtime);
    let name = method_name(block, method);
    let count = expand_count(method, field, raw_pointer, &name, runtime);
    let is_text = is_text_result(&method.output.value);
    let read = expand_converted(field, (value, raw_pointer), is_text, runtime);
    let read = quote! {
        #count
        // SAFETY: annotation `field`: the place may be read, and is what the type says; guarantee
        // 3: the handle is borrowed.
        unsafe { #read }
    };
    let read = match method.reads_required(field) {
        true => {
            let required = quote!(#runtime::__private::from_c::required(#name, { #read }));
            or_panic(method, &required, runtime)
        }
        false => {
            let inner = argument_of(value, "Option").unwrap_or(value);
            match argument_of(inner, "Vec") {
                Some(_) => quote!({ #read }),
                None => quote!(#runtime::__private::call::expect_some({ #read })),
            }
        }
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

/// The value of `result`, which the method returns if it can.
fn or_panic(method: &Method, result: &TokenStream, runtime: &TokenStream) -> TokenStream {
    match method.output.fallible {
        true => quote!(#result?),
        false => quote!(#runtime::__private::uses::granted(#result)),
    }
}

/// The variable that holds the number of elements.
fn count_variable() -> Ident {
    Ident::new("__count", Span::mixed_site())
}

/// Declares the number of elements of the array.
fn expand_count(
    method: &Method,
    field: &FieldAccess,
    raw_pointer: &Ident,
    name: &str,
    runtime: &TokenStream,
) -> Option<TokenStream> {
    let variable = count_variable();
    let raw = quote!((*#raw_pointer));
    if let Some(until) = &field.until {
        let count = expand_start(field, &raw, runtime);
        let count = quote!(#runtime::__private::from_c::until_null(#count));
        let count = respanned(count, until.span());
        return Some(quote! {
            // SAFETY: annotation `until`: all elements up to the first NULL or 0 may be read; guarantee 3: the handle
            // is borrowed.
            let #variable = unsafe { #count };
        });
    }
    Some(match field.length.as_ref()? {
        Length::Of(place) => {
            let count = place.within(&raw);
            let count = respanned(
                quote!(#runtime::__private::from_c::Count::count(#count)),
                place.span(),
            );
            quote! {
                // SAFETY: annotation `len`: the place may be read; guarantee 3: the handle is borrowed.
                let #variable = unsafe { #count };
            }
        }
        Length::Computed(expression) => {
            let pointer = quote!(#raw_pointer.cast_const());
            let size = expand_computed(expression, &[pointer], runtime);
            let count = quote!(#runtime::__private::size::measure(#size, #name));
            let count = or_panic(method, &count, runtime);
            quote!(let #variable = #count;)
        }
    })
}

/// The pointer to the first element of the array.
fn expand_start(field: &FieldAccess, raw: &TokenStream, runtime: &TokenStream) -> TokenStream {
    let start = field.place.within(raw);
    respanned(
        quote!(#runtime::__private::from_c::Start::start(#start)),
        field.place.span(),
    )
}

/// The value of the field, converted to the type `value`: an array, or the `Option` of any other value.
fn expand_converted(
    field: &FieldAccess,
    (value, raw_pointer): (&Type, &Ident),
    is_text: bool,
    runtime: &TokenStream,
) -> TokenStream {
    let raw = &quote!((*#raw_pointer));
    let life = lifetime_variable();
    let optional = argument_of(value, "Option");
    match (
        field.is_array(),
        argument_of(optional.unwrap_or(value), "Vec"),
    ) {
        (true, array) => {
            let count = count_variable();
            let start = expand_start(field, raw, runtime);
            match (array, optional) {
                (Some(element), Some(_)) => {
                    quote!(#runtime::__private::from_c::optional_array::<_, #element>(#start, #count, #life))
                }
                (Some(element), None) => {
                    quote!(#runtime::__private::from_c::array::<_, #element>(#start, #count, #life))
                }
                (None, _) => quote_spanned! {value.span()=>
                    <#value as #runtime::__private::from_c::FromMemory<_>>::from_memory_within(#start, #count, #life)
                },
            }
        }
        _ if field.atomic.is_some() => {
            let place = field.place.within(raw);
            let read = quote!(#runtime::__private::atomic::Atomic::load(&raw mut #place));
            let read = respanned(read, field.place.span());
            quote_spanned! {value.span()=>
                <#value as #runtime::__private::from_c::FromC<_>>::from_c_within(#read, #life)
            }
        }
        _ if !field.place.is_self() && is_text => {
            let place = field.place.within(raw);
            let text = optional.unwrap_or(value);
            let text = quote!(#runtime::__private::from_c::text::<#text, _>(&raw const #place));
            let text = match optional {
                Some(_) => quote!(::core::option::Option::Some(#text)),
                None => text,
            };
            respanned(text, value.span())
        }
        _ => {
            let place = if field.place.is_self() {
                quote!(#raw_pointer.cast())
            } else {
                field.place.within(raw)
            };
            quote_spanned! {value.span()=>
                <#value as #runtime::__private::from_c::FromC<_>>::from_c_within(#place, #life)
            }
        }
    }
}

/// Returns `true` for `String` and `CString`, also in an `Option`.
fn is_text_result(ty: &Type) -> bool {
    let ty = argument_of(ty, "Option").unwrap_or(ty);
    is_named(ty, "String") || is_named(ty, "CString")
}
