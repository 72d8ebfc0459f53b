//! The tokens of memory that C passes to a callback: its length, its conversion, and what C gets of memory that it asks
//! to be filled.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote};
use syn::Type;
use syn::spanned::Spanned;

use crate::callbacks::ast::{CallbackCArg, CallbackMethod};
use crate::length::expand_size;
use crate::span::respanned;
use crate::types::inspect::argument_of;

/// Expands to the function that evaluates `len`, and two statements: one that keeps the arguments before anything has
/// their names, and one that calls the function with them.
pub(crate) fn expand_length(
    callback: &CallbackMethod,
    (pattern, variables): (&TokenStream, &[Ident]),
    runtime: &TokenStream,
) -> (TokenStream, TokenStream, TokenStream) {
    let (Some(length), Some((name, _))) = (&callback.length, callback.unmeasured().next()) else {
        return (quote!(), quote!(), quote!());
    };
    let (kept, find, variable) = (own("__arguments"), find_length(), length_variable());
    let text = name.to_string();
    let checked = respanned(quote!(#runtime::__private::callback::length), length.span());
    let length = expand_size(length, &ToTokens::to_token_stream, runtime);
    let function = quote! {
        // A function, so that the author's expression sees nothing but the arguments.
        #[allow(unused_variables, non_snake_case, reason = "the length need not depend on all arguments")]
        fn #find(#pattern: #runtime::__private::callback::Arguments<__Callback>) -> #runtime::Result<::core::primitive::usize> {
            #checked(#runtime::__private::size::computed(|| #length), #text)
        }
    };
    let keep = quote! {
        let #kept: #runtime::__private::callback::Arguments<__Callback> = (#(#variables,)*);
    };
    (function, keep, quote!(let #variable = #find(#kept)?;))
}

/// The function that evaluates `len`.
fn find_length() -> Ident {
    own("__find_length")
}

/// A name that the author cannot write.
fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

/// The variable that holds the value of `len`.
fn length_variable() -> Ident {
    own("__length")
}

/// The variable that holds the memory of the `OutBuffer` `name`.
fn memory_variable(name: &Ident) -> Ident {
    format_ident!("__memory_of_{}", name, span = Span::mixed_site())
}

/// The variable with the function that makes C's number of bytes of the `OutBuffer` `name`.
fn written_variable(name: &Ident) -> Ident {
    format_ident!("__written_to_{}", name, span = Span::mixed_site())
}

/// The variables with the pointer and the length of the memory `name`.
fn place<'a>(
    callback: &CallbackMethod,
    variables: &'a [Ident],
    name: &Ident,
) -> (Option<&'a Ident>, Option<&'a Ident>) {
    let at = |wanted: &dyn Fn(&CallbackCArg) -> bool| {
        let index = callback.arguments.iter().position(wanted)?;
        variables.get(index)
    };
    (
        at(&|argument| matches!(argument, CallbackCArg::Start(other, _) if other == name)),
        at(&|argument| matches!(argument, CallbackCArg::Length(other, _) if other == name)),
    )
}

/// The value that is read from memory of C's; `None` if the parameter is no memory.
pub(crate) fn expand_read(
    callback: &CallbackMethod,
    variables: &[Ident],
    (name, ty): (&Ident, &Type),
    runtime: &TokenStream,
) -> Option<TokenStream> {
    let (start, length) = place(callback, variables, name);
    let start = start?;
    let returns = quote!(#runtime::__private::from_c);
    let count = match (length, &callback.length) {
        (Some(length), _) => quote!(#returns::Count::count(#length)),
        (None, Some(_)) => {
            let variable = length_variable();
            quote!(#variable)
        }
        (None, None) => quote!(#returns::until_null(#returns::Start::start(#start))),
    };
    let life = own("life");
    Some(quote! {
        <#ty as #returns::FromMemory<_>>::from_memory_within(#returns::Start::start(#start), #count, #life)
    })
}

/// Expands to the variables of an `OutBuffer` and of its memory.
pub(crate) fn expand_filled(
    callback: &CallbackMethod,
    variables: &[Ident],
    (name, ty): (&Ident, &Type),
    runtime: &TokenStream,
) -> TokenStream {
    let (start, length) = place(callback, variables, name);
    let (memory, text) = (memory_variable(name), name.to_string());
    let callbacks = quote!(#runtime::__private::callback);
    let length = match length {
        Some(length) => quote!(#callbacks::length(#length, #text)?),
        None => {
            let variable = length_variable();
            quote!(#variable)
        }
    };
    let start = respanned(quote!(#callbacks::OutStart::start(#start)), ty.span());
    let buffer = match argument_of(ty, "Option") {
        Some(_) => quote!((&mut #memory).optional()),
        None => quote!(#callbacks::passed((&mut #memory).buffer(), #text)?),
    };
    let (pointer, count) = (own("__start"), own("__count"));
    let counted = callback.value().is_none().then(|| {
        let check = quote!(counted_as::<#runtime::__private::callback::Return<__Callback>>);
        let check = respanned(check, callback.function.span());
        let written = written_variable(name);
        quote!(let #written = (&#memory).#check(#text)?;)
    });
    quote! {
        let (#pointer, #count) = (#start, #length);
        // SAFETY: annotation `callback`: C passed it, and asks to fill so many bytes there until the callback returns.
        let mut #memory = unsafe { #callbacks::OutMemory::new(#pointer, #count) };
        #counted
        let #name = #buffer;
    }
}

/// The value for C of a method that returns nothing.
pub(crate) fn expand_count(callback: &CallbackMethod) -> TokenStream {
    match callback.filled().next() {
        Some((name, _)) => {
            let memory = memory_variable(name);
            let written = written_variable(name);
            quote!(#written(#memory))
        }
        None => quote!(::core::default::Default::default()),
    }
}

/// Expands to the statement before C gets a value that does not say how much of its memory was filled.
pub(crate) fn expand_rest(callback: &CallbackMethod) -> Option<TokenStream> {
    let (name, _) = callback.filled().next()?;
    let memory = memory_variable(name);
    Some(quote!(#memory.zero_rest();))
}

/// Expands to the statement before C is told of an error: C may read its memory all the same, above all where it gets
/// no value that could stop it.
pub(crate) fn expand_zeros(
    callback: &CallbackMethod,
    variables: &[Ident],
    runtime: &TokenStream,
) -> Option<TokenStream> {
    let (name, ty) = callback.filled().next()?;
    let (start, length) = place(callback, variables, name);
    let text = name.to_string();
    let callbacks = quote!(#runtime::__private::callback);
    let length = match length {
        Some(length) => quote!(#callbacks::length(#length, #text)),
        None => {
            let find = find_length();
            quote!(#find((#(#variables,)*)))
        }
    };
    let start = respanned(quote!(#callbacks::OutStart::start(#start)), ty.span());
    Some(quote! {
        // SAFETY: annotation `callback`: C passed it, and asks to fill so many bytes there until the callback returns.
        unsafe { #callbacks::OutMemory::zero(#start, #callbacks::zeros(|| #length)) };
    })
}
