//! Calls that may move parts of a tree: those that have one by `&mut`, and those that may make one.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::Type;
use syn::spanned::Spanned;

use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver};
use crate::span::respanned;
use crate::types::inspect::argument_of;
use crate::types::lifetimes::erase_lifetimes;
use crate::types::param_kind::ParamKind;

/// Returns `true` if the call has a handle by `&mut`.
fn is_exclusive(method: &Method) -> bool {
    let is_mut = |Parameter { ty, .. }: &Parameter| {
        matches!(
            ParamKind::of(ty),
            ParamKind::Mut(_) | ParamKind::OptionMut(_)
        )
    };
    method.receiver == Receiver::Exclusive || method.parameters.iter().any(is_mut)
}

/// The type of a part that the call may make: `T` of `Borrowed<T>` or `Option<Borrowed<T>>`.
pub(crate) fn made_part(method: &Method) -> Option<&Type> {
    let value = &method.output.value;
    let value = argument_of(value, "Option").unwrap_or(value);
    argument_of(value, "Borrowed").filter(|_| is_exclusive(method))
}

/// Expands to the statements before the call and after it: the parts are watched, none is another argument of the call,
/// and there is room for a new one.
pub(crate) fn expand_moving(
    block: &MethodsBlock,
    method: &Method,
) -> Option<(TokenStream, TokenStream)> {
    if !is_exclusive(method) {
        return None;
    }
    let runtime = &block.runtime;
    let receiver =
        (method.receiver == Receiver::Exclusive).then(|| (quote!((&*self)), &block.handle));
    let parameters: Vec<_> = method
        .parameters
        .iter()
        .filter_map(|Parameter { name, ty }| match ParamKind::of(ty) {
            ParamKind::Mut(target) => Some((quote!((&*#name)), target)),
            ParamKind::OptionMut(target) => Some((
                quote!((#runtime::__private::shape::optional(&#name), optional)),
                target,
            )),
            _ => None,
        })
        .collect();
    let parameters = parameters
        .iter()
        .map(|(argument, target)| (argument.clone(), target));
    let watched: Vec<(TokenStream, &Type)> = receiver.into_iter().chain(parameters).collect();
    if !method.output.fallible {
        let checks = watched
            .iter()
            .map(|(_, target)| expand_fallible_check(block, target));
        let exclusive = watched.iter().map(|(_, target)| *target);
        let apart = expand_apart_check(block, method, exclusive);
        return Some((quote!(#(#checks)* #apart), TokenStream::new()));
    }
    let moving = Ident::new("__moving", Span::mixed_site());
    let room = Ident::new("__room", Span::mixed_site());
    let arguments = watched.iter().map(|(argument, _)| argument);
    let receiver =
        (method.receiver == Receiver::Shared).then(|| quote!(::core::option::Option::Some(&*self)));
    let parameters = method
        .parameters
        .iter()
        .filter_map(|Parameter { name, ty }| match ParamKind::of(ty) {
            ParamKind::Ref(_) => Some(quote!(::core::option::Option::Some(&*#name))),
            ParamKind::OptionRef(_) => Some(quote!(#runtime::__private::shape::optional(&#name))),
            _ => None,
        });
    let others = receiver.into_iter().chain(parameters);
    let made = made_part(method).map(|part| {
        let part = erase_lifetimes(part, &block.handle);
        respanned(
            quote!(let #room = #runtime::__private::tree::Reservation::for_result::<#part>()?;),
            part.span(),
        )
    });
    let dropped = made.as_ref().map(|_| quote!(::core::mem::drop(#room);));
    Some((
        quote! {
            #made
            let #moving = #runtime::__moving!(#(#arguments),*; #(#others),*);
        },
        quote!(::core::mem::drop(#moving); #dropped),
    ))
}

/// Refuses a method that has two owners of trees, one of them by `&mut`, and returns no `Result`: without one, nothing
/// can be refused if both are one object, since `Tree` gives out the owner several times.
fn expand_apart_check<'a>(
    block: &MethodsBlock,
    method: &Method,
    exclusive: impl Iterator<Item = &'a Type>,
) -> Option<TokenStream> {
    let runtime = &block.runtime;
    let receiver = match method.receiver {
        Receiver::None => None,
        Receiver::Shared | Receiver::Exclusive => Some(block.handle.clone()),
    };
    let parameters =
        method
            .parameters
            .iter()
            .filter_map(|Parameter { ty, .. }| match ParamKind::of(ty) {
                ParamKind::Ref(target)
                | ParamKind::OptionRef(target)
                | ParamKind::Mut(target)
                | ParamKind::OptionMut(target) => Some(target),
                _ => None,
            });
    let handles = receiver.into_iter().chain(parameters);
    let handles: Vec<_> = handles
        .filter(|target| !matches!(target, Type::ImplTrait(_)))
        .map(|target| erase_lifetimes(&target, &block.handle))
        .collect();
    let exclusive = exclusive.map(|target| erase_lifetimes(target, &block.handle));
    (handles.len() > 1).then(|| {
        quote! {
            const _: () = {
                #[allow(unused_imports, reason = "for parameters that are no handles")]
                use #runtime::__private::handle::LendsNothing as _;
                let owners = 0 #(+ #runtime::__private::handle::Lender::<#handles>::OWNS_TREE as usize)*;
                let is_changed = false #(|| #runtime::__private::handle::Lender::<#exclusive>::OWNS_TREE)*;
                ::core::assert!(
                    owners < 2 || !is_changed,
                    "a call that changes the owner of a tree may get the same owner as another argument, and has to refuse that: return a `Result`"
                );
            };
        }
    })
}

/// Refuses a method that may move a part, and returns no `Result`.
fn expand_fallible_check(block: &MethodsBlock, target: &Type) -> TokenStream {
    let runtime = &block.runtime;
    let target = erase_lifetimes(target, &block.handle);
    let check = quote! {
        const _: () = {
            #[allow(unused_imports, reason = "for parameters that are no handles")]
            use #runtime::__private::handle::LendsNothing as _;
            ::core::assert!(
                !#runtime::__private::handle::Lender::<#target>::IS_TREE_PART,
                "a call that has a part with `tree` by `&mut` may move it, and needs memory to note that: return a `Result`"
            );
        };
    };
    respanned(check, target.span())
}
