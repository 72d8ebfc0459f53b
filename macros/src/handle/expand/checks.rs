//! Rules that only rustc can check, because they depend on annotations of other handle types. They
//! expand to assertions at compile time.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;

use crate::handle::model::{Handle, Ownership};
use crate::span::respanned;
use crate::types::inspect::type_name;

/// Implements `AsksHandle`. Refuses a detached release that changes a handle which other calls'
/// errors ask.
pub(crate) fn expand_asks_handle(handle: &Handle) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let asks = handle.asks_for_errors().then(|| {
        quote! {
            // SAFETY: guarantee 23: `SPEC.asks` says so, too, so that detached calls are checked.
            unsafe impl #runtime::__private::asks_handle::AsksHandle for #ident {}
        }
    });
    let release = match &handle.ownership {
        Ownership::Resource {
            release: Some(release),
            ..
        } if release.detach => release,
        _ => return quote!(#asks),
    };
    let fallible = release.fails.is_some();
    let message = format!(
        "a detached release of a `{ident}` runs beside calls of other threads on the handle that \
         the `{ident}` lives in, and this handle is asked for the errors of those calls: add \
         `lock(of = …, enter = …, leave = …)` to the annotation of this handle, or remove \
         `detach`"
    );
    let check = quote! {
        const _: () = ::core::assert!(
            <#ident as #runtime::__private::handle::Handle>::SPEC.release_is_one_step(#fallible),
            #message
        );
    };
    let check = respanned(check, release.function.span());
    quote!(#asks #check)
}

/// Refuses `fork_safe` on a handle whose parent is not fork-safe.
pub(crate) fn expand_fork_check(handle: &Handle) -> Option<TokenStream> {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let Ownership::Resource {
        parent: Some(_), ..
    } = handle.ownership
    else {
        return None;
    };
    let keyword = handle.fork_safe.as_ref()?;
    let message = format!(
        "the release of a `{ident}` uses its parent, which is bound to its process: remove \
         `fork_safe`, or add it to the parent, if the parent holds no file, lock, socket or \
         thread either"
    );
    let check = quote! {
        ::core::assert!(<#ident as #runtime::__private::handle::Handle>::SPEC.lives_in_memory(), #message)
    };
    let check = respanned(check, keyword.span());
    Some(quote!(const _: () = #check;))
}

/// Refuses an `until_mut` part of an owner that is not annotated with `lends`, or that has counted owners.
pub(crate) fn expand_lending_owner_check(handle: &Handle) -> Option<TokenStream> {
    let Ownership::Part {
        owner,
        until_mut: true,
        ..
    } = &handle.ownership
    else {
        return None;
    };
    let runtime = &handle.runtime;
    let message = format!(
        "`{owner}` lends this part until its next `&mut` use: add `lends` to the annotation of \
         `{owner}`, so that each handle that lives in it says whether it changes what is lent",
        owner = type_name(owner),
    );
    let counted = format!(
        "another owner of the reference-counted `{owner}` may use it by `&mut` and end this part: remove `until_mut`, and copy \
         what a call of the `{owner}` returns, or give the part a `retain` and a `release` of its own",
        owner = type_name(owner),
    );
    let check = quote! {
        const _: () = {
            ::core::assert!(<#owner as #runtime::__private::handle::Handle>::SPEC.lends_memory(), #message);
            ::core::assert!(!<#owner as #runtime::__private::handle::Handle>::SPEC.is_counted(), #counted);
        };
    };
    Some(respanned(check, owner.span()))
}

/// Refuses `lends` and `until_mut` of a handle that lives in the owner of a tree: what is lent is in use while the tree
/// changes.
pub(crate) fn expand_lending_in_tree_check(handle: &Handle) -> Option<TokenStream> {
    let keyword = handle.sharing.lends.as_ref()?;
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let message = format!(
        "a `{ident}` lives in the owner of a tree, which may change while memory of the `{ident}` is lent: remove `lends`, \
         and return copies"
    );
    let check = quote! {
        const _: () = ::core::assert!(
            !<#ident as #runtime::__private::handle::Handle>::SPEC.lives_in_tree_owner(),
            #message
        );
    };
    Some(respanned(check, keyword.span()))
}
