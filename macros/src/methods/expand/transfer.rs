//! Methods that pass `Owned` handles to C.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{FnArg, Pat, Type};

use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver};
use crate::methods::expand::signature::rust_signature;
use crate::methods::expand::variables::place_variable;
use crate::span::{hidden_span, respanned};
use crate::types::inspect::{returned_handles, type_name};
use crate::types::lifetimes::erase_lifetimes;
use crate::types::param_kind::ParamKind;

/// The name of the hidden method for Python: see [`expand_consuming`].
pub(crate) fn transfer_method_name(method: &Method) -> Ident {
    let ident = &method.signature.ident;
    format_ident!("__{}_lending", ident, span = hidden_span(ident))
}

/// Generates two methods: the public one, which takes `Owned<T>`, and a hidden one for Python,
/// which takes `&mut Option<_>`, so that handles that C did not consume can be put back.
pub(crate) fn expand_consuming(
    block: &MethodsBlock,
    method: &Method,
    body: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let itself = method.consumed_receiver(&block.handle);
    let public = rust_signature(method, runtime);
    let mut lending = public.clone();
    lending.ident = transfer_method_name(method);
    for input in &mut lending.inputs {
        if let FnArg::Typed(typed) = input
            && let Pat::Ident(name) = &mut *typed.pat
            && let Some(parameter) = method.parameter(&name.ident)
            && let ParamKind::Owned(target) = ParamKind::of(&parameter.ty)
        {
            let place = quote!(&mut ::core::option::Option<#runtime::__private::handle::Transfer<'_, #target>>);
            *typed.ty = Type::Verbatim(respanned(place, target.span()));
            name.ident = place_variable(&name.ident);
        }
    }
    let arguments =
        method
            .parameters
            .iter()
            .map(|Parameter { name, ty }| match ParamKind::of(ty) {
                ParamKind::Owned(target) => {
                    let handle = quote!(#runtime::__private::handle::Transfer::new(#name));
                    let handle = respanned(handle, target.span());
                    quote!(&mut ::core::option::Option::Some(#handle))
                }
                _ => quote!(#name),
            });
    let output = erase_lifetimes(&method.output.value, &block.handle);
    let keepers: Vec<&Type> = match method.receiver {
        Receiver::None => returned_handles(&output),
        _ => vec![&block.handle],
    };
    let homes = method
        .consumed()
        .map(|Parameter { ty, .. }| match ParamKind::of(ty) {
            ParamKind::Owned(target) => keepers
                .iter()
                .map(|keeper| expand_keeper_check(block, &target, keeper))
                .collect(),
            _ => TokenStream::new(),
        });
    let homes = quote!(#(#homes)*);
    // Where nothing in the result can keep it, C is done with `this` when it returns.
    let is_over = |parameter: &&Parameter| {
        keepers.is_empty() && itself.is_some_and(|itself| itself.name == parameter.name)
    };
    let kept = method.consumed().filter(|parameter| !is_over(parameter));
    let checks = kept.map(|Parameter { ty, .. }| match ParamKind::of(ty) {
        ParamKind::Owned(written) => {
            let target = erase_lifetimes(&written, &block.handle);
            let check = quote! {
                const _: () = ::core::assert!(
                    !<#target as #runtime::__private::handle::Handle>::SPEC.attachments,
                    "a handle with `attachments` cannot be transferred to C, because its callbacks \
                     would never be freed"
                );
            };
            let tree = quote! {
                const _: () = ::core::assert!(
                    !<#target as #runtime::__private::handle::Handle>::SPEC.owns_tree,
                    "a handle that owns parts with `tree` cannot be transferred to C, because the parts refer to their \
                     Python objects"
                );
            };
            respanned(quote!(#check #tree), written.span())
        }
        _ => TokenStream::new(),
    });
    let checks = quote!(#(#checks)* #homes);
    let callee = match method.receiver {
        Receiver::None => quote!(Self::),
        _ => quote!(self.),
    };
    let (attributes, visibility, name) = (&method.attributes, &method.visibility, &lending.ident);
    let comment = method.comment.for_rust();
    let configuration = method.cfg_attributes();
    quote! {
        #(#attributes)*
        #comment
        #[allow(dead_code, reason = "Python calls it through the class")]
        #visibility #public {
            #checks
            #callee #name(#(#arguments),*)
        }

        #(#configuration)*
        #[allow(clippy::too_many_arguments, reason = "clippy counts them where the author writes \
         the method")]
        #lending #body
    }
}

/// Refuses to transfer a handle with a parent to a handle whose release is not known: the parent
/// could be released first. Refuses one with `mut_parent` where the calls of the keeper do not borrow the parent.
pub(crate) fn expand_keeper_check(
    block: &MethodsBlock,
    target: &Type,
    keeper: &Type,
) -> TokenStream {
    let runtime = &block.runtime;
    let target = erase_lifetimes(target, &block.handle);
    let (name, kept_in) = (type_name(&target), type_name(keeper));
    let message = format!(
        "a `{name}` has a parent, which has to outlive it, and it is not known when this \
         `{kept_in}` ends: consume the `{name}` by a method of a handle that has one owner and a \
         `release`, or of a part with `owner_field = …` of such a handle"
    );
    let unsaid = format!(
        "a `{name}` has `mut_parent`, and a call on the `{kept_in}` that C keeps it in may use it, beside others that use \
         its parent: add `mut_parent` and that parent to the annotation of `{kept_in}`; or consume the `{name}` by a method \
         of its parent"
    );
    let check = quote! {
        #runtime::__private::inventory::submit! {
            #runtime::__private::uses::Keeping {
                reaches_others: <#target as #runtime::__private::handle::Handle>::SPEC
                    .is_reached_by_keeper(<#keeper as #runtime::__private::handle::Handle>::SPEC),
                given: <#target as #runtime::__private::handle::Handle>::kind,
                keeper: <#keeper as #runtime::__private::handle::Handle>::kind,
            }
        }
        const _: () = ::core::assert!(
            <#target as #runtime::__private::handle::Handle>::SPEC.parent.is_none()
                || <#keeper as #runtime::__private::handle::Handle>::SPEC.has_home(),
            #message
        );
        const _: () = {
            #[allow(unused_imports, reason = "for handles with another parent")]
            use #runtime::__private::lifetime::ParentOfOther as _;
            ::core::assert!(
                #runtime::__private::lifetime::ParentOf::<#target, #keeper>::IS_PARENT
                    || <#target as #runtime::__private::handle::Handle>::SPEC
                        .may_be_kept_in(<#keeper as #runtime::__private::handle::Handle>::SPEC),
                #unsaid
            );
        };
    };
    respanned(check, target.span())
}
