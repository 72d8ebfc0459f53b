//! Methods that give C memory to fill: `buffer = N`.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use crate::methods::ast::{BufferLength, Calls, Method};
use crate::methods::expand::variables::{
    attempt_variable, buffer_variable, capacity_variable, site_variable,
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
    let (returned, is_too_small, ret) = (own("__returned"), own("__is_too_small"), own("ret"));
    let size =
        (length == BufferLength::Written).then(|| quote!(let mut #capacity = #attempt.capacity();));
    let says = match &calls.too_small {
        None if length == BufferLength::Written => quote!(::core::option::Option::None),
        None => quote!(false),
        Some((_, test)) => {
            let test = test.expand(runtime);
            let says =
                quote!(#runtime::__private::call::is_too_small(#returned, |#ret| (#test)(#ret)));
            match length {
                BufferLength::Written => quote!(::core::option::Option::Some(#says)),
                _ => says,
            }
        }
    };
    let is_repeated = match length {
        BufferLength::Written => quote!(is_repeated_after_writing(#capacity, #is_too_small)),
        BufferLength::Returned => quote!(is_repeated_after_returning(#returned, #is_too_small)),
        BufferLength::Text => quote!(is_repeated_after_text(#is_too_small)),
    };
    let is_repeated = respanned(quote!(#attempt.#is_repeated), calls.function.span());
    quote! {
        loop {
            let mut #attempt = #buffer.attempt();
            #size
            let #returned = #call;
            let #is_too_small = #says;
            if !#is_repeated {
                break #returned;
            }
        }
    }
}

/// Makes the error of the memory the error of the call.
pub(crate) fn expand_buffer_error(calls: &Calls) -> Option<TokenStream> {
    calls.buffer.as_ref()?;
    let buffer = buffer_variable();
    Some(quote!(let __result = #buffer.check(__result);))
}
