//! Methods that give C memory to fill: `buffer = N`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use crate::methods::ast::{BufferLength, Calls, Method};
use crate::methods::expand::variables::{
    attempt_variable, buffer_variable, capacity_variable, details_variable, out_variable,
    result_variable, site_variable,
};
use crate::span::respanned;

/// Declares the memory. The expression for its size is a constant.
pub(crate) fn expand_buffer(calls: &Calls, runtime: &TokenStream) -> Option<TokenStream> {
    let (_, size) = calls.buffer.as_ref()?;
    let (buffer, site) = (buffer_variable(), site_variable());
    let size = respanned(
        quote!({ const __CAPACITY: usize = #size; __CAPACITY }),
        size.span(),
    );
    Some(quote!(let #buffer = #runtime::__private::call::Buffer::new(#site, #size)?;))
}

/// Repeats `call` until the memory is large enough.
pub(crate) fn expand_attempts(
    method: &Method,
    calls: &Calls,
    call: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let Some(length) = method.buffer_length(calls) else {
        return call;
    };
    let (buffer, attempt, capacity) = (buffer_variable(), attempt_variable(), capacity_variable());
    let own = |name| Ident::new(name, Span::mixed_site());
    let (returned, is_too_small) = (own("__returned"), own("__is_too_small"));
    let size = (length == BufferLength::Written)
        .then(|| quote!(let mut #capacity = (&mut #attempt).capacity();));
    let too_small = calls.too_small.as_ref().map(|(_, test)| {
        let test = test.expand(runtime);
        quote!(#runtime::__private::call::ask(#returned, || #test))
    });
    let says = match (too_small, length) {
        (None, BufferLength::Written) => quote!(::core::option::Option::None),
        (None, _) => quote!(false),
        (Some(says), BufferLength::Written) => quote!(::core::option::Option::Some(#says)),
        (Some(says), _) => says,
    };
    let tests = [(&calls.none, "is_nothing"), (&calls.fails, "has_failed")];
    let ends = tests.into_iter().filter_map(|(test, answer)| {
        let (test, answer) = (test.as_ref()?.expand(runtime), own(answer));
        Some(quote!(|| (&#buffer).#answer(#returned, || #test)))
    });
    let has_ended = quote!(|| false #(#ends)*);
    let is_repeated = match length {
        BufferLength::Written => {
            quote!(is_repeated_after_writing(#capacity, #is_too_small, #has_ended))
        }
        BufferLength::Returned => {
            quote!(is_repeated_after_returning(#returned, #is_too_small, #has_ended))
        }
        BufferLength::Text => quote!(is_repeated_after_text(#is_too_small, #has_ended)),
    };
    // Each call of C finds zeros, and what the last one leaves is the result.
    let written = (0..method.out_count(calls)).map(out_variable);
    let written = written.chain((0..method.details_count(calls)).map(details_variable));
    let cleared = written.map(|slot| quote!((&#slot).clear();));
    let explains = method.has_details_in_length(calls).then(|| {
        let slot = details_variable(0);
        quote!((&#slot).set(#capacity);)
    });
    let is_repeated = respanned(quote!(#attempt.#is_repeated), calls.function.span());
    quote! {
        loop {
            let mut #attempt = (&#buffer).attempt();
            #size
            #(#cleared)*
            let #returned = #call;
            #explains
            let #is_too_small = #says;
            if !#is_repeated {
                break #returned;
            }
        }
    }
}

/// Wraps `says`, the test `none` or `fails`, which may have been asked already: the buffer keeps the `answer`.
pub(crate) fn expand_test(calls: &Calls, says: TokenStream, answer: &str) -> TokenStream {
    if calls.buffer.is_none() {
        return says;
    }
    let [ret, answer] = ["ret", answer].map(|name| Ident::new(name, Span::mixed_site()));
    let buffer = buffer_variable();
    quote!(|#ret| (&#buffer).#answer(#ret, || #says))
}

/// Makes the error of the memory the error of the call.
pub(crate) fn expand_buffer_error(calls: &Calls) -> Option<TokenStream> {
    calls.buffer.as_ref()?;
    let (buffer, result) = (buffer_variable(), result_variable());
    Some(quote!(let #result = (&#buffer).check(#result);))
}
