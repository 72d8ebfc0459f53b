//! The methods as Rust callers get them.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::spanned::Spanned;
use syn::{FnArg, Index, Lifetime, Pat, ReceiverKind, ReturnType, Signature, Type};

use super::calls::{
    Argument, free_variable, lent_variable, life_variable, out_variable, pass, passed_on_variable,
    passed_variable, prepare, span_of, state_variable,
};
use super::interrupt::{expand_interrupt, helper_check};
use super::model::{
    Calls, Consumes, Field, Method, MethodsBlock, OnFailure, Parameter, Receiver, Source,
};
use super::results::{expand_own, expand_slots};
use super::sharing::{
    asking_check, expand_uses, lending_check, reading_check, retained_type, sharing_check,
};
use super::types::{
    Taken, bind_inputs, bound_here, bound_to, detached, form, given_handles, is_named, is_read,
    lent_handles, owned_handles, written,
};
use crate::in_c::in_c;
use crate::text::{decode, has_text, text_type};
use crate::words::{Place, argument_of, respanned, verbatim};

pub(crate) fn expand(block: &MethodsBlock) -> TokenStream {
    let MethodsBlock {
        attributes,
        handle,
        others,
        ..
    } = block;
    let methods = block
        .methods
        .iter()
        .map(|method| expand_method(block, method));
    quote! {
        #(#attributes)*
        impl #handle {
            #(#others)*
            #(#methods)*
        }
    }
}

