//! The end of a call: the test of its status, and the owners of arguments and out-parameters after
//! it.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;

use crate::methods::ast::{Calls, Consumes, Method, MethodsBlock, OnFailure, Parameter, Receiver};
use crate::methods::expand::buffer::expand_test;
use crate::methods::expand::parents::result_keeps_arguments;
use crate::methods::expand::variables::{
    callback_variable, details_variable, out_variable, place_variable, transfer_variable,
    unplaced_variable,
};
use crate::span::respanned;
use crate::status::StatusTest;
use crate::types::inspect::{argument_of, is_call_data, is_named, type_name};
use crate::types::param_kind::ParamKind;

/// Expands the tests of the status that C returned, if there are any.
pub(crate) fn expand_status(
    method: &Method,
    calls: &Calls,
    runtime: &TokenStream,
) -> Option<TokenStream> {
    if calls.fails.is_none() && calls.none.is_none() {
        return None;
    }
    let tests = [(&calls.none, "is_nothing"), (&calls.fails, "has_failed")];
    let [none, fails] = tests.map(|(says, answer)| {
        let says = match says {
            None => return quote!(|_| false),
            Some(says) => expand_test(calls, says.expand(runtime), answer),
        };
        match method.paired_length(calls) {
            None => says,
            Some(_) => {
                let ret = Ident::new("ret", Span::mixed_site());
                quote!(|(#ret, _)| (#says)(#ret))
            }
        }
    });
    let is_authors = |says: &Option<StatusTest>| matches!(says, Some(StatusTest::When(_)));
    let with = match is_authors(&calls.none) || is_authors(&calls.fails) {
        true => quote!(with_conditions),
        false => quote!(with_status),
    };
    Some(quote!(.#with(#none, #fails)))
}

/// Expands the closure that runs once the status is known: it decides who owns the consumed
/// handles, the callbacks and the out-parameters.
pub(crate) fn expand_settling(
    method: &Method,
    calls: &Calls,
    runtime: &TokenStream,
) -> Option<TokenStream> {
    let left = method.output.fallible && calls.consumes == Some(Consumes::OnSuccess);
    let unplaced = unplaced_variable();
    let keeper = match result_keeps_arguments(method) {
        true => quote!(#runtime::__private::handle::Keeper::Result(&#unplaced)),
        false => {
            quote!(#runtime::__private::handle::Keeper::Handle(#runtime::__private::children::Id::of(&*self)))
        }
    };
    let consumed = method.consumed().map(|Parameter { name, .. }| {
        let (passed_on, place) = (transfer_variable(name), place_variable(name));
        quote! {
            // SAFETY: annotation `consumes`: C has the handle from the call on, unless the outcome
            // says that C left it.
            let slot = unsafe { #runtime::__private::call::TransferSlot::after_call(#place) };
            #passed_on = #runtime::__private::call::commit_transfer(slot, __outcome, #left, #keeper);
        }
    });
    let left = method.output.fallible && calls.consumes != Some(Consumes::Always);
    let stored = method
        .stored(calls)
        .into_iter()
        .map(|Parameter { name, .. }| {
            let state = callback_variable(name);
            quote!((&#state).record_outcome(__outcome, #left);)
        });
    let out_params = (0..method.out_count(calls)).map(|n| {
        let slot = out_variable(n);
        quote!((&#slot).record_outcome(__outcome);)
    });
    let details = (0..method.details_count(calls)).map(|n| {
        let slot = details_variable(n);
        quote!((&#slot).record_outcome(__outcome);)
    });
    let recorded: Vec<TokenStream> = consumed
        .chain(stored)
        .chain(out_params)
        .chain(details)
        .collect();
    (!recorded.is_empty()).then(|| quote!(.on_outcome(|__outcome| { #(#recorded)* })))
}

/// Expands when the result is read although the call did not succeed. After a failure it is read
/// only to be released.
pub(crate) fn expand_result_policy(
    method: &Method,
    calls: &Calls,
    runtime: &TokenStream,
) -> TokenStream {
    let failed = match calls.on_failure {
        Some(OnFailure::Owned) => true,
        Some(_) => false,
        // A failing call has left nothing in the memory that has to be released.
        None => method.out_count(calls) == 0 && calls.buffer.is_none(),
    };
    let unknown = failed && calls.none.is_none();
    quote!(#runtime::__private::call::ConvertAfter::of(#failed, #unknown))
}

/// Declares the holder of each callback, for the call or for as long as `scope` says, and of each handle that C keeps.
pub(crate) fn expand_callback_holders(
    method: &Method,
    calls: &Calls,
    runtime: &TokenStream,
) -> TokenStream {
    let callbacks = method.callbacks(calls);
    let handles = expand_handles(method, &callbacks, runtime);
    let states = callbacks.iter().map(|Parameter { name, ty }| {
        let state = callback_variable(name);
        let keep = match ParamKind::of(ty) {
            ParamKind::Ref(_) => quote! {
                let #state = #runtime::__private::callback::borrow(#name, #runtime::__handles!(#(#handles),*));
            },
            _ => {
                let scope = expand_scope(method, calls, name, runtime);
                let store = quote! {
                    #runtime::__private::callback::store(&*self, #scope, #name)
                };
                let store = respanned(store, ty.span());
                quote! {
                    // SAFETY: annotation `scope`: C keeps the callback for as long, and the call
                    // tells how it ended.
                    let #state = unsafe { #store };
                }
            }
        };
        respanned(keep, ty.span())
    });
    let kept = method.kept_handles(calls);
    let kept = kept.into_iter().map(|Parameter { name, ty }| {
        let state = callback_variable(name);
        let scope = expand_scope(method, calls, name, runtime);
        let handle = match ParamKind::of(ty) {
            ParamKind::Owned(_) => quote!(::core::option::Option::Some(#name)),
            _ => quote!(#name),
        };
        let keep = quote!(#runtime::__private::kept_handle::keep(&*self, #scope, #handle));
        let keep = respanned(keep, ty.span());
        quote! {
            // SAFETY: annotation `scope`: C keeps the handle for as long, and the call tells how it ended. The checks
            // of the method refuse types that cannot be kept.
            let #state = unsafe { #keep };
        }
    });
    states.chain(kept).collect()
}

/// Expands the handles that nothing uses beside an `exclusive` callback of the call: the receiver, or where there is
/// none the arguments.
fn expand_handles(
    method: &Method,
    callbacks: &[&Parameter],
    runtime: &TokenStream,
) -> Vec<TokenStream> {
    if method.receiver != Receiver::None {
        return vec![quote!(::core::option::Option::Some(&*self))];
    }
    let is_callback = |name: &Ident| callbacks.iter().any(|callback| callback.name == *name);
    let parameters = method.parameters.iter();
    let handles = parameters.filter(|one| !is_callback(&one.name) && !is_call_data(&one.ty));
    let handle = |Parameter { name, ty }: &Parameter| match ParamKind::of(ty) {
        ParamKind::Ref(_) | ParamKind::Mut(_) => {
            Some(quote!(::core::option::Option::Some(&*#name)))
        }
        ParamKind::OptionRef(_) | ParamKind::OptionMut(_) => {
            Some(quote!(#runtime::__private::shape::optional(&#name)))
        }
        _ => None,
    };
    handles.filter_map(handle).collect()
}

/// Expands the time for which C keeps the parameter.
fn expand_scope(
    method: &Method,
    calls: &Calls,
    name: &Ident,
    runtime: &TokenStream,
) -> TokenStream {
    let place = format!("{}.{name}", method.signature.ident);
    let written = calls.scope.as_ref().map(ToString::to_string);
    let scope = match written.as_deref() {
        Some("notified") => quote!(Notified),
        Some("until_replaced") => quote!(UntilReplaced(#place)),
        _ => quote!(Forever),
    };
    quote!(#runtime::__private::attachment::Scope::#scope)
}

/// Returns `Some` if a constructor returns `Owned<Self>`, with `true` if in an `Option`.
pub(crate) fn constructs_receiver(block: &MethodsBlock, method: &Method) -> Option<bool> {
    let value = &method.output.value;
    let optional = argument_of(value, "Option");
    let made = argument_of(optional.unwrap_or(value), "Owned")?;
    let itself = is_named(made, "Self") || type_name(made) == type_name(&block.handle);
    (method.receiver == Receiver::None && itself).then_some(optional.is_some())
}
