//! The tokens of a handle type: facts and two-line trait implementations. Everything that acts is in the runtime.

pub(crate) mod call_setup;
pub(crate) mod checks;
pub(crate) mod class;
pub(crate) mod conversions;
pub(crate) mod ownership;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::spanned::Spanned;

use crate::handle::expand::call_setup::expand_interrupt;
use crate::handle::expand::call_setup::{expand_error_callback, expand_lock, expand_thread_locals};
use crate::handle::expand::checks::{
    expand_asks_handle, expand_fork_check, expand_lending_owner_check,
};
use crate::handle::expand::class::expand_class;
use crate::handle::expand::conversions::{expand_integer_conversions, expand_pointer_conversions};
use crate::handle::expand::ownership::{expand_close_failpoint, expand_ownership};
use crate::handle::model::{Handle, Ownership};
use crate::span::respanned;

pub(crate) fn expand(handle: &Handle) -> TokenStream {
    let Handle {
        item,
        runtime,
        raw,
        name,
        ..
    } = handle;
    let (attributes, visibility, ident) = (&item.attrs, &item.vis, &item.ident);
    let errors = handle.errors_type();
    let hook = expand_error_callback(handle);
    let lock = expand_lock(handle);
    let thread_locals = expand_thread_locals(handle);
    let up = match &handle.ownership {
        Ownership::Resource { .. } => quote!(<Self as #runtime::__private::handle::Resource>::UP),
        Ownership::Part { .. } => quote!(<Self as #runtime::__private::handle::Part>::UP),
        Ownership::CallbackOnly => quote!(::core::option::Option::None),
    };
    let home = match &handle.ownership {
        Ownership::Resource { .. } => quote!(Itself),
        Ownership::Part {
            owner_field: Some(_),
            ..
        } => quote!(Owner),
        _ => quote!(Unknown),
    };
    let home = quote!(#runtime::__private::handle::Home::#home);
    let (attachments, thread_bound) = (handle.attachments, handle.thread_bound);
    // What C lends to a callback does not last until a fork.
    let fork_safe =
        handle.fork_safe.is_some() || matches!(handle.ownership, Ownership::CallbackOnly);
    let fork_check = expand_fork_check(handle);
    let asks = handle
        .errors
        .as_ref()
        .is_some_and(|errors| errors.asks_handle);
    let (locks, asking) = (handle.lock.is_some(), expand_asks_handle(handle, asks));
    let (beside, by_parent) = match &handle.ownership {
        Ownership::Resource {
            beside, release, ..
        } => {
            let by_parent = release
                .as_ref()
                .is_some_and(|release| release.by_parent.is_some());
            (&beside[..], by_parent)
        }
        _ => (&[][..], false),
    };
    let above = match &handle.ownership {
        Ownership::Resource {
            parent: Some(above),
            ..
        }
        | Ownership::Part { owner: above, .. } => quote!(#runtime::__private::lifetime::In<#above>),
        _ => quote!(#runtime::__private::lifetime::Nowhere),
    };
    let by_parent_alone =
        by_parent || handle.sharing.holds_parent || handle.sharing.mut_parent.is_some();
    let has_parent = matches!(
        handle.ownership,
        Ownership::Resource {
            parent: Some(_),
            ..
        }
    );
    let made_by = match by_parent_alone && has_parent {
        true => quote! {
            // SAFETY: guarantee 16: the type parameter is the parent, and no other type is.
            unsafe impl #runtime::__private::lifetime::MadeBy<#above> for #ident {}
        },
        false => quote! {
            // SAFETY: annotation `release`: neither the release nor a use by `&mut` needs the parent, as no word says
            // so.
            unsafe impl<R> #runtime::__private::lifetime::MadeBy<R> for #ident {}
        },
    };
    let (warns, kind, ownership) = expand_ownership(handle);
    let warning = warns.then(|| quote!(.warning()));
    let counted = matches!(
        handle.ownership,
        Ownership::Resource {
            retain: Some(_),
            ..
        }
    );
    let counted = counted.then(|| match &handle.sharing.borrowed_with {
        None => quote!(.counted::<#ident>(::core::option::Option::None)),
        Some(group) => {
            let kind = quote!(<#group as #runtime::__private::handle::Handle>::kind);
            let kind = replace_self(respanned(kind, group.span()), ident);
            quote!(.counted::<#ident>(::core::option::Option::Some(#kind)))
        }
    });
    let (sharing, lending) = (expand_sharing(handle), expand_lending_owner_check(handle));
    let (site, refusable) = expand_close_failpoint(handle);
    let listed = matches!(handle.ownership, Ownership::Resource { .. }).then(|| {
        quote! {
            #runtime::__private::inventory::submit! { #runtime::__private::kind::Listed(&KIND) }
        }
    });
    let python = expand_class(handle);
    let comment = handle.comment.for_rust();
    let numbered = handle
        .integer
        .as_ref()
        .map(|(ty, invalid)| expand_integer_conversions(handle, ty, invalid));
    let pointed = handle
        .integer
        .is_none()
        .then(|| expand_pointer_conversions(handle));
    let (interrupt, interruptible) = expand_interrupt(handle);
    let knows_owner = matches!(
        handle.ownership,
        Ownership::Part {
            owner_field: Some(_),
            ..
        }
    );
    let owned = knows_owner.then(|| quote!(.with_owner_field::<#ident>()));
    let number = handle
        .integer
        .as_ref()
        .map(|_| quote!(.numbered::<#ident>()));
    let caller_allocates = matches!(
        handle.ownership,
        Ownership::Resource {
            caller_allocates: true,
            ..
        }
    );
    let keeps = handle.attachments.then(|| {
        quote! {
            // SAFETY: guarantee 8: `SPEC` says so, too, so `HandleKind::acquired` makes an entry, which keeps the values.
            unsafe impl #runtime::__private::handle::HasAttachments for #ident {}
        }
    });
    let by_pointer = (!caller_allocates).then(|| {
        quote! {
            // SAFETY: annotation `raw`: the handle is not made in place, so nothing but its release has to free it.
            unsafe impl #runtime::__private::handle::PointerHandle for #ident {}
        }
    });
    quote! {
        #(#attributes)*
        #comment
        #[repr(transparent)]
        #visibility struct #ident {
            _opaque: #runtime::__private::handle::Opaque,
        }

        const _: () = {
            #site
            #lending
            static KIND: #runtime::__private::kind::HandleKind = #runtime::__private::kind::HandleKind::#kind::<#ident>() #warning #counted #owned #refusable #number #interruptible;
            #listed

            // SAFETY: Rust: the type is a transparent wrapper of `Opaque`, which nobody can make: only `from_raw`
            // makes references to it.
            unsafe impl #runtime::__private::handle::Handle for #ident {
                type Raw = #raw;
                type Errors = #errors;
                type Up = #above;
                const SPEC: &'static #runtime::__private::handle::HandleSpec = &#runtime::__private::handle::HandleSpec {
                    up: #up,
                    beside: &[#(<#beside as #runtime::__private::handle::Handle>::SPEC),*],
                    attachments: #attachments,
                    thread_bound: #thread_bound,
                    fork_safe: #fork_safe,
                    home: #home,
                    asks: #asks,
                    locks: #locks,
                    sharing: #sharing,
                };
                const NAME: &'static ::core::primitive::str = #name;

                fn kind() -> &'static #runtime::__private::kind::HandleKind {
                    &KIND
                }

                #hook
                #lock
                #thread_locals
            }

            #fork_check
            #asking
            #made_by
            // SAFETY: annotation `parent`: these are all parents besides the first.
            unsafe impl #runtime::__private::lifetime::LivesBeside<(#(#beside,)*)> for #ident {}

            #ownership
            #by_pointer
            #keeps

            #pointed
            #numbered
            #interrupt

            impl ::core::fmt::Debug for #ident {
                fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                    ::core::write!(f, "{}({:p})", #name, self)
                }
            }
        };

        #python
    }
}

/// The runtime's description of the state that the handle shares with its parent.
pub(crate) fn expand_sharing(handle: &Handle) -> TokenStream {
    let runtime = &handle.runtime;
    let sharing = &handle.sharing;
    let (holds_parent, lends) = (sharing.holds_parent, sharing.lends.is_some());
    let (mut_parent, reads_parent) = (sharing.mut_parent.is_some(), sharing.reads_parent.is_some());
    let part = matches!(handle.ownership, Ownership::Part { .. });
    let counted = matches!(
        handle.ownership,
        Ownership::Resource {
            retain: Some(_),
            ..
        }
    );
    let until_mut = matches!(
        handle.ownership,
        Ownership::Part {
            until_mut: true,
            ..
        }
    );
    quote! {
        #runtime::__private::handle::Sharing {
            holds_parent: #holds_parent,
            mut_parent: #mut_parent,
            reads_parent: #reads_parent,
            lends: #lends,
            part: #part,
            counted: #counted,
            until_mut: #until_mut,
        }
    }
}

/// `tokens` with the handle's name for `Self`, which is not known in a `static`.
pub(crate) fn replace_self(tokens: TokenStream, ident: &Ident) -> TokenStream {
    let replace = |tree| match tree {
        TokenTree::Ident(keyword) if keyword == "Self" => {
            let mut ident = ident.clone();
            ident.set_span(keyword.span());
            TokenTree::Ident(ident)
        }
        other => other,
    };
    tokens.into_iter().map(replace).collect()
}
