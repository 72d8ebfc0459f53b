//! Parameters in which C explains a failure: `details = …`.

use proc_macro2::{Ident, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use crate::methods::ast::{Calls, Method};
use crate::methods::expand::result::is_copied_text;
use crate::methods::expand::variables::{
    details_life_variable, details_variable, free_details_variable,
};
use crate::span::respanned;
use crate::text::{Utf8, decode, with_undecoded_text};
use crate::types::lifetimes::with_inferred_lifetime;

/// Declares the slots of the parameters, and expands to the setting of the call that reads them.
pub(crate) fn expand_details(
    method: &Method,
    calls: &Calls,
    site: &Ident,
    runtime: &TokenStream,
) -> (TokenStream, Option<TokenStream>) {
    let count = match method.has_details_in_length(calls) {
        true => 1,
        false => method.details_count(calls),
    };
    let Some((details, types)) = calls
        .details
        .as_ref()
        .and_then(|details| Some((details, details.types(count)?)))
    else {
        return (TokenStream::new(), None);
    };
    let out_param = quote!(#runtime::__private::out_param);
    // A handle that lives in another one would have to end before this method does.
    let here = details_life_variable();
    let life = quote!(#runtime::__private::lifetime::Life::of(&#here));
    let slots = types.iter().enumerate().map(|(n, written)| {
        let slot = details_variable(n);
        let undecoded = with_undecoded_text(written, runtime);
        let ty = with_inferred_lifetime(undecoded.as_ref().unwrap_or(written), runtime);
        let new = match (&details.free, is_copied_text(written)) {
            _ if calls.buffer.is_some() => {
                quote!(#out_param::repeated_details::<#ty, _>(#life))
            }
            (Some(_), _) => quote!(#out_param::raw()),
            (None, true) => quote!(#out_param::constant_details::<#ty, _>(#life)),
            (None, false) => quote!(#out_param::details::<#ty, _>(#life)),
        };
        let new = respanned(new, written.span());
        quote!(let #slot = #new;)
    });
    let slots = quote!(let #here = (); #(#slots)*);
    let variables: Vec<Ident> = (0..count).map(details_variable).collect();
    let ty = &details.ty;
    let undecoded = with_undecoded_text(ty, runtime);
    let undecoded = undecoded.as_ref().unwrap_or(ty);
    let decoded = decode(ty, quote!(written), Utf8::Lossy, site, runtime);
    let read = match (&details.free, &variables[..]) {
        (Some(free), [slot]) => {
            let (returns, variable) =
                (quote!(#runtime::__private::from_c), free_details_variable());
            let start =
                quote!(#returns::freeable(#runtime::__private::call::expect_some((&#slot).take())));
            let start = respanned(start, free.span());
            let copy = quote!(<#undecoded as #returns::FromMemory<_>>::from_memory_within((&memory).start(), length, #life));
            let copy = respanned(copy, ty.span());
            quote! {
                // SAFETY: annotation `details`: C wrote text that ends with NUL and that `free` frees, or nothing.
                unsafe {
                    let memory = #returns::FreedMemory::new(#start, |pointer| #variable(pointer.cast()));
                    let length = #returns::length_of_text((&memory).start());
                    #copy
                }
            }
        }
        (_, variables) => {
            let value = match variables {
                [slot] => quote!(#slot),
                _ => quote!(::core::option::Option::Some((#(#variables?),*))),
            };
            // All of them get their owners before one is tested.
            quote! {{
                // SAFETY: annotation `details`: C has returned, and wrote what the type says, or nothing.
                #(let #variables = unsafe { (&#variables).take() };)*
                #value
            }}
        }
    };
    let read = quote! {
        .with_details(|| match #read {
            ::core::option::Option::Some(written) => ::core::option::Option::Some(#decoded),
            ::core::option::Option::None => ::core::option::Option::None,
        })
    };
    (slots, Some(respanned(read, ty.span())))
}
