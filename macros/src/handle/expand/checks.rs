//! Rules that only rustc can check, because they depend on the annotations of other handle types: assertions at compile time.

use crate::handle::model::{Handle, Ownership};
use crate::span::respanned;
use crate::types::inspect::type_name;
use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;

/// Says that the errors ask the handle; and refuses, while compiling, a detached release that changes what others ask for.
pub(crate) fn expand_asks_handle(handle: &Handle, asks: bool) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let asks = asks.then(|| {
        quote! {
            // SAFETY: guarantee 23: `LINEAGE.asks` says so, too, so that detached calls are checked.
            unsafe impl #runtime::asking::AsksHandle for #ident {}
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
        "a detached release of a `{ident}` runs beside other threads' calls on the handle that the `{ident}` lives in, whose \
         errors ask that handle what went wrong: add `lock(of = …, enter = …, leave = …)` where that is annotated, or \
         remove `detach`"
    );
    let check = quote! {
        const _: () = ::core::assert!(
            <#ident as #runtime::handle::Handle>::LINEAGE.release_is_one_step(#fallible),
            #message
        );
    };
    let check = respanned(check, release.function.span());
    quote!(#asks #check)
}

/// Refuses, while compiling, `fork_safe` in a parent that is not.
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
        "the release of a `{ident}` reaches into its parent, which is bound to its process: remove `fork_safe`, or say it of \
         the parent, if that holds no file, lock, socket or thread either"
    );
    let check = quote! {
        ::core::assert!(<#ident as #runtime::handle::Handle>::LINEAGE.lives_in_memory(), #message)
    };
    let check = respanned(check, keyword.span());
    Some(quote!(const _: () = #check;))
}

/// Refuses a view that ends with the next exclusive borrow of an owner that does not say that it lends.
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
        "`{owner}` lends this view until it is used by `&mut`: write `lends` where `{owner}` is annotated, so that each \
         handle that lives in it says whether it changes what was lent",
        owner = type_name(owner),
    );
    let check = quote! {
        const _: () = ::core::assert!(<#owner as #runtime::handle::Handle>::LINEAGE.lends_memory(), #message);
    };
    Some(respanned(check, owner.span()))
}