/// The methods as they are written, and nothing that could be wrong in what is generated.
pub(crate) fn expand_skeleton(block: &MethodsBlock) -> TokenStream {
    let MethodsBlock {
        handle, runtime, ..
    } = block;
    let methods = block.methods.iter().map(|method| {
        let signature = rust_signature(method, runtime);
        let (attributes, visibility) = (&method.attributes, &method.visibility);
        let body = match &method.source {
            Source::Body(body) => body.to_token_stream(),
            _ => quote!({ ::core::unimplemented!() }),
        };
        quote! {
            #(#attributes)*
            #[allow(unused, reason = "there are mistakes in this block")]
            #visibility #signature #body
        }
    });
    quote!(impl #handle { #(#methods)* })
}

fn expand_method(block: &MethodsBlock, method: &Method) -> TokenStream {
    let runtime = &block.runtime;
    let Method {
        attributes,
        visibility,
        source,
        ..
    } = method;
    let signature = rust_signature(method, runtime);
    let python_only = (!method.rust_only)
        .then(|| quote!(#[allow(dead_code, reason = "Python calls it through the class")]));
    let body = match source {
        Source::Body(body) => body.to_token_stream(),
        Source::Calls(calls) => expand_calls(block, method, calls),
        Source::Field(field) => {
            let (place, body) = (
                place_check(block, method),
                expand_field(method, field, runtime),
            );
            let life = expand_life(method, None, runtime);
            let site = method
                .has_strict_text()
                .then(|| site(block, method, "", false));
            quote!({ #site #place #life #body })
        }
        Source::Nothing => quote!({ ::core::unimplemented!() }),
    };
    if matches!(source, Source::Calls(_)) && method.consumed().next().is_some() {
        return expand_consuming(block, method, body, runtime);
    }
    let comment = expand_comment(method);
    quote! {
        #(#attributes)*
        #comment
        #python_only
        #visibility #signature #body
    }
}

fn expand_comment(method: &Method) -> Option<TokenStream> {
    let comment = verbatim(method.comment.as_ref()?);
    Some(quote!(#[doc = #comment]))
}

/// The signature with the lifetimes of the result.
///
/// Without a receiver the result lives as long as every argument that it could be part of.
pub(crate) fn rust_signature(method: &Method, runtime: &TokenStream) -> Signature {
    let mut signature = method.signature.clone();
    let within = Lifetime::new("'__in", Span::call_site());
    let bound = match (&method.source, method.receiver) {
        (Source::Calls(calls), _) if !calls.keep_alive.is_empty() => {
            bind_parents(&mut signature, &calls.keep_alive, &within);
            true
        }
        (_, Receiver::None) => bind_inputs(&mut signature, &within),
        _ => false,
    };
    if bound {
        let within: syn::GenericParam = syn::parse_quote!('__in);
        signature.generics.params.insert(0, within);
    }
    if let ReturnType::Type(_, ty) = &mut signature.output {
        **ty = match (bound, method.receiver) {
            (true, _) => bound_to(ty, runtime, "'__in"),
            (false, Receiver::None) => bound_to(ty, runtime, "'static"),
            (false, _) => bound_to(ty, runtime, "'_"),
        };
    }
    for input in &mut signature.inputs {
        if let FnArg::Typed(typed) = input
            && let Taken::Owned(target) = Taken::of(&typed.ty)
        {
            let owned = respanned(quote!(#runtime::Owned<'_, #target>), target.span());
            *typed.ty = Type::Verbatim(owned);
        }
    }
    signature
}

/// Gives the receiver and the `keep_alive` one lifetime.
fn bind_parents(signature: &mut Signature, parents: &[Ident], lifetime: &Lifetime) {
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

/// The name of the method that takes what C keeps only when C does: see [`expand_consuming`].
pub(crate) fn lending_name(method: &Method) -> Ident {
    format_ident!("__{}_lending", method.signature.ident)
}

/// A method that passes `Owned` handles to C, and the one that Python calls: it takes each as the place where it is,
/// and leaves there what C did not keep.
fn expand_consuming(
    block: &MethodsBlock,
    method: &Method,
    body: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let itself = method.consumed_receiver(&block.handle);
    let public = rust_signature(method, runtime);
    let mut lending = public.clone();
    lending.ident = lending_name(method);
    for input in &mut lending.inputs {
        if let FnArg::Typed(typed) = input
            && let Pat::Ident(name) = &*typed.pat
            && let Some(parameter) = method.parameter(&name.ident)
            && let Taken::Owned(target) = Taken::of(&parameter.ty)
        {
            let place =
                quote!(&mut ::core::option::Option<#runtime::handle::Consumable<'_, #target>>);
            *typed.ty = Type::Verbatim(respanned(place, target.span()));
        }
    }
    let arguments = method
        .parameters
        .iter()
        .map(|Parameter { name, ty }| match Taken::of(ty) {
            Taken::Owned(target) => {
                let handle = quote!(#runtime::handle::Consumable::new(#name));
                let handle = respanned(handle, target.span());
                quote!(&mut ::core::option::Option::Some(#handle))
            }
            _ => quote!(#name),
        });
    let homes = method
        .consumed()
        .map(|Parameter { ty, .. }| match Taken::of(ty) {
            Taken::Owned(target) if method.receiver != Receiver::None => home_check(block, &target),
            _ => TokenStream::new(),
        });
    let homes = quote!(#(#homes)*);
    let kept = method
        .consumed()
        .filter(|parameter| itself.is_none_or(|itself| itself.name != parameter.name));
    let checks = kept.map(|Parameter { ty, .. }| match Taken::of(ty) {
        Taken::Owned(target) => {
            let target = detached(&target, &block.handle);
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
    let comment = expand_comment(method);
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
fn home_check(block: &MethodsBlock, target: &Type) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let target = detached(target, receiver);
    let (name, keeper) = (written(&target), written(receiver));
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

/// Refuses, while compiling, results that don't live in the receiver or in what that lives in, or that cannot be released
/// without another handle.
fn place_check(block: &MethodsBlock, method: &Method) -> TokenStream {
    let (runtime, receiver) = (&block.runtime, &block.handle);
    let output = detached(&method.output.value, receiver);
    let exclusive = method.receiver == Receiver::Exclusive;
    let place = match method.receiver {
        Receiver::None => quote!(#runtime::place::Nowhere),
        _ => quote!(#runtime::place::In<#receiver>),
    };
    let made = match method.receiver {
        Receiver::None => Vec::new(),
        _ => owned_handles(&output),
    };
    let checks = given_handles(&output).into_iter().map(|handle| {
        let is_made = made.iter().any(|other| std::ptr::eq(*other, handle));
        let check = quote!(#runtime::place::check_place::<#place, #handle, _>());
        let check = match is_made.then(|| unknown_parent(block, handle)) {
            Some(message) => quote!(
                const _: () = ::core::assert!(#check, #message);
            ),
            None => quote!(#check;),
        };
        let sharing = sharing_check(runtime, handle, exclusive);
        respanned(quote!(#check #sharing), handle.span())
    });
    let lending = lending_check(block, method);
    let reading = reading_check(block, method);
    let names = names_check(method, &output, runtime);
    quote!(#(#checks)* #names #lending #reading)
}

/// Refuses types whose names hide handles or memory: all other checks go by the names.
fn names_check(method: &Method, output: &Type, runtime: &TokenStream) -> TokenStream {
    let form = form(output, runtime);
    let nothing = matches!(output, Type::Tuple(tuple) if tuple.elems.is_empty());
    let result = (!nothing).then(|| {
        respanned(
            quote!(#runtime::forms::check::<#output, #form>();),
            method.output.value.span(),
        )
    });
    let values = method
        .parameters
        .iter()
        .filter(|parameter| matches!(Taken::of(&parameter.ty), Taken::Value));
    // A macro for each, so that a mistake is told where the type is written.
    let values = values
        .map(|Parameter { name, ty }| respanned(quote!(#runtime::__by_value!(#name);), ty.span()));
    quote!(#result #(#values)*)
}

/// The message for a child that is made through a part which does not know its owner.
fn unknown_parent(block: &MethodsBlock, handle: &Type) -> String {
    let (name, part) = (written(handle), written(&block.handle));
    format!(
        "nobody would know in which handle this `{name}` lives, so which one has to outlive it: name the field of C's struct \
         that points to the owner of a `{part}`, `owner_field = …`, or make the `{name}` by a method of the handle that it \
         lives in, with the `{part}` as a parameter"
    )
}

/// Refuses results that live also in something else than `keep_alive = (…)` says.
fn parents_check(block: &MethodsBlock, method: &Method, calls: &Calls) -> TokenStream {
    let runtime = &block.runtime;
    let output = detached(&method.output.value, &block.handle);
    let parents = method
        .parents(calls)
        .map(|(_, parent)| detached(&parent, &block.handle));
    let parents = quote!((#(#parents,)*));
    let checks = given_handles(&output).into_iter().map(|handle| {
        let check = quote!(#runtime::place::check_beside::<#handle, #parents>(););
        respanned(check, handle.span())
    });
    quote!(#(#checks)*)
}

/// What keeps each callback, during the call or for longer.
fn expand_states(method: &Method, calls: &Calls, runtime: &TokenStream) -> TokenStream {
    let callbacks = method.callbacks(calls);
    let states = callbacks.iter().map(|Parameter { name, ty }| {
        let state = state_variable(name);
        let keep = match Taken::of(ty) {
            Taken::Ref(_) => quote!(let #state = #runtime::callbacks::lend(#name);),
            _ => {
                let scope = calls.scope.as_ref().map(ToString::to_string);
                let place = format!("{}.{name}", method.signature.ident);
                let scope = match scope.as_deref() {
                    Some("notified") => quote!(Notified),
                    Some("until_replaced") => quote!(UntilReplaced(#place)),
                    _ => quote!(Forever),
                };
                let store = quote! {
                    #runtime::callbacks::store(&*self, #runtime::attachments::Scope::#scope, #name)
                };
                let store = respanned(store, ty.span());
                quote! {
                    // SAFETY: annotation `scope`: C keeps the callback for as long, and the call tells how it ended.
                    let mut #state = unsafe { #store };
                }
            }
        };
        respanned(keep, ty.span())
    });
    states.collect()
}

/// The handles that what a call lends without a receiver lives in.
fn lending_parameters<'a>(method: &'a Method, calls: &'a Calls) -> impl Iterator<Item = &'a Ident> {
    let lends = !lent_handles(&method.output.value).is_empty();
    let callbacks = method.callbacks(calls);
    let is_handle = move |parameter: &&Parameter| match Taken::of(&parameter.ty) {
        Taken::Ref(_) | Taken::Mut(_) if lends && !is_read(&parameter.ty) => {
            callbacks.iter().all(|other| other.name != parameter.name)
        }
        _ => false,
    };
    method
        .parameters
        .iter()
        .filter(is_handle)
        .map(|parameter| &parameter.name)
}

/// Returns whether handles that a call gives to C are kept in those that it makes, if any.
fn keeps_in_result(method: &Method) -> bool {
    method.receiver == Receiver::None && method.consumed().next().is_some()
}

/// `own`, after which it is noted what the handles live in that were made.
fn expand_born(
    method: &Method,
    calls: &Calls,
    own: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    let optional = argument_of(&method.output.value, "Option");
    let value = optional.unwrap_or(&method.output.value);
    let handle = |name| quote!(#runtime::children::Id::of(#name));
    let beside: Vec<_> = match method.receiver {
        Receiver::None => lending_parameters(method, calls).map(handle).collect(),
        _ => method
            .parents(calls)
            .map(|(name, _)| handle(name))
            .collect(),
    };
    let birth = match method.receiver {
        Receiver::None if beside.is_empty() && !keeps_in_result(method) => return own,
        Receiver::None => {
            let given = keeps_in_result(method).then(|| quote!(.keeping(&__unplaced)));
            quote!(#runtime::call::Birth::among(&[#(#beside),*]) #given)
        }
        _ => {
            let beside = (!beside.is_empty()).then(|| quote!(.beside(&[#(#beside),*])));
            let receiver = quote! {
                // SAFETY: annotation `calls`: C makes the result in the receiver; guarantee 16: `check_place`
                // compared the types.
                unsafe { #runtime::call::Birth::by(&*self) }
            };
            quote!(#receiver #beside)
        }
    };
    let Type::Tuple(tuple) = value else {
        return match makes_handles(value) {
            true => quote!(#runtime::call::noting_parents(#birth, #own)),
            false => own,
        };
    };
    let handles = tuple.elems.iter().enumerate();
    let handles = handles.filter(|(_, element)| makes_handles(element));
    let notes: Vec<_> = handles
        .map(|(index, _)| {
            let index = Index::from(index);
            quote!(born(&made.#index);)
        })
        .collect();
    if notes.is_empty() {
        return own;
    }
    let notes = match optional {
        None => quote!(|made, born| { #(#notes)* }),
        Some(_) => {
            quote!(|made, born| if let ::core::option::Option::Some(made) = made { #(#notes)* })
        }
    };
    quote!(#runtime::call::noting_parents_in(#birth, #own, #notes))
}

/// Returns whether the type is `Owned<…>` or `Borrowed<…>`, or an `Option` or `Vec` of that.
fn makes_handles(ty: &Type) -> bool {
    let inner = argument_of(ty, "Option").or_else(|| argument_of(ty, "Vec"));
    let itself = || {
        ["Owned", "Borrowed"]
            .iter()
            .any(|name| argument_of(ty, name).is_some())
    };
    inner.map_or_else(itself, makes_handles)
}

fn site(block: &MethodsBlock, method: &Method, function: &str, calls_back: bool) -> TokenStream {
    let runtime = &block.runtime;
    let method = format!(
        "{}.{}",
        block.handle.to_token_stream(),
        method.signature.ident
    );
    let calling_back = calls_back.then(|| quote!(, calling_back));
    quote! {
        #runtime::__site!(__SITE, #method, #function #calling_back);
    }
}

/// The generated body, after the lifetime of its result and what frees it: that is evaluated before anything else happens,
/// where nothing is `unsafe` that does not say so.
fn expand_calls(block: &MethodsBlock, method: &Method, calls: &Calls) -> TokenStream {
    let life = expand_life(method, Some(calls), &block.runtime);
    let free = calls.free.as_ref().map(|free| {
        let (variable, value) = (free_variable(), in_c(free));
        quote! {
            #[allow(unused_unsafe, reason = "the names in it may be safe")]
            let #variable = #value;
        }
    });
    let body = expand_call(block, method, calls);
    quote!({ #free #life #body })
}

/// The lifetime of the result: of the receiver and of the other parents, or of all arguments where there is no receiver.
fn expand_life(method: &Method, calls: Option<&Calls>, runtime: &TokenStream) -> TokenStream {
    let life = life_variable();
    let parents = calls.map_or(&[][..], |calls| &calls.keep_alive);
    let limits = match method.receiver {
        Receiver::None => method
            .parameters
            .iter()
            .map(|Parameter { name, ty }| {
                let limit = match is_read(ty) {
                    true => quote!(.beside(&#name)),
                    false => quote!(.limited_by(&#name)),
                };
                respanned(limit, ty.span())
            })
            .collect::<TokenStream>(),
        _ => parents
            .iter()
            .map(|name| quote!(.limited_by(&#name)))
            .collect(),
    };
    let start = match method.receiver {
        Receiver::None => quote!(any()),
        _ => quote!(of(&*self)),
    };
    quote!(let #life = #runtime::place::Life::#start #limits;)
}

fn expand_call(block: &MethodsBlock, method: &Method, calls: &Calls) -> TokenStream {
    let runtime = &block.runtime;
    let function = &calls.function;
    let name = function
        .segments
        .last()
        .map(|segment| segment.ident.to_string())
        .unwrap_or_default();
    let calls_back = !method.callbacks(calls).is_empty();
    let site = site(block, method, &name, calls_back);
    let states = expand_states(method, calls, runtime);
    let arguments = method.c_arguments(calls);
    let fields = method.field_arguments(calls);
    let prepared = arguments
        .iter()
        .chain(fields.iter().map(|(_, argument)| argument))
        .filter_map(|argument| prepare(argument, runtime));
    let (uses, c, call) = expand_c(method, calls, (&arguments, &fields), runtime);
    let slots = expand_slots(method, calls, runtime);
    let lent = method
        .consumed()
        .map(|parameter| expand_lent(parameter, runtime));
    let own = expand_own(method, calls, runtime);
    let own = expand_born(method, calls, own, runtime);
    let judged = expand_judged(calls, runtime);
    let settling = expand_settling(method, calls, runtime);
    let exclusive = expand_exclusive(method, runtime);
    let interruptible = expand_interrupt(block, calls);
    let helper = helper_check(block, method, calls);
    let looks = expand_looks(method, calls, runtime);
    let nothing = match &calls.none {
        None => quote!(|| ::core::option::Option::None),
        Some(_) => quote!(|| ::core::option::Option::Some(::core::option::Option::None)),
    };
    let place = place_check(block, method);
    let parents = parents_check(block, method, calls);
    let asking = calls
        .detach
        .then(|| asking_check(&block.handle, method, function.span(), runtime));
    let handle = match method.receiver {
        Receiver::None => quote!(::core::option::Option::<&Self>::None),
        _ => quote!(::core::option::Option::Some(&*self)),
    };
    let ending = match method.output.fallible {
        false => {
            // What C takes its own lock for, it takes without the GIL.
            let read = match calls.detach {
                true => quote!(read_locked),
                false => quote!(read),
            };
            quote!(.#read(&__SITE, #handle, #looks, #nothing, #own))
        }
        true => {
            let named = expand_named(method, calls);
            let made = match makes_the_handle(block, method) {
                None => quote!(|_| ::core::option::Option::None),
                Some(false) => quote!(|made| ::core::option::Option::Some(&**made)),
                Some(true) => quote!(|made| made.as_deref()),
            };
            quote!(.run(&__SITE, #handle, #runtime::__named!(#(#named),*), #looks, #nothing, #own, #made))
        }
    };
    let value = &method.output.value;
    let decoded = match method.output.fallible {
        false => decode(value, quote!(__result), method.utf8, runtime),
        true if has_text(value) => {
            let decoded = decode(value, quote!(__result?), method.utf8, runtime);
            quote!({ let __decoded = #decoded; ::core::result::Result::Ok(__decoded) })
        }
        true => quote!(__result),
    };
    // What may run the author's `Drop` goes last, while the result is a variable, which a panic releases.
    let states_end = method
        .stored(calls)
        .into_iter()
        .map(|Parameter { name, .. }| state_variable(name));
    let passed_on = method
        .consumed()
        .map(|Parameter { name, .. }| passed_on_variable(name));
    let passed_on: Vec<_> = passed_on.collect();
    let unplaced = keeps_in_result(method)
        .then(|| quote!(let __unplaced = #runtime::children::Unplaced::default();));
    quote! {
        #site
        #place
        #parents
        #helper
        #asking
        #states
        #(#prepared)*
        #slots
        #(#lent)*
        #(let mut #passed_on = #runtime::handle::PassedOn::nothing();)*
        #unplaced
        #uses
        #c
        let __result = #runtime::call::calling(#call) #interruptible #exclusive #judged #settling #ending;
        #(::core::mem::drop(#states_end);)*
        #(::core::mem::drop(#passed_on);)*
        #decoded
    }
}

/// What C gets of a handle that it may keep.
fn expand_lent(parameter: &Parameter, runtime: &TokenStream) -> TokenStream {
    let Parameter { name, ty } = parameter;
    let lent = lent_variable(name);
    let target = match Taken::of(ty) {
        Taken::Owned(target) => target,
        _ => ty.clone(),
    };
    let lend = quote!(#runtime::call::lent::<#target>(#name));
    let lend = respanned(lend, ty.span());
    quote! {
        // SAFETY: guarantee 7: the handle stays in its place until C has returned; afterwards only its address is
        // shown.
        let #lent = unsafe { #lend };
    }
}

/// The arguments for the message.
fn expand_named(method: &Method, calls: &Calls) -> Vec<TokenStream> {
    let callbacks = method.callbacks(calls);
    let told = method
        .parameters
        .iter()
        .filter(|parameter| !callbacks.iter().any(|other| other.name == parameter.name));
    let named = told.map(|parameter| {
        let name = &parameter.name;
        let value = match Taken::of(&parameter.ty) {
            Taken::Owned(_) => lent_variable(name),
            _ => name.clone(),
        };
        quote!(#name #value)
    });
    named.collect()
}

/// What says how the call ended, if anything does.
fn expand_judged(calls: &Calls, runtime: &TokenStream) -> Option<TokenStream> {
    if calls.fails.is_none() && calls.none.is_none() {
        return None;
    }
    let [none, fails] = [&calls.none, &calls.fails].map(|says| {
        let says = match says {
            None => return quote!(|_| false),
            Some(says) => says.expand(runtime),
        };
        match &calls.length {
            None => says,
            Some(_) => quote!(|(ret, _)| (#says)(ret)),
        }
    });
    Some(quote!(.judged(#none, #fails)))
}

/// What says which handles the call uses exclusively, if it uses some so.
fn expand_exclusive(method: &Method, runtime: &TokenStream) -> Option<TokenStream> {
    let receiver = (method.receiver == Receiver::Exclusive).then(|| quote!(of(&*self)));
    let parameters = method.parameters.iter().filter_map(|parameter| {
        let name = &parameter.name;
        match Taken::of(&parameter.ty) {
            Taken::Mut(target) if !matches!(target, Type::Slice(_)) => Some(quote!(of(&*#name))),
            Taken::OptionMut(target) if !matches!(target, Type::Slice(_)) => {
                Some(quote!(of_option(#name.as_deref())))
            }
            Taken::Owned(_) => {
                let lent = lent_variable(name);
                Some(quote!(of(#lent)))
            }
            _ => None,
        }
    });
    let used: Vec<_> = receiver.into_iter().chain(parameters).collect();
    (!used.is_empty()).then(|| quote!(.exclusively(&[#(#runtime::exclusive::Used::#used),*])))
}

/// What gives to its owner what C was passed and what C wrote to, once it is known how the call ended.
fn expand_settling(method: &Method, calls: &Calls, runtime: &TokenStream) -> Option<TokenStream> {
    let left = method.output.fallible && calls.consumes == Some(Consumes::OnSuccess);
    let keeper = match keeps_in_result(method) {
        true => quote!(#runtime::handle::Keeper::Result(&__unplaced)),
        false => {
            quote!(#runtime::handle::Keeper::Handle(#runtime::children::Id::of(&*self)))
        }
    };
    let consumed = method.consumed().map(|Parameter { name, .. }| {
        let passed_on = passed_on_variable(name);
        quote! {
            // SAFETY: annotation `consumes`: C has the handle from the call on, unless the verdict says that C left
            // it.
            let taken = unsafe { #runtime::call::Taken::by_c(#name) };
            #passed_on = #runtime::call::consumed(taken, __verdict, #left, #keeper);
        }
    });
    let left = method.output.fallible && calls.consumes != Some(Consumes::Always);
    let stored = method
        .stored(calls)
        .into_iter()
        .map(|Parameter { name, .. }| {
            let state = state_variable(name);
            quote!(#state.settle(__verdict, #left);)
        });
    let outs = (0..method.out_count(calls)).map(|n| {
        let slot = out_variable(n);
        quote!(#slot.settle(__verdict);)
    });
    let settled: Vec<TokenStream> = consumed.chain(stored).chain(outs).collect();
    (!settled.is_empty()).then(|| quote!(.settling(|__verdict| { #(#settled)* })))
}

/// Where what C gives may be looked at although the call did not succeed: what is not to be released is not looked at
/// where C failed.
fn expand_looks(method: &Method, calls: &Calls, runtime: &TokenStream) -> TokenStream {
    let failed = match calls.on_failure {
        Some(OnFailure::Owned) => true,
        Some(_) => false,
        None => method.out_count(calls) == 0,
    };
    let unknown = failed && calls.none.is_none();
    quote!(#runtime::call::Looks::of(#failed, #unknown))
}

/// The borrows of reference-counted handles, the closure that calls C, and what calls that and ends the borrows. The
/// arguments are evaluated in between, in safe code, before C is called and before a field is set.
fn expand_c(
    method: &Method,
    calls: &Calls,
    (arguments, fields): (&[Argument<'_>], &[(&Place, Argument<'_>)]),
    runtime: &TokenStream,
) -> (TokenStream, TokenStream, TokenStream) {
    let variable = |(n, argument): (usize, &Argument<'_>)| passed_variable(n, span_of(argument));
    let all: Vec<&Argument<'_>> = arguments
        .iter()
        .chain(fields.iter().map(|(_, argument)| argument))
        .collect();
    let variables: Vec<Ident> = all.iter().copied().enumerate().map(variable).collect();
    let values: Vec<TokenStream> = all.iter().map(|argument| pass(argument, runtime)).collect();
    let (passed, set) = variables.split_at(arguments.len());
    let function = &calls.function;
    let caught = Ident::new("__caught", Span::mixed_site());
    let call = quote_spanned!(function.span()=> #function(#(#passed),*));
    let call = quote! {
        // SAFETY: annotation `calls`: the call is right as long as each handle in it is valid; guarantee 3: each is
        // borrowed until C has returned.
        #caught.run(|| unsafe { #call })
    };
    let call = match &calls.length {
        None => call,
        Some(length) => {
            let length = quote_spanned!(length.span()=> #length(#(#passed),*));
            quote! {
                match #call {
                    ::core::option::Option::Some(memory) => {
                        // SAFETY: annotation `len`: the function may be called with the same arguments; guarantee 3:
                        // the handles are still borrowed.
                        ::core::option::Option::Some((memory, #caught.run(|| unsafe { #length })))
                    }
                    ::core::option::Option::None => ::core::option::Option::None,
                }
            }
        }
    };
    let call = expand_lent_fields(fields, set, call, runtime);
    let c = Ident::new("__c", Span::mixed_site());
    let closure = quote! {
        let #c = |#caught: &#runtime::call::Caught, #(#variables),*| #call;
    };
    // The helper thread of `interrupt` gets values; the author's expressions are evaluated on the thread of the call.
    let (closure, values) = match &calls.interrupt {
        None => (closure, values),
        Some(_) => (
            quote!(#closure #(let #variables = #values;)*),
            variables.iter().map(ToTokens::to_token_stream).collect(),
        ),
    };
    let mut called = quote!(#c(#caught, #(#values),*));
    if calls.detach {
        called = quote! {
            // SAFETY: annotation `detach`: the C function uses no Python.
            #runtime::call::detached(unsafe { #runtime::call::WithoutPython::promised() }, || #called)
        };
    }
    let (uses, called) = expand_uses(method, called, runtime);
    (uses, closure, quote!(|#caught| #called))
}

/// The call, with `fields` set before it; no pointer of ours stays in them afterwards.
fn expand_lent_fields(
    fields: &[(&Place, Argument<'_>)],
    variables: &[Ident],
    call: TokenStream,
    runtime: &TokenStream,
) -> TokenStream {
    if fields.is_empty() {
        return call;
    }
    let raw_pointer = Ident::new("raw", Span::mixed_site());
    let raw = quote!((*#raw_pointer));
    let before = |index: usize| format_ident!("__before_{index}", span = Span::mixed_site());
    let calls_back =
        |argument: &Argument<'_>| matches!(argument, Argument::Data(..) | Argument::Function(..));
    let set = fields.iter().zip(variables).map(|((place, _), variable)| {
        let field = place.within(&raw);
        respanned(quote!(#field = #variable;), place.span())
    });
    let save = fields
        .iter()
        .enumerate()
        .filter_map(|(index, (place, argument))| {
            let (field, before) = (place.within(&raw), before(index));
            let save = quote! {
                // SAFETY: annotation `fields`: the field may be read; guarantee 4: the receiver is borrowed
                // exclusively.
                let #before = unsafe { #field };
            };
            calls_back(argument).then(|| respanned(save, place.span()))
        });
    let clear = fields
        .iter()
        .enumerate()
        .filter_map(|(index, (place, argument))| {
            let field = respanned(place.within(&raw), place.span());
            let before = match argument {
                // As the pointer was passed, so that a field of the wrong type is told once.
                Argument::Start(..) => {
                    let null = quote!(#runtime::arguments::Start::null());
                    let null = quote!(#runtime::arguments::IntoC::into_c(#null));
                    respanned(null, span_of(argument))
                }
                argument if calls_back(argument) => before(index).to_token_stream(),
                _ => return None,
            };
            Some(quote!(#field = #before;))
        });
    quote!({
        let #raw_pointer = #runtime::handle::Handle::as_raw(&*self);
        #(#save)*
        // SAFETY: annotation `fields`: C reads the fields during the call; guarantee 4: the receiver is borrowed
        // exclusively.
        unsafe { #(#set)* }
        let ret = #call;
        // SAFETY: annotation `fields`: the fields may be written; guarantee 4: the receiver is still borrowed, as a
        // panic of C was caught.
        unsafe { #(#clear)* }
        ret
    })
}

/// Whether a constructor's result is the handle itself: `Owned<Self>`, or an option of that.
fn makes_the_handle(block: &MethodsBlock, method: &Method) -> Option<bool> {
    let value = &method.output.value;
    let optional = argument_of(value, "Option");
    let made = argument_of(optional.unwrap_or(value), "Owned")?;
    let itself = is_named(made, "Self") || written(made) == written(&block.handle);
    (method.receiver == Receiver::None && itself).then_some(optional.is_some())
}

fn expand_field(method: &Method, field: &Field, runtime: &TokenStream) -> TokenStream {
    // Apart from the author's names, among which may be a `raw`.
    let raw_pointer = Ident::new("raw", Span::mixed_site());
    let raw = quote!((*#raw_pointer));
    let exclusive = method.receiver == Receiver::Exclusive;
    let used = quote!(#runtime::counted::field(&*self, #exclusive));
    let used = match method.output.fallible {
        true => quote!(#used?),
        false => quote!(#runtime::counted::granted(#used)),
    };
    let handle = quote!(let #raw_pointer = #used;);
    if let [parameter] = &method.parameters[..] {
        let (name, place) = (&parameter.name, field.place.within(&raw));
        let value = quote!(#runtime::returns::written(#name));
        let value = respanned(value, parameter.ty.span());
        let passed = quote!(#runtime::arguments::IntoC::into_c(value));
        let passed = respanned(passed, name.span());
        let write = match &field.atomic {
            None => quote! {
                // SAFETY: annotation `field`: the place may be written; guarantee 4: the handle is borrowed exclusively.
                unsafe { #place = value }
            },
            Some(_) => {
                let store = quote!(#runtime::atomic::Atomic::store(&raw mut #place, value));
                let store = respanned(store, field.place.span());
                quote! {
                    // SAFETY: annotation `atomic`: the place may be written in one step while C reads it; guarantee 3: the
                    // handle is borrowed, so valid.
                    unsafe { #store }
                }
            }
        };
        return quote!({
            #handle
            let value = #value;
            let value = #passed;
            #write
        });
    }
    let written = match &field.retain {
        Some(_) => retained_type(&method.output.value),
        None => method.output.value.clone(),
    };
    let text = text_type(&written, runtime);
    let value = text.as_ref().unwrap_or(&written);
    let value = &bound_here(value, runtime);
    let life = life_variable();
    let read = match (&field.length, argument_of(value, "Vec")) {
        (Some(length), Some(element)) => {
            let start = field.place.within(&raw);
            let start = respanned(
                quote!(#runtime::returns::Start::start(#start)),
                field.place.span(),
            );
            let count = length.within(&raw);
            let count = respanned(
                quote!(#runtime::returns::Count::count(#count)),
                length.span(),
            );
            quote!(#runtime::returns::array::<_, #element>(#start, #count, #life))
        }
        _ if field.atomic.is_some() => {
            let place = field.place.within(&raw);
            let read = quote!(#runtime::atomic::Atomic::load(&raw mut #place));
            let read = respanned(read, field.place.span());
            quote_spanned! {value.span()=>
                #runtime::call::present(<#value as #runtime::returns::FromC<_>>::from_c_within(#read, #life))
            }
        }
        _ if !field.place.is_self() && is_text_result(&method.output.value) => {
            let place = field.place.within(&raw);
            let text = argument_of(value, "Option").unwrap_or(value);
            respanned(
                quote!(#runtime::returns::text::<#text, _>(&raw const #place)),
                value.span(),
            )
        }
        _ => {
            let place = if field.place.is_self() {
                quote!(#raw_pointer.cast())
            } else {
                field.place.within(&raw)
            };
            quote_spanned! {value.span()=>
                #runtime::call::present(<#value as #runtime::returns::FromC<_>>::from_c_within(#place, #life))
            }
        }
    };
    let read = quote! {
        // SAFETY: annotation `field`: the place may be read, and is what the type says; guarantee 3: the handle is
        // borrowed.
        unsafe { #read }
    };
    let read = match &field.retain {
        None => read,
        Some(word) => respanned(
            quote!(#runtime::counted::Retain::retain_now(#read)),
            word.span(),
        ),
    };
    let read = match makes_handles(&written) {
        true => quote!(#runtime::call::lending(&*self, #read)),
        false => read,
    };
    let read = match &field.when {
        None => read,
        Some((tag, values)) => {
            let tag = tag.within(&raw);
            quote! {
                // SAFETY: annotation `field`: the tag may be read at any time; guarantee 3: the handle is borrowed.
                match unsafe { #tag } {
                    #values => #read,
                    _ => ::core::option::Option::None,
                }
            }
        }
    };
    let read = quote!({ #handle #read });
    let read = decode(&method.output.value, read, method.utf8, runtime);
    match method.output.fallible {
        true => quote!({ let __decoded = #read; ::core::result::Result::Ok(__decoded) }),
        false => read,
    }
}

/// Whether the result is `Option<String>` or `Option<CString>`.
fn is_text_result(ty: &Type) -> bool {
    argument_of(ty, "Option").is_some_and(|ty| is_named(ty, "String") || is_named(ty, "CString"))
}
