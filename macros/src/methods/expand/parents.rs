//! Registers the parents of the handles that a call makes.

use proc_macro2::TokenStream;
use quote::quote;
use syn::{Index, Type};

use crate::methods::ast::{Calls, Method, Parameter, Receiver};
use crate::methods::expand::variables::unplaced_variable;
use crate::types::inspect::{argument_of, borrowed_handles, is_call_data};
use crate::types::param_kind::ParamKind;

/// Wraps `own`, so that the parents of the handles that it makes are registered.
pub(crate) fn expand_with_parent(
    method: &Method,
    calls: &Calls,
    own: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let optional = argument_of(&method.output.value, "Option");
    let value = optional.unwrap_or(&method.output.value);
    let handle = |name| quote!(#runtime::__private::children::Id::of(#name));
    let extra_parents: Vec<_> = match method.receiver {
        Receiver::None => Vec::new(),
        _ => method
            .parents(calls)
            .map(|(name, _)| handle(name))
            .collect(),
    };
    let unplaced = unplaced_variable();
    let origin = match method.receiver {
        Receiver::None
            if borrowed_handles(&method.output.value).is_empty()
                && !result_keeps_arguments(method) =>
        {
            return own;
        }
        Receiver::None => {
            let given = result_keeps_arguments(method).then(|| quote!(.keeping(&#unplaced)));
            let lenders = lenders(method, calls, runtime);
            quote! {
                // SAFETY: annotation `Borrowed`: what C lends is valid as long as each handle among the arguments.
                unsafe { #runtime::__private::call::CallOrigin::without_receiver() }.lent_by(&[#(#lenders),*]) #given
            }
        }
        _ => {
            let extra_parents =
                (!extra_parents.is_empty()).then(|| quote!(.extra_parents(&[#(#extra_parents),*])));
            let receiver = quote! {
                // SAFETY: annotation `calls`: C makes the result in the receiver; guarantee 16:
                // `check_place` compared the types.
                unsafe { #runtime::__private::call::CallOrigin::by(&*self) }
            };
            quote!(#receiver #extra_parents)
        }
    };
    let Type::Tuple(tuple) = value else {
        return match is_guard(value) {
            true => quote!(#runtime::__private::call::then_record_parents(#origin, #own)),
            false => own,
        };
    };
    let handles = tuple.elems.iter().enumerate();
    let handles = handles.filter(|(_, element)| is_guard(element));
    let notes: Vec<_> = handles
        .map(|(index, _)| {
            let index = Index::from(index);
            quote!(born(&made.#index);)
        })
        .collect();
    if notes.is_empty() {
        return own;
    }
    let notes = match optional {
        None => quote!(|made, born| { #(#notes)* }),
        Some(_) => {
            quote!(|made, born| if let ::core::option::Option::Some(made) = made { #(#notes)* })
        }
    };
    quote!(#runtime::__private::call::then_record_parents_in(#origin, #own, #notes))
}

/// Wraps `own` for a call with `gives_back`: what C keeps in its results goes with these alone.
pub(crate) fn expand_gives_back(
    calls: &Calls,
    own: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    match &calls.gives_back {
        None => own,
        Some(_) => quote! {
            // SAFETY: annotation `gives_back`: C had the results before the call, and keeps nothing of them.
            unsafe { #runtime::__private::call::then_give_back(#own) }
        },
    }
}

/// The identities of the parameters that a borrowed result of a method without receiver lives in: `None` for an
/// optional one that is not there.
fn lenders(method: &Method, calls: &Calls, runtime: &TokenStream) -> Vec<TokenStream> {
    if borrowed_handles(&method.output.value).is_empty() {
        return Vec::new();
    }
    let callbacks = method.callbacks(calls);
    let handles = method.parameters.iter().filter(|Parameter { name, ty }| {
        !is_call_data(ty) && callbacks.iter().all(|other| other.name != *name)
    });
    let ids = handles.filter_map(|Parameter { name, ty }| match ParamKind::of(ty) {
        ParamKind::Ref(_) | ParamKind::Mut(_) => Some(quote! {
            ::core::option::Option::Some(#runtime::__private::children::Id::of(&*#name))
        }),
        ParamKind::OptionRef(_) | ParamKind::OptionMut(_) => Some(quote! {
            #runtime::__private::shape::optional(&#name).map(#runtime::__private::children::Id::of)
        }),
        ParamKind::Owned(_) | ParamKind::OptionOwned(_) | ParamKind::Python | ParamKind::Value => {
            None
        }
    });
    ids.collect()
}

/// Returns `true` if C keeps the consumed handles inside the handles that the call makes.
pub(crate) fn result_keeps_arguments(method: &Method) -> bool {
    method.receiver == Receiver::None && method.consumed().next().is_some()
}

/// Returns `true` for `Owned<…>` and `Borrowed<…>`, and for an `Option` or `Vec` of these.
pub(crate) fn is_guard(ty: &Type) -> bool {
    let inner = argument_of(ty, "Option").or_else(|| argument_of(ty, "Vec"));
    let itself = || {
        ["Owned", "Borrowed"]
            .iter()
            .any(|name| argument_of(ty, name).is_some())
    };
    inner.map_or_else(itself, is_guard)
}
