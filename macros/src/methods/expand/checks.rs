//! Rules that only rustc can check, because they depend on annotations of other types. They expand
//! to assertions at compile time.

use proc_macro2::TokenStream;
use quote::quote;
use syn::spanned::Spanned;
use syn::{Expr, Type};

use crate::methods::ast::{Calls, Method, MethodsBlock, Parameter, Receiver, Source};
use crate::methods::c_args::CArg;
use crate::methods::expand::sharing::{
    expand_lending_checks, expand_reads_parent_check, expand_sharing_checks,
};
use crate::span::respanned;
use crate::types::inspect::{
    argument_of, borrowed_handles, form, is_call_data, owned_handles, returned_handles, type_name,
};
use crate::types::lifetimes::erase_lifetimes;
use crate::types::param_kind::ParamKind;

/// Refuses results that live neither in the receiver nor in one of its ancestors, and results whose
/// release needs a handle that is not known.
pub(crate) fn expand_result_checks(block: &MethodsBlock, method: &Method) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let output = erase_lifetimes(&method.output.value, receiver);
    let exclusive = method.receiver == Receiver::Exclusive;
    let place = match method.receiver {
        Receiver::None => quote!(#runtime::__private::lifetime::Nowhere),
        _ => quote!(#runtime::__private::lifetime::In<#receiver>),
    };
    let made = match method.receiver {
        Receiver::None => Vec::new(),
        _ => owned_handles(&output),
    };
    let checks = returned_handles(&output).into_iter().map(|handle| {
        let is_made = made.iter().any(|other| std::ptr::eq(*other, handle));
        let check = quote!(#runtime::__private::lifetime::check_place::<#place, #handle, _>());
        let check = match is_made.then(|| unknown_parent_message(block, handle)) {
            Some(message) => quote!(
                const _: () = ::core::assert!(#check, #message);
            ),
            None => quote!(#check;),
        };
        let sharing = expand_sharing_checks(runtime, handle, exclusive);
        respanned(quote!(#check #sharing), handle.span())
    });
    let lost = expand_lender_checks(block, method, &output);
    let lending = expand_lending_checks(block, method);
    let made = expand_made_handles(block, method);
    let reading = expand_reads_parent_check(block, method);
    let names = expand_form_checks(method, &output, runtime);
    quote!(#(#checks)* #names #lost #lending #reading #made)
}

/// The handle types of the result and of the details of a failure.
fn made_handles(block: &MethodsBlock, method: &Method) -> Vec<Type> {
    let mut types = vec![&method.output.value];
    if let Source::Calls(calls) = &method.source {
        types.extend(calls.details.as_ref().map(|details| &details.ty));
    }
    let types = types
        .into_iter()
        .map(|ty| erase_lifetimes(ty, &block.handle));
    let handles = |ty: Type| -> Vec<Type> { returned_handles(&ty).into_iter().cloned().collect() };
    types.flat_map(handles).collect()
}

/// Lists the handle types that the method makes, or lends to callbacks: C may have such handles in the receiver.
fn expand_made_handles(block: &MethodsBlock, method: &Method) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let Source::Calls(calls) = &method.source else {
        return TokenStream::new();
    };
    let arguments =
        method
            .parameters
            .iter()
            .filter_map(|Parameter { ty, .. }| match ParamKind::of(ty) {
                ParamKind::Ref(target)
                | ParamKind::Mut(target)
                | ParamKind::OptionRef(target)
                | ParamKind::OptionMut(target)
                    if !is_call_data(ty) && !is_callback(method, calls, ty) =>
                {
                    Some(erase_lifetimes(&target, receiver))
                }
                _ => None,
            });
    // A method without a receiver is one of the type, too, but for what makes the type's own handles.
    let lenders: Vec<Type> = arguments.collect();
    let with_receiver = || std::iter::once(receiver).chain(&lenders);
    let made = made_handles(block, method);
    let made = made.iter().map(|made| {
        let makes_own = method.receiver == Receiver::None && type_name(made) == type_name(receiver);
        let lenders: Vec<&Type> = match makes_own {
            true => lenders.iter().collect(),
            false => with_receiver().collect(),
        };
        quote!(#runtime::__makes!([#(#lenders),*] #made);)
    });
    let lenders: Vec<&Type> = with_receiver().collect();
    let states = method.callbacks(calls).into_iter();
    let states = states.map(|callback| erase_lifetimes(state_of(&callback.ty), receiver));
    let callbacks = states.chain(named_states(method, calls));
    let callbacks = callbacks.map(|state| quote!(#runtime::__passes!([#(#lenders),*] #state);));
    quote!(#(#made)* #(#callbacks)*)
}

/// The types of the functions of callbacks that are passed by their constants: `State` of `State::VISIT`.
fn named_states(method: &Method, calls: &Calls) -> Vec<Type> {
    let arguments = method.c_arguments(calls).into_iter();
    let states = arguments.filter_map(|argument| {
        let CArg::Constant(mut constant) = argument else {
            return None;
        };
        if let Expr::Cast(cast) = constant {
            constant = &cast.expr;
        }
        let Expr::Path(path) = constant else {
            return None;
        };
        let mut path = path.path.clone();
        path.segments.pop()?;
        path.segments.pop_punct();
        // A module, such as `ffi`, has a small letter.
        let name = path.segments.last()?.ident.to_string();
        let is_type = name.starts_with(char::is_uppercase);
        is_type.then(|| syn::parse_quote!(#path))
    });
    states.collect()
}

/// Returns `true` for the type of a callback parameter.
fn is_callback(method: &Method, calls: &Calls, ty: &Type) -> bool {
    let callbacks = method.callbacks(calls);
    callbacks
        .iter()
        .any(|callback| std::ptr::eq(&callback.ty, ty))
}

/// The type of the state of a callback parameter.
fn state_of(ty: &Type) -> &Type {
    match ty {
        Type::Reference(reference) => &reference.elem,
        ty => argument_of(ty, "Option").unwrap_or(ty),
    }
}

/// Refuses to lend a handle with a release through a part that does not know its owner: what is made in that handle
/// would not keep the owner. Refuses to lend one by what lives in a tree: a call that edits the tree may give it out.
fn expand_lender_checks(block: &MethodsBlock, method: &Method, output: &Type) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let arguments = method.parameters.iter().filter_map(|Parameter { ty, .. }| {
        let target = match ParamKind::of(ty) {
            ParamKind::Ref(target)
            | ParamKind::Mut(target)
            | ParamKind::OptionRef(target)
            | ParamKind::OptionMut(target) => target,
            ParamKind::Owned(_)
            | ParamKind::OptionOwned(_)
            | ParamKind::Python
            | ParamKind::Value => return None,
        };
        (!is_call_data(ty)).then(|| erase_lifetimes(&target, receiver))
    });
    let lenders: Vec<Type> = match method.receiver {
        Receiver::None => arguments.collect(),
        _ => vec![receiver.clone()],
    };
    let lent = borrowed_handles(output);
    let checks = lent.iter().flat_map(|handle| {
        lenders.iter().map(move |lender| {
            let (name, part) = (type_name(handle), type_name(lender));
            let message = format!(
                "what is made in this `{name}` would not keep the owner of the `{part}` that lends it: add \
                 `owner_field = …`, the C field that points to the owner of a `{part}`, to the annotation of `{part}`, or \
                 lend the `{name}` by a method of that owner, with the `{part}` as a parameter"
            );
            let in_tree = format!(
                "a `{part}` is in a tree, and a call that edits the tree may give out the `{name}` that is lent here: return \
                 copies of what is wanted of the `{name}`, or an `Owned<{name}>`"
            );
            let probe = |ty: &Type| quote!(#runtime::__private::handle::Lender::<#ty>);
            let lifetime = quote!(#runtime::__private::lifetime);
            let known = quote!(#lifetime::LentBy::<#handle, #lender>::IS_OWNER);
            let is_above = quote!(#known || #lifetime::LentWithin::<#handle, #lender>::IS_OWNER);
            let (lent, lender) = (probe(handle), probe(lender));
            let check = quote! {
                ::core::assert!(!(#lent::IS_RELEASED && #lender::LOSES_HOME) || #known, #message);
                ::core::assert!(!(#lent::IS_RELEASED && #lender::IS_IN_TREE) || #is_above, #in_tree);
            };
            respanned(check, handle.span())
        })
    });
    let checks: Vec<_> = checks.collect();
    // What C lends through a handle that it lends to a callback, it lends to that callback.
    let unseen = lent.iter().map(|handle| {
        let probe = |lender| quote!(#runtime::__private::handle::Lender::<#lender>);
        let probes: Vec<_> = lenders.iter().map(probe).collect();
        quote! {
            #runtime::__private::inventory::submit! {
                #runtime::__private::kind::LentToCallbacks {
                    kind: <#handle as #runtime::__private::handle::Handle>::kind,
                    is_lent: false #(|| #probes::IS_CALLBACK_ONLY)*,
                    is_lent_by_call: true,
                    is_written: false,
                    lenders: &[#(#probes::KIND),*],
                    state: ::core::option::Option::None,
                }
            }
        }
    });
    if lent.is_empty() {
        return TokenStream::new();
    }
    quote! {
        const _: () = {
            #[allow(unused_imports, reason = "for parameters that are no handles")]
            use #runtime::__private::handle::LendsNothing as _;
            #[allow(unused_imports, reason = "for handles that know their owner")]
            use #runtime::__private::lifetime::LentByOther as _;
            #(#checks)*
            #(#unseen)*
        };
    }
}

/// Refuses types with names that hide handles or memory, because all other checks go by names.
pub(crate) fn expand_form_checks(
    method: &Method,
    output: &Type,
    runtime: &TokenStream,
) -> TokenStream {
    let form = form(output, runtime);
    let nothing = matches!(output, Type::Tuple(tuple) if tuple.elems.is_empty());
    let result = (!nothing).then(|| {
        respanned(
            quote!(#runtime::__private::shape::check::<#output, #form>();),
            method.output.value.span(),
        )
    });
    let values = method.parameters.iter().filter(|parameter| {
        matches!(
            ParamKind::of(&parameter.ty),
            ParamKind::Value | ParamKind::Python
        )
    });
    // One macro call for each parameter, so that rustc reports a mistake at its type.
    let values = values
        .map(|Parameter { name, ty }| respanned(quote!(#runtime::__by_value!(#name);), ty.span()));
    quote!(#result #(#values)*)
}

/// The message for a child that is made by a method of a part without `owner_field`.
pub(crate) fn unknown_parent_message(block: &MethodsBlock, handle: &Type) -> String {
    let (name, part) = (type_name(handle), type_name(&block.handle));
    format!(
        "the parent of this `{name}` is not known: add `owner_field = …`, the C field that points \
         to the owner of a `{part}`, to the annotation of `{part}`, or make the `{name}` by a \
         method of its parent, with the `{part}` as a parameter"
    )
}

/// Refuses results that have other parents than `keep_alive = (…)` names.
pub(crate) fn expand_keep_alive_check(
    block: &MethodsBlock,
    method: &Method,
    calls: &Calls,
) -> TokenStream {
    let runtime = &block.runtime;
    let output = erase_lifetimes(&method.output.value, &block.handle);
    let parents = method
        .parents(calls)
        .map(|(_, parent)| erase_lifetimes(&parent, &block.handle));
    let parents = quote!((#(#parents,)*));
    let checks = returned_handles(&output).into_iter().map(|handle| {
        let check = quote!(#runtime::__private::lifetime::check_beside::<#handle, #parents>(););
        respanned(check, handle.span())
    });
    quote!(#(#checks)*)
}

/// Refuses `gives_back` for handles of which C can have been given none.
pub(crate) fn expand_gives_back_check(
    block: &MethodsBlock,
    method: &Method,
    calls: &Calls,
) -> TokenStream {
    let Some(keyword) = &calls.gives_back else {
        return TokenStream::new();
    };
    let runtime = &block.runtime;
    let output = erase_lifetimes(&method.output.value, &block.handle);
    let checks = owned_handles(&output).into_iter().map(|handle| {
        let name = type_name(handle);
        let spec = quote!(<#handle as #runtime::__private::handle::Handle>::SPEC);
        let counted = format!(
            "C counts the owners of a `{name}`, and the one that it gives out is none that it was given: remove `gives_back`"
        );
        let kept = format!(
            "a `{name}` keeps values (`attachments`), so C is never given one: remove `gives_back`"
        );
        quote! {
            const _: () = ::core::assert!(!#spec.sharing.counted, #counted);
            const _: () = ::core::assert!(!#spec.attachments, #kept);
            const _: () = #runtime::__private::handle::check_transferable::<#handle>();
        }
    });
    respanned(quote!(#(#checks)*), keyword.span())
}

/// Refuses handles that cannot be used on the helper thread of `interrupt`.
pub(crate) fn expand_helper_thread_checks(
    block: &MethodsBlock,
    method: &Method,
    calls: &Calls,
) -> TokenStream {
    let Some(path) = &calls.interrupt else {
        return TokenStream::new();
    };
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let passed =
        method
            .parameters
            .iter()
            .filter_map(|parameter| match ParamKind::of(&parameter.ty) {
                ParamKind::Ref(target)
                | ParamKind::Mut(target)
                | ParamKind::OptionRef(target)
                | ParamKind::OptionMut(target)
                | ParamKind::Owned(target)
                | ParamKind::OptionOwned(target) => Some(erase_lifetimes(&target, receiver)),
                ParamKind::Python | ParamKind::Value => None,
            });
    let used = std::iter::once(receiver.clone()).chain(passed);
    let bound = |handle: &Type| {
        let name = type_name(handle);
        let message = format!(
            "a `{name}` is bound to its thread, and `interrupt` runs C on a helper thread: remove \
             `interrupt`"
        );
        quote! {
            ::core::assert!(!#runtime::__private::helper_thread::Probe::<#handle>::IS_THREAD_BOUND, #message);
        }
    };
    let made = made_handles(block, method);
    let made = made.iter().map(&bound);
    let checks = used.map(|handle| {
        let name = type_name(&handle);
        let bound = bound(&handle);
        let probe = quote!(#runtime::__private::helper_thread::Probe::<#handle>);
        let counted = format!(
            "the borrow of a reference-counted `{name}` belongs to the thread of the call, and `interrupt` runs C on a \
             helper thread: remove `interrupt`"
        );
        quote! {
            #bound
            ::core::assert!(!#probe::IS_COUNTED, #counted);
        }
    });
    let checks = checks.chain(made);
    let locks = "the calling thread holds the library's lock of this handle, so the helper thread \
     of `interrupt` would wait for it forever: remove `interrupt`";
    let checks = quote! {
        const _: () = {
            #[allow(unused_imports, reason = "a fallback for types that are no handles")]
            use #runtime::__private::helper_thread::NoHandle as _;
            #(#checks)*
            ::core::assert!(!<#receiver as #runtime::__private::handle::Handle>::LOCKS, #locks);
            #runtime::__private::helper_thread::errors_are_sent::<#receiver>();
        };
    };
    respanned(checks, path.span())
}

/// Refuses to have C keep a handle that ends with others, that others use, or that Python has to see into.
pub(crate) fn expand_kept_checks(
    block: &MethodsBlock,
    method: &Method,
    calls: &Calls,
) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let spec = |handle: &Type| quote!(<#handle as #runtime::__private::handle::Handle>::SPEC);
    let kept = method.kept_handles(calls).into_iter();
    let checks = kept.filter_map(|Parameter { ty, .. }| {
        let (ParamKind::Owned(target) | ParamKind::OptionOwned(target)) = ParamKind::of(ty) else {
            return None;
        };
        let target = erase_lifetimes(&target, receiver);
        let (name, keeper) = (type_name(&target), type_name(receiver));
        let (kept, keeping) = (spec(&target), spec(receiver));
        let child = format!(
            "a `{name}` has a parent, and it is not known that this outlives the `{keeper}`: remove `scope`, and have the C \
             function take over the `{name}` (`consumes = …`)"
        );
        let counted = format!(
            "C counts the owners of a `{name}`, so others may change it while this `{keeper}` uses it: remove `scope`, and \
             pass an owner that C takes over (`consumes = …`)"
        );
        let attachments = format!(
            "a `{name}` has `attachments`, which the garbage collector would not find in this `{keeper}`: pass a handle \
             without `attachments`"
        );
        let thread = format!(
            "a `{name}` is bound to its thread, and this `{keeper}` may be released on another one: remove \
             `thread_bound`, or pass the `{name}` by reference to each call"
        );
        let process = format!(
            "a `{name}` is bound to its process, and a forked child may use this `{keeper}`: add `fork_safe` to `{name}`, or \
             remove it from `{keeper}`"
        );
        let check = quote! {
            const _: () = {
                ::core::assert!(#kept.parent.is_none() && #kept.extra_parents.is_empty(), #child);
                ::core::assert!(!#kept.sharing.counted, #counted);
                ::core::assert!(!#kept.attachments, #attachments);
                ::core::assert!(!#kept.thread_bound, #thread);
                ::core::assert!(!#kept.is_process_bound() || #keeping.is_process_bound(), #process);
            };
        };
        Some(respanned(check, target.span()))
    });
    checks.collect()
}
