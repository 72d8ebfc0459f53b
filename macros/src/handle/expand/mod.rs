//! The tokens of a handle type: facts and two-line trait implementations. Everything that acts is
//! in the runtime.

pub(crate) mod call_setup;
pub(crate) mod checks;
pub(crate) mod class;
pub(crate) mod conversions;
pub(crate) mod ownership;
pub(crate) mod tree;

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::Type;
use syn::spanned::Spanned;

use crate::handle::expand::call_setup::{
    expand_error_callback, expand_interrupt, expand_lent_record, expand_lock, expand_thread_locals,
};
use crate::handle::expand::checks::{
    expand_asks_handle, expand_fork_check, expand_lending_in_tree_check, expand_lending_owner_check,
};
use crate::handle::expand::class::expand_class;
use crate::handle::expand::conversions::{expand_integer_conversions, expand_pointer_conversions};
use crate::handle::expand::ownership::{expand_close_failpoint, expand_ownership};
use crate::handle::expand::tree::expand_tree;
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
    let comment = handle.comment.for_rust();
    let (site, refusable) = expand_close_failpoint(handle);
    let lending = expand_lending_owner_check(handle);
    let lending_in_tree = expand_lending_in_tree_check(handle);
    let (interrupt, interruptible) = expand_interrupt(handle);
    let kind = expand_kind(handle, refusable, interruptible);
    let errors = handle.errors_type();
    let parent_place = expand_parent_place(handle);
    let lineage = expand_lineage(handle);
    let hook = expand_error_callback(handle);
    let lent_record = expand_lent_record(handle);
    let lock = expand_lock(handle);
    let thread_locals = expand_thread_locals(handle);
    let fork_check = expand_fork_check(handle);
    let asking = expand_asks_handle(handle);
    let parents = expand_parents(handle, &parent_place);
    let ownership = expand_ownership(handle);
    let tree = expand_tree(handle);
    let conversions = match &handle.integer {
        Some((ty, invalid)) => expand_integer_conversions(handle, ty, invalid),
        None => expand_pointer_conversions(handle),
    };
    let python = expand_class(handle);
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
            #lending_in_tree
            #kind

            // SAFETY: Rust: the type is a transparent wrapper of `Opaque`, which nobody can make:
            // only `from_raw` makes references to it.
            unsafe impl #runtime::__private::handle::Handle for #ident {
                type Raw = #raw;
                type Errors = #errors;
                type Up = #parent_place;
                const SPEC: &'static #runtime::__private::handle::HandleSpec = &#lineage;
                const NAME: &'static ::core::primitive::str = #name;

                fn kind() -> &'static #runtime::__private::kind::HandleKind {
                    &KIND
                }

                #hook
                #lock
                #thread_locals
            }

            #lent_record
            #fork_check
            #asking
            #parents
            #ownership
            #tree
            #conversions
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

