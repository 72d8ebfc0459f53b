//! Methods that pass `Owned` handles to C.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{FnArg, Pat, Type};

use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver};
use crate::methods::expand::signature::rust_signature;
use crate::span::respanned;
use crate::types::inspect::type_name;
use crate::types::lifetimes::erase_lifetimes;
use crate::types::param_kind::ParamKind;

/// The name of the method that takes what C keeps only when C does: see [`expand_consuming`].
pub(crate) fn transfer_method_name(method: &Method) -> Ident {
    format_ident!("__{}_lending", method.signature.ident)
}

/// A method that passes `Owned` handles to C, and the one that Python calls: it takes each as the place where it is,
/// and leaves there what C did not keep.
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
            && let Pat::Ident(name) = &*typed.pat
            && let Some(parameter) = method.parameter(&name.ident)
            && let ParamKind::Owned(target) = ParamKind::of(&parameter.ty)
        {
            let place =
                quote!(&mut ::core::option::Option<#runtime::handle::Consumable<'_, #target>>);
            *typed.ty = Type::Verbatim(respanned(place, target.span()));
        }
    }
    let arguments =
        method
            .parameters
            .iter()
            .map(|Parameter { name, ty }| match ParamKind::of(ty) {
                ParamKind::Owned(target) => {
                    let handle = quote!(#runtime::handle::Consumable::new(#name));
                    let handle = respanned(handle, target.span());
                    quote!(&mut ::core::option::Option::Some(#handle))
                }
                _ => quote!(#name),
            });
    let homes = method
        .consumed()
        .map(|Parameter { ty, .. }| match ParamKind::of(ty) {
            ParamKind::Owned(target) if method.receiver != Receiver::None => {
                expand_keeper_check(block, &target)
            }
            _ => TokenStream::new(),
        });
    let homes = quote!(#(#homes)*);
    let kept = method
        .consumed()
        .filter(|parameter| itself.is_none_or(|itself| itself.name != parameter.name));
    let checks = kept.map(|Parameter { ty, .. }| match ParamKind::of(ty) {
        ParamKind::Owned(target) => {
            let target = erase_lifetimes(&target, &block.handle);
            let check = quote! {
                const _: () = ::core::assert!(
                    !<#target as #runtime::handle::Handle>::LINEAGE.attachments,
                    "nobody would know when C needs what this handle keeps no more: a handle with `attachments` can \
                     be ended, but not given away"
                );
            };
            respanned(check, target.span())
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
    quote! {
        #(#attributes)*
        #comment
        #[allow(dead_code, reason = "Python calls it through the class")]
        #visibility #public {
            #checks
            #callee #name(#(#arguments),*)
        }

        #[allow(clippy::too_many_arguments, reason = "counted where the method is written")]
        #lending #body
    }
}

/// Refuses to give a child to C for a handle of which nobody knows when it goes.
pub(crate) fn expand_keeper_check(block: &MethodsBlock, target: &Type) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let target = erase_lifetimes(target, receiver);
    let (name, keeper) = (type_name(&target), type_name(receiver));
    let message = format!(
        "a `{name}` lives in a parent, which has to outlive it, and nobody knows when C is done with what it keeps in a \
         `{keeper}`: that is known of a handle that has one owner and is released, or is a part with `owner_field = …` of such a \
         handle"
    );
    let check = quote! {
        const _: () = ::core::assert!(
            <#target as #runtime::handle::Handle>::LINEAGE.up.is_none()
                || <#receiver as #runtime::handle::Handle>::LINEAGE.has_home(),
            #message
        );
    };
    respanned(check, target.span())
}
