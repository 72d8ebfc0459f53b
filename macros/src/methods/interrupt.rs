//! Interruptible calls of C: `interrupt = Handle::method`, and fields that are written meanwhile, `atomic`.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::Ident;
use syn::spanned::Spanned;

use super::model::{Calls, Field, Method, MethodsBlock, Receiver};
use super::types::{Taken, detached, written};
use crate::diagnostics::Diagnostics;
use crate::words::respanned;

/// The rules of a call that runs on a helper thread.
pub(super) fn check_interrupt(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let Some(path) = &calls.interrupt else { return };
    if method.receiver == Receiver::None {
        diagnostics.at(
            path,
            "`interrupt` is called on the handle of the call: take `&self` or `&mut self`",
        );
    }
    if !calls.detach {
        diagnostics.at(
            path,
            "signal handlers run while C works: add `detach`, by which the GIL is released meanwhile",
        );
    }
    if !method.output.fallible {
        diagnostics.at(
            path,
            "an interrupted call raises what the signal handler raised: return `Result<…>`",
        );
    }
    if let Some(callback) = method.callbacks(calls).first() {
        diagnostics.at(
            &callback.name,
            "C runs on a helper thread, where callbacks cannot: remove `interrupt`, and call `leakproof::check_signals` \
             in the callback",
        );
    }
    if let Some((place, _)) = calls.fields.first() {
        diagnostics.at(
            place,
            "`fields` are written by the thread that C runs on, beside the one that interrupts: write the field before the \
             call by a method of its own, with `#[field(…)]`",
        );
    }
}

/// The rules of a field that C reads meanwhile.
pub(super) fn check_atomic(field: &Field, diagnostics: &Diagnostics) {
    let Some(word) = &field.atomic else { return };
    if field.length.is_some()
        || field.when.is_some()
        || field.retain.is_some()
        || field.place.is_self()
    {
        diagnostics.at(
            word,
            "`atomic` is for a field that holds one number: remove the other words, or `atomic`",
        );
    }
}

/// The helper thread that C is called on, where `interrupt` says so.
pub(super) fn expand_interrupt(block: &MethodsBlock, calls: &Calls) -> Option<TokenStream> {
    let path = calls.interrupt.as_ref()?;
    let (runtime, handle) = (&block.runtime, &block.handle);
    let [wake, this] = ["wake", "this"].map(|name| Ident::new(name, Span::mixed_site()));
    let typed = respanned(quote!(let #wake: fn(&#handle) -> _ = #path;), path.span());
    Some(quote! {
        .interruptible({
            #typed
            let #this = &*self;
            let interrupt = move || {
                let _ = #wake(#this);
            };
            // SAFETY: annotation `interrupt`: C may run on another thread, and be interrupted so. Guarantee 22: what C gets
            // was evaluated before.
            unsafe { #runtime::aside::Aside::interrupted_by(interrupt) }
        })
    })
}

/// Refuses handles that the helper thread must not use.
pub(super) fn helper_check(block: &MethodsBlock, method: &Method, calls: &Calls) -> TokenStream {
    let Some(path) = &calls.interrupt else {
        return TokenStream::new();
    };
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let passed = method
        .parameters
        .iter()
        .filter_map(|parameter| match Taken::of(&parameter.ty) {
            Taken::Ref(target)
            | Taken::Mut(target)
            | Taken::OptionRef(target)
            | Taken::OptionMut(target)
            | Taken::Owned(target) => Some(detached(&target, receiver)),
            Taken::Python | Taken::Value => None,
        });
    let used = std::iter::once(receiver.clone()).chain(passed);
    let checks = used.map(|handle| {
        let name = written(&handle);
        let probe = quote!(#runtime::aside::Probe::<#handle>);
        let bound = format!(
            "a `{name}` belongs to its thread, and `interrupt` runs C on a helper thread: remove `interrupt`"
        );
        let counted = format!(
            "the borrow of a reference-counted `{name}` belongs to the thread of the call, and `interrupt` runs C on a \
             helper thread: remove `interrupt`"
        );
        quote! {
            ::core::assert!(!#probe::IS_THREAD_BOUND, #bound);
            ::core::assert!(!#probe::IS_COUNTED, #counted);
        }
    });
    let locks = "the thread of the call holds the library's lock of this handle, for which the helper thread of \
                 `interrupt` would wait for ever: remove `interrupt`";
    let checks = quote! {
        const _: () = {
            #[allow(unused_imports, reason = "for what is no handle")]
            use #runtime::aside::NoHandle as _;
            #(#checks)*
            ::core::assert!(!<#receiver as #runtime::handle::Handle>::LOCKS, #locks);
            #runtime::aside::errors_are_sent::<#receiver>();
        };
    };
    respanned(checks, path.span())
}