/// The static with the runtime's facts about the type, and its registration.
fn expand_kind(
    handle: &Handle,
    refusable: Option<TokenStream>,
    interruptible: Option<TokenStream>,
) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let kind = match handle.is_resource() {
        true => quote!(resource),
        false => quote!(view),
    };
    let warning = handle.warns_unclosed().then(|| quote!(.warn_unclosed()));
    let counted = handle
        .is_ref_counted()
        .then(|| match &handle.sharing.borrowed_with {
            None => quote!(.ref_counted::<#ident>(::core::option::Option::None)),
            Some(group) => {
                let kind = quote!(<#group as #runtime::__private::handle::Handle>::kind);
                let kind = replace_self(respanned(kind, group.span()), ident);
                quote!(.ref_counted::<#ident>(::core::option::Option::Some(#kind)))
            }
        });
    let part =
        matches!(handle.ownership, Ownership::Part { .. }).then(|| quote!(.part::<#ident>()));
    let owned = handle
        .knows_owner()
        .then(|| quote!(.with_owner_field::<#ident>()));
    let tree = handle.tree().map(|_| quote!(.with_tree::<#ident>()));
    let number = handle
        .integer
        .as_ref()
        .map(|_| quote!(.integer::<#ident>()));
    let detached = handle.releases_detached();
    let detached = detached.then(|| quote!(.detached_release()));
    let is_listed = handle.is_resource() || handle.tree().is_some();
    let listed = is_listed.then(|| {
        quote! {
            #runtime::__private::inventory::submit! { #runtime::__private::kind::Listed(&KIND) }
        }
    });
    quote! {
        static KIND: #runtime::__private::kind::HandleKind = #runtime::__private::kind::HandleKind::#kind::<#ident>() #warning #counted #part #owned #tree #refusable #detached #number #interruptible;
        #listed
    }
}

/// The facts that other types' compile-time assertions read.
fn expand_lineage(handle: &Handle) -> TokenStream {
    let runtime = &handle.runtime;
    let parent = match &handle.ownership {
        Ownership::Resource { .. } => {
            quote!(<Self as #runtime::__private::handle::Resource>::PARENT_SPEC)
        }
        Ownership::Part { .. } => quote!(<Self as #runtime::__private::handle::Part>::PARENT_SPEC),
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
    let extra_parents = handle.extra_parents();
    let (attachments, thread_bound) = (handle.attachments, handle.thread_bound);
    // An object that C lends to a callback does not last until a fork.
    let fork_safe =
        handle.fork_safe.is_some() || matches!(handle.ownership, Ownership::CallbackOnly);
    let (asks, locks) = (handle.asks_for_errors(), handle.lock.is_some());
    let (may_be_kept, owns_tree) = (handle.may_be_kept(), handle.owns_tree);
    let subclass = handle.subclass.is_some();
    let sharing = expand_sharing(handle);
    quote! {
        #runtime::__private::handle::HandleSpec {
            parent: #parent,
            extra_parents: &[#(<#extra_parents as #runtime::__private::handle::Handle>::SPEC),*],
            attachments: #attachments,
            thread_bound: #thread_bound,
            fork_safe: #fork_safe,
            home: #home,
            asks: #asks,
            locks: #locks,
            may_be_kept: #may_be_kept,
            owns_tree: #owns_tree,
            subclass: #subclass,
            sharing: #sharing,
        }
    }
}

/// The place of the first parent in the type of a result.
fn expand_parent_place(handle: &Handle) -> TokenStream {
    let runtime = &handle.runtime;
    match &handle.ownership {
        Ownership::Resource {
            parent: Some(parent_place),
            ..
        }
        | Ownership::Part {
            owner: parent_place,
            ..
        } => quote!(#runtime::__private::lifetime::In<#parent_place>),
        _ => quote!(#runtime::__private::lifetime::Nowhere),
    }
}

/// The traits that name the parents: `MadeBy` for the types whose methods may make the handle,
/// `LivesBeside` for the extra parents.
fn expand_parents(handle: &Handle, parent_place: &TokenStream) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let extra_parents = handle.extra_parents();
    let lives_in = expand_lives_in(handle);
    let made_by = match handle.needs_parent() {
        true => quote! {
            // SAFETY: guarantee 16: the type parameter is the parent, and no other type is.
            unsafe impl #runtime::__private::lifetime::MadeBy<#parent_place> for #ident {}
        },
        false => quote! {
            // SAFETY: annotation `release`: neither the release nor a use by `&mut` needs the
            // parent, as no word says so.
            unsafe impl<__R> #runtime::__private::lifetime::MadeBy<__R> for #ident {}
        },
    };
    quote! {
        #made_by
        // SAFETY: annotation `parent`: these are all parents besides the first.
        unsafe impl #runtime::__private::lifetime::LivesBeside<(#(#extra_parents,)*)> for #ident {}
        #lives_in
    }
}

/// The trait that lets bodies ask for a parent. A type that is named twice, and a parent that the
/// handle holds by `&mut`, have none.
fn expand_lives_in(handle: &Handle) -> TokenStream {
    let (runtime, ident) = (&handle.runtime, &handle.item.ident);
    let Ownership::Resource { parent: first, .. } = &handle.ownership else {
        return TokenStream::new();
    };
    let lends_nothing = handle.sharing.lends.is_none() && !handle.owns_tree;
    let lends_nothing = lends_nothing.then(|| {
        quote! {
            // SAFETY: Rust: the handle has neither `lends` nor `tree`, as was just looked up.
            unsafe impl #runtime::LendsNothing for #ident {}
        }
    });
    let first = first.iter().filter(|_| !handle.sharing.holds_parent);
    let parents: Vec<&Type> = first.chain(handle.extra_parents()).collect();
    let is_named_once = |ty: &Type| parents.iter().filter(|other| ***other == *ty).count() == 1;
    let parents = parents.iter().filter(|ty| is_named_once(ty));
    let implementations = parents.map(|parent| {
        let implementation = quote! {
            // SAFETY: annotation `parent`: C made the handle in one of these, which others may use.
            unsafe impl #runtime::LivesIn<#parent> for #ident {}
        };
        respanned(implementation, parent.span())
    });
    quote!(#lends_nothing #(#implementations)*)
}

/// The runtime's description of the state that the handle shares with its parent.
pub(crate) fn expand_sharing(handle: &Handle) -> TokenStream {
    let runtime = &handle.runtime;
    let sharing = &handle.sharing;
    let (holds_parent, lends) = (sharing.holds_parent, sharing.lends.is_some());
    let (mut_parent, reads_parent) = (sharing.mut_parent.is_some(), sharing.reads_parent.is_some());
    let part = matches!(handle.ownership, Ownership::Part { .. });
    let counted = handle.is_ref_counted();
    let until_mut = matches!(
        handle.ownership,
        Ownership::Part {
            until_mut: true,
            ..
        }
    );
    let tree = handle.tree().is_some();
    quote! {
        #runtime::__private::handle::Sharing {
            holds_parent: #holds_parent,
            mut_parent: #mut_parent,
            reads_parent: #reads_parent,
            lends: #lends,
            part: #part,
            counted: #counted,
            until_mut: #until_mut,
            tree: #tree,
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
