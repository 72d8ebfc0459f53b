//! Methods that pass `Owned` handles to C.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::spanned::Spanned;
use syn::{FnArg, Pat, Type};

use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver};
use crate::methods::expand::signature::rust_signature;
use crate::methods::expand::variables::place_variable;
use crate::span::respanned;
use crate::types::inspect::type_name;
use crate::types::lifetimes::erase_lifetimes;
use crate::types::param_kind::ParamKind;

/// The name of the hidden method for Python: see [`expand_consuming`].
pub(crate) fn transfer_method_name(method: &Method) -> Ident {
    format_ident!("__{}_lending", method.signature.ident)
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
                    !<#target as #runtime::__private::handle::Handle>::SPEC.attachments,
                    "a handle with `attachments` cannot be transferred to C, because its callbacks \
                     would never be freed"
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

        #[allow(clippy::too_many_arguments, reason = "clippy counts them where the author writes \
         the method")]
        #lending #body
    }
}

/// Refuses to transfer a handle with a parent to a handle whose release is not known: the parent
/// could be released first.
pub(crate) fn expand_keeper_check(block: &MethodsBlock, target: &Type) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let target = erase_lifetimes(target, receiver);
    let (name, keeper) = (type_name(&target), type_name(receiver));
    let message = format!(
        "a `{name}` has a parent, which has to outlive it, and it is not known when this \
         `{keeper}` ends: consume the `{name}` by a method of a handle that has one owner and a \
         `release`, or of a part with `owner_field = …` of such a handle"
    );
    let check = quote! {
        const _: () = ::core::assert!(
            <#target as #runtime::__private::handle::Handle>::SPEC.up.is_none()
                || <#receiver as #runtime::__private::handle::Handle>::SPEC.has_home(),
            #message
        );
    };
    respanned(check, target.span())
}
