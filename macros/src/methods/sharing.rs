//! Who shares state with whom: what a method asserts of its receiver's parents, and of reference-counted objects.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{PathSegment, Type};

use super::model::{Method, MethodsBlock, Parameter, Receiver};
use super::types::{Taken, detached, lent_handles, lent_memory, written};
use crate::words::respanned;

/// Refuses a new child that uses its parent by `&mut` where the method has the parent only shared, and a child that does
/// not say whether it changes what an ancestor lends.
pub(super) fn sharing_check(runtime: &TokenStream, handle: &Type, exclusive: bool) -> TokenStream {
    let name = written(handle);
    let lineage = quote!(<#handle as #runtime::handle::Handle>::LINEAGE);
    let borrow = format!(
        "a `{name}` uses its parent by `&mut`: make it by a method of that parent which takes `&mut self`"
    );
    let unsaid = format!(
        "a `{name}` lives in a handle that lends memory: if its `&mut` calls may change that memory, add `mut_parent` where \
         `{name}` is annotated, and where each handle between it and the lender is; add `reads_parent` if none of its calls \
         does, or `parent = &mut …` if nothing else may use the parent while the `{name}` lives"
    );
    quote! {
        const _: () = ::core::assert!(
            #runtime::handle::Lineage::may_borrow_parent(#lineage, #exclusive),
            #borrow
        );
        const _: () = ::core::assert!(#runtime::handle::Lineage::says_what_it_changes(#lineage), #unsaid);
    }
}

/// Refuses memory that is lent by a handle which does not say that it lends, and whatever another owner of a
/// reference-counted object could end.
pub(super) fn lending_check(block: &MethodsBlock, method: &Method) -> TokenStream {
    let slice = check_slice(block, method);
    let counted = check_counted(block, method);
    quote!(#slice #counted)
}

fn check_slice(block: &MethodsBlock, method: &Method) -> TokenStream {
    let Some(value) = lent_memory(&method.output.value) else {
        return TokenStream::new();
    };
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let message = format!(
        "this method lends memory of the handle: write `lends` where `{}` is annotated, so that each handle that lives \
         in it says whether it changes that memory; or return a copy, `Bytes`",
        written(receiver)
    );
    let check = quote! {
        const _: () = ::core::assert!(<#receiver as #runtime::handle::Handle>::LINEAGE.lends_memory(), #message);
    };
    respanned(check, value.span())
}

/// Refuses `#[reads_parent]` on a method of a handle whose calls leave the parent as it is anyway.
pub(super) fn reading_check(block: &MethodsBlock, method: &Method) -> Option<TokenStream> {
    let word = method.reads_parent.as_ref()?;
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let check = quote! {
        const _: () = ::core::assert!(
            <#receiver as #runtime::handle::Handle>::LINEAGE.sharing.mut_parent,
            "`#[reads_parent]` exempts a method of a handle with `mut_parent`, and this handle has none: remove it"
        );
    };
    Some(respanned(check, word.span()))
}

/// Refuses a detached call beside which another thread's call changes what the errors of either ask a handle for.
pub(super) fn asking_check(
    handle: &Type,
    method: &Method,
    at: Span,
    runtime: &TokenStream,
) -> TokenStream {
    let receiver = (method.receiver != Receiver::None).then(|| {
        let exclusive = method.receiver == Receiver::Exclusive;
        let (reads_parent, name) = (method.reads_parent.is_some(), written(handle));
        quote!(#name self #handle, #exclusive, #reads_parent;)
    });
    let arguments = method.parameters.iter().filter_map(|Parameter { ty, .. }| {
        let (target, mode) = match Taken::of(ty) {
            Taken::Ref(target) | Taken::OptionRef(target) => (target, quote!(SHARED)),
            Taken::Mut(target) | Taken::OptionMut(target) | Taken::Owned(target) => {
                (target, quote!(EXCLUSIVE))
            }
            Taken::Python | Taken::Value => return None,
        };
        let target = detached(&target, handle);
        let name = written(&target);
        Some(quote!(#name #target, #mode;))
    });
    let checks: Vec<_> = receiver.into_iter().chain(arguments).collect();
    respanned(quote!(#runtime::__one_step! { #(#checks)* }), at)
}

fn check_counted(block: &MethodsBlock, method: &Method) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let lineage = |handle: &Type| quote!(<#handle as #runtime::handle::Handle>::LINEAGE);
    let output = detached(&method.output.value, receiver);
    let lends = lent_memory(&output).map(Spanned::span);
    let parts = lent_handles(&output);
    let ended = parts.iter().map(|handle| {
        let (name, lineage) = (written(handle), lineage(handle));
        let message = format!(
            "another owner can end the `{name}` that is lent here: return `Owned<{name}>`, and add `retain` to \
             `#[calls(…)]` or `#[field(…)]`, which makes the caller one owner more"
        );
        let check = quote!(const _: () = ::core::assert!(!#lineage.sharing.counted, #message););
        respanned(check, handle.span())
    });
    let changed = lends.into_iter().chain(parts.iter().map(Spanned::span)).map(|span| {
        let lineage = lineage(receiver);
        let message = format!(
            "another owner of the `{}` can change or end what is lent here: return a copy, such as `Bytes` or `String`, \
             or a reference-counted handle with `retain`",
            written(receiver)
        );
        respanned(quote!(const _: () = ::core::assert!(!#lineage.is_counted(), #message);), span)
    });
    match method.receiver {
        Receiver::None => quote!(#(#ended)*),
        _ => quote!(#(#ended)* #(#changed)*),
    }
}

/// The type with `Borrowed` for `Owned`: what C lends before `retain` makes it an owner.
pub(super) fn retained_type(ty: &Type) -> Type {
    struct Lend;
    impl VisitMut for Lend {
        fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
            if segment.ident == "Owned" {
                segment.ident = syn::Ident::new("Borrowed", segment.ident.span());
            }
            visit_mut::visit_path_segment_mut(self, segment);
        }
    }
    let mut lent = ty.clone();
    Lend.visit_type_mut(&mut lent);
    lent
}

/// The borrows of reference-counted handles, and `call` with their end: the failure's `errors` may ask the handles again.
pub(super) fn expand_uses(
    method: &Method,
    call: TokenStream,
    runtime: &TokenStream,
) -> (TokenStream, TokenStream) {
    let receiver = match method.receiver {
        Receiver::None => None,
        Receiver::Shared => Some((quote!(&*self), false)),
        Receiver::Exclusive => Some((quote!(&*self), true)),
    };
    let receiver = receiver.map(|(handle, exclusive)| quote!(#handle, #exclusive));
    let parameters = method
        .parameters
        .iter()
        .filter_map(|Parameter { name, ty }| {
            let (optional, exclusive) = match Taken::of(ty) {
                Taken::Ref(_) => (false, false),
                Taken::Mut(_) => (false, true),
                Taken::OptionRef(_) => (true, false),
                Taken::OptionMut(_) => (true, true),
                _ => return None,
            };
            Some(match optional {
                false => quote!(&*#name, #exclusive),
                true => quote!(#name.as_deref(), #exclusive, optional),
            })
        });
    let receiver = receiver.map(|argument| quote!((#argument)));
    let parameters = parameters.map(|argument| quote!((#argument)));
    let uses: Vec<_> = receiver.into_iter().chain(parameters).collect();
    if uses.is_empty() {
        return (TokenStream::new(), call);
    }
    let name = Ident::new("uses", Span::mixed_site());
    let begin = match method.output.fallible {
        true => quote!(let #name = #runtime::__uses!(#(#uses),*)?;),
        false => quote!(let #name = #runtime::counted::granted(#runtime::__uses!(#(#uses),*));),
    };
    let call = quote!(#runtime::counted::ending(#call, #name));
    (begin, call)
}
