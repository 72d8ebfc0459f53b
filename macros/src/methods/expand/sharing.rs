//! Compile-time assertions about shared state: what a method may change in the parents of its
//! receiver, and in reference-counted objects.

use proc_macro2::{Ident, Span, TokenStream};
use quote::quote;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{Type, TypePath};

use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver, Source};
use crate::span::respanned;
use crate::types::inspect::{borrowed_handles, borrowed_slice, is_call_data, type_name};
use crate::types::lifetimes::erase_lifetimes;
use crate::types::param_kind::ParamKind;

/// Refuses a child that uses its parent by `&mut` if the method borrows the parent shared, and a
/// child that does not say whether it changes what an ancestor lends.
pub(crate) fn expand_sharing_checks(
    runtime: &TokenStream,
    handle: &Type,
    exclusive: bool,
) -> TokenStream {
    let name = type_name(handle);
    let spec = quote!(<#handle as #runtime::__private::handle::Handle>::SPEC);
    let borrow = format!(
        "a `{name}` borrows its parent by `&mut`: make it by a method of its parent that takes \
         `&mut self`"
    );
    let unsaid = format!(
        "a `{name}` lives in a handle that lends memory: add `mut_parent` to the annotation of \
         `{name}`, and of each handle between it and the lender, if `&mut` calls may change \
         that memory; add `reads_parent` if no call changes it; or write `parent = &mut …` if \
         nothing else may use the parent while the `{name}` lives"
    );
    quote! {
        const _: () = ::core::assert!(#spec.may_borrow_parent(#exclusive), #borrow);
        const _: () = ::core::assert!(#spec.says_what_it_changes(), #unsaid);
    }
}

/// Refuses to lend memory of a handle that is not annotated with `lends`, and to lend anything that
/// another owner of a reference-counted object could end.
pub(crate) fn expand_lending_checks(block: &MethodsBlock, method: &Method) -> TokenStream {
    let slice = expand_slice_check(block, method);
    let counted = check_counted(block, method);
    quote!(#slice #counted)
}

pub(crate) fn expand_slice_check(block: &MethodsBlock, method: &Method) -> TokenStream {
    let Some(value) = borrowed_slice(&method.output.value) else {
        return TokenStream::new();
    };
    let runtime = &block.runtime;
    let lenders = match method.receiver {
        Receiver::None => lenders(block, method),
        _ => vec![block.handle.clone()],
    };
    let checks = lenders.iter().map(|lender| {
        let message = format!(
            "this method lends memory of the handle: add `lends` to the annotation of `{}`, so \
             that each handle that lives in it says whether it changes that memory; or return a \
             copy, `Bytes`",
            type_name(lender)
        );
        let lends = probe(lender, "LENDS", runtime);
        let check = quote!(
            const _: () = ::core::assert!(#lends, #message);
        );
        respanned(check, value.span())
    });
    quote!(#(#checks)*)
}

/// Refuses `#[reads_parent]` on a method of a handle without `mut_parent`.
pub(crate) fn expand_reads_parent_check(
    block: &MethodsBlock,
    method: &Method,
) -> Option<TokenStream> {
    let keyword = method.reads_parent.as_ref()?;
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let check = quote! {
        const _: () = ::core::assert!(
            <#receiver as #runtime::__private::handle::Handle>::SPEC.sharing.mut_parent,
            "`#[reads_parent]` exempts a method of a handle with `mut_parent`, and this handle has none: remove it"
        );
    };
    Some(respanned(check, keyword.span()))
}

/// Refuses a detached call if an error of it, or of a call beside it, asks a handle that the other
/// call changes.
pub(crate) fn expand_detach_checks(
    handle: &Type,
    method: &Method,
    at: Span,
    runtime: &TokenStream,
) -> TokenStream {
    let receiver = (method.receiver != Receiver::None).then(|| {
        let exclusive = method.receiver == Receiver::Exclusive;
        let (reads_parent, name) = (method.reads_parent.is_some(), type_name(handle));
        quote!(#name self #handle, #exclusive, #reads_parent;)
    });
    let arguments = method.parameters.iter().filter_map(|Parameter { ty, .. }| {
        let (target, mode) = match ParamKind::of(ty) {
            ParamKind::Ref(target) | ParamKind::OptionRef(target) => (target, quote!(SHARED)),
            ParamKind::Mut(target)
            | ParamKind::OptionMut(target)
            | ParamKind::Owned(target)
            | ParamKind::OptionOwned(target) => (target, quote!(EXCLUSIVE)),
            ParamKind::Python | ParamKind::Value => return None,
        };
        let target = erase_lifetimes(&target, handle);
        let name = type_name(&target);
        Some(quote!(#name #target, #mode;))
    });
    let checks: Vec<_> = receiver.into_iter().chain(arguments).collect();
    respanned(quote!(#runtime::__one_step! { #(#checks)* }), at)
}

pub(crate) fn check_counted(block: &MethodsBlock, method: &Method) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let spec = |handle: &Type| quote!(<#handle as #runtime::__private::handle::Handle>::SPEC);
    let output = erase_lifetimes(&method.output.value, receiver);
    let lends = borrowed_slice(&output).map(Spanned::span);
    let parts = borrowed_handles(&output);
    let ended = parts.iter().map(|handle| {
        let (name, spec) = (type_name(handle), spec(handle));
        let message = format!(
            "another owner can release the `{name}` that is borrowed here: return `Owned<{name}>`, \
             and add `retain` to `#[calls(…)]` or `#[field(…)]`, which makes the caller an \
             owner, too"
        );
        let check = quote!(
            const _: () = ::core::assert!(!#spec.sharing.counted, #message);
        );
        respanned(check, handle.span())
    });
    let lent: Vec<Span> = lends
        .into_iter()
        .chain(parts.iter().map(Spanned::span))
        .collect();
    let lenders = lenders(block, method);
    let changed = lenders.iter().flat_map(|lender| {
        let message = format!(
            "another owner of the `{}` can change or release what is borrowed here: return a copy, \
             such as `Bytes` or `String`, or a reference-counted handle with `retain`",
            type_name(lender)
        );
        let is_counted = probe(lender, "IS_COUNTED", runtime);
        let check = quote!(
            const _: () = ::core::assert!(!#is_counted, #message);
        );
        lent.iter().map(move |span| respanned(check.clone(), *span))
    });
    quote!(#(#ended)* #(#changed)*)
}

/// The types that a borrowed result lives in: the receiver and the `keep_alive` parameters; without
/// a receiver, all references among the parameters but text, memory and callbacks.
fn lenders(block: &MethodsBlock, method: &Method) -> Vec<Type> {
    let (callbacks, kept) = match &method.source {
        Source::Calls(calls) => (method.callbacks(calls), &calls.keep_alive[..]),
        _ => (Vec::new(), &[][..]),
    };
    let receiver = (method.receiver != Receiver::None).then(|| block.handle.clone());
    let parameters = method.parameters.iter().filter(|Parameter { name, ty }| {
        let is_callback = callbacks.iter().any(|callback| callback.name == *name);
        match method.receiver {
            Receiver::None => !is_call_data(ty) && !is_callback,
            _ => kept.contains(name),
        }
    });
    let parameters = parameters.filter_map(|Parameter { ty, .. }| match ParamKind::of(ty) {
        ParamKind::Ref(target)
        | ParamKind::Mut(target)
        | ParamKind::OptionRef(target)
        | ParamKind::OptionMut(target) => Some(erase_lifetimes(&target, &block.handle)),
        ParamKind::Owned(_) | ParamKind::OptionOwned(_) | ParamKind::Python | ParamKind::Value => {
            None
        }
    });
    receiver.into_iter().chain(parameters).collect()
}

/// A fact about `ty`, which may be no handle.
fn probe(ty: &Type, fact: &str, runtime: &TokenStream) -> TokenStream {
    let fact = Ident::new(fact, Span::call_site());
    quote!({
        #[allow(unused_imports, reason = "a fallback for types that are no handles")]
        use #runtime::__private::helper_thread::NoHandle as _;
        #runtime::__private::helper_thread::Probe::<#ty>::#fact
    })
}

/// `ty` with `Borrowed` for `Owned`: the type of the result before `retain` makes the caller an
/// owner.
pub(crate) fn type_before_retain(ty: &Type, runtime: &TokenStream) -> Type {
    struct Lend<'a>(&'a TokenStream);
    impl VisitMut for Lend<'_> {
        fn visit_type_path_mut(&mut self, path: &mut TypePath) {
            visit_mut::visit_type_path_mut(self, path);
            let Some(last) = path.path.segments.last() else {
                return;
            };
            if last.ident == "Owned" {
                let (arguments, runtime) = (&last.arguments, self.0);
                let name = syn::Ident::new("Borrowed", last.ident.span());
                *path = syn::parse_quote!(#runtime::#name #arguments);
            }
        }
    }
    let mut lent = ty.clone();
    Lend(runtime).visit_type_mut(&mut lent);
    lent
}
