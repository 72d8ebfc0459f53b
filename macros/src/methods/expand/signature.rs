//! The signature of a method in Rust, with the lifetimes of its result.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::{FnArg, Lifetime, Pat, ReceiverKind, ReturnType, Signature, Type};

use crate::methods::ast::{Method, Receiver, Source};
use crate::span::respanned;
use crate::types::lifetimes::{bind_param_lifetimes, with_lifetime};
use crate::types::param_kind::ParamKind;

/// The signature of the generated method.
///
/// The result of a method without a receiver lives as long as every argument that it could borrow
/// from.
pub(crate) fn rust_signature(method: &Method, runtime: &TokenStream) -> Signature {
    let mut signature = method.signature.clone();
    let mut within = Lifetime::new("'__in", Span::call_site());
    let returned = method.parameters.iter();
    let returned: Vec<&Ident> = returned
        .filter(|parameter| method.may_return(parameter))
        .map(|parameter| &parameter.name)
        .collect();
    let bound = match (&method.source, method.receiver) {
        (Source::Calls(calls), _) if !calls.keep_alive.is_empty() => {
            bind_parents(&mut signature, &calls.keep_alive, &within);
            true
        }
        (_, Receiver::None) => {
            bind_param_lifetimes(&mut signature, &within) || !returned.is_empty()
        }
        _ if !returned.is_empty() => match receiver_lifetime(&signature) {
            Some(named) => {
                within = named;
                false
            }
            None => {
                bind_parents(&mut signature, &[], &within);
                true
            }
        },
        _ => false,
    };
    if bound {
        let within: syn::GenericParam = syn::parse_quote!('__in);
        signature.generics.params.insert(0, within);
    }
    if let ReturnType::Type(_, ty) = &mut signature.output {
        **ty = match (bound, method.receiver) {
            (true, _) => with_lifetime(ty, runtime, "'__in"),
            (false, Receiver::None) => with_lifetime(ty, runtime, "'static"),
            (false, _) => with_lifetime(ty, runtime, "'_"),
        };
    }
    for input in &mut signature.inputs {
        let FnArg::Typed(typed) = input else {
            continue;
        };
        let (target, is_optional) = match ParamKind::of(&typed.ty) {
            ParamKind::Owned(target) => (target, false),
            ParamKind::OptionOwned(target) => (target, true),
            _ => continue,
        };
        let is_returned =
            matches!(&*typed.pat, Pat::Ident(name) if returned.contains(&&name.ident));
        let owned = match is_returned {
            // As in the result: a handle without a parent lives in nothing.
            true => quote!(<#target as #runtime::__private::handle::Resource>::In<#within>),
            false => quote!(#runtime::Owned<'_, #target>),
        };
        let owned = match is_optional {
            true => quote!(::core::option::Option<#owned>),
            false => owned,
        };
        *typed.ty = Type::Verbatim(respanned(owned, target.span()));
    }
    signature
}

/// The lifetime that the author gave the receiver.
fn receiver_lifetime(signature: &Signature) -> Option<Lifetime> {
    match signature.inputs.first()? {
        FnArg::Receiver(receiver) => match &receiver.kind {
            ReceiverKind::Reference(_, lifetime, _) => lifetime.clone(),
            _ => None,
        },
        FnArg::Typed(_) => None,
    }
}

/// Gives the receiver and the `keep_alive` parameters one lifetime.
pub(crate) fn bind_parents(signature: &mut Signature, parents: &[Ident], lifetime: &Lifetime) {
    for input in &mut signature.inputs {
        let reference = match input {
            FnArg::Receiver(receiver) => match &mut receiver.kind {
                ReceiverKind::Reference(_, given, _) => Some(given),
                _ => None,
            },
            FnArg::Typed(typed) => match (&mut *typed.ty, &*typed.pat) {
                (Type::Reference(reference), Pat::Ident(name)) if parents.contains(&name.ident) => {
                    Some(&mut reference.lifetime)
                }
                _ => None,
            },
        };
        if let Some(given) = reference {
            *given = Some(lifetime.clone());
        }
    }
}
