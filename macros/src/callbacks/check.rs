//! The rules of a callback, one small function each.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::{GenericParam, ItemImpl, ReceiverKind, Safety, Token, Type};

use crate::callbacks::ast::{CallbackCArg, CallbackMethod, parameters};
use crate::diagnostics::Diagnostics;
use crate::length::check_steps;
use crate::text::{Utf8, contains_string};
use crate::types::inspect::{
    contains_out_buffer, is_named, is_out_buffer, named_lifetime, type_name,
};
use crate::types::param_kind::ParamKind;

/// Checks the `impl` block itself.
pub(crate) fn check_block(item: &ItemImpl, diagnostics: &Diagnostics) {
    if let Some((path, _)) = &item.trait_ {
        diagnostics.at(
            path,
            "a callback cannot be a method of a trait: write `impl State { … }`",
        );
    }
    if let Some(parameter) = first_parameter(&item.generics.params, true) {
        diagnostics.at(
            parameter,
            "the state of a callback cannot be generic or borrow, because C gets one function and one pointer: write the \
             block for one type, such as `impl State<u8>`, that owns its fields",
        );
    }
}

pub(crate) fn check(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    check_form(callback, diagnostics);
    check_receiver(callback, diagnostics);
    check_parameters(callback, diagnostics);
    check_names(callback, diagnostics);
    check_lengths(callback, diagnostics);
    check_filled(callback, diagnostics);
    check_before(callback, diagnostics);
    check_text(callback, diagnostics);
    check_user_data(callback, diagnostics);
}

/// The first generic parameter. Lifetimes count if `lifetimes`.
fn first_parameter(
    parameters: &Punctuated<GenericParam, Token![,]>,
    lifetimes: bool,
) -> Option<&GenericParam> {
    parameters
        .iter()
        .find(|parameter| lifetimes || !matches!(parameter, GenericParam::Lifetime(_)))
}

/// Refuses functions of another form than `fn`.
fn check_form(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    let signature = &callback.method.sig;
    let refuse = |keyword: &dyn ToTokens, message: &str| diagnostics.at(keyword, message);
    if let Some(keyword) = &signature.asyncness {
        refuse(
            keyword,
            "a callback cannot be `async`, because C needs its result when it returns: remove `async`",
        );
    }
    if let Some(keyword) = &signature.constness {
        refuse(
            keyword,
            "a callback cannot be `const`, because it runs only when C calls it: remove `const`",
        );
    }
    if let Safety::Unsafe(keyword) = &signature.safety {
        refuse(
            keyword,
            "a callback is a safe function, because `#[callbacks(unsafe)]` vouches for the arguments of C: remove `unsafe`",
        );
    }
    if let Some(abi) = &signature.abi {
        refuse(
            abi,
            "a callback has Rust's ABI, because C calls a generated function: remove `extern`",
        );
    }
    if let Some(variadic) = &signature.variadic {
        refuse(
            variadic,
            "a callback cannot be variadic: declare each parameter",
        );
    }
    let open = parameters(&callback.method).find(|(_, ty)| matches!(ty, Type::ImplTrait(_)));
    const GENERIC: &str =
        "a callback cannot be generic, because C gets one function for all calls: name the type";
    if let Some(parameter) = first_parameter(&signature.generics.params, false) {
        refuse(parameter, GENERIC);
    } else if let Some((_, ty)) = open {
        refuse(ty, GENERIC);
    }
}

fn check_receiver(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    let signature = &callback.method.sig;
    let shared = signature
        .receiver()
        .is_some_and(|receiver| matches!(receiver.kind, ReceiverKind::Reference(_, _, None)));
    if !shared {
        diagnostics.at(
            &signature.ident,
            "C may call a callback while it is already running: take `&self`, and put state that changes into a `Mutex`",
        );
    }
}

fn check_parameters(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    for (name, ty) in parameters(&callback.method) {
        if let Some(lifetime) = named_lifetime(ty, None) {
            diagnostics.at(
                lifetime,
                "the arguments of a callback are valid until it returns: remove the lifetime, and copy what is needed later",
            );
        }
        if contains_out_buffer(ty) {
            continue;
        }
        check_reference(ty, diagnostics);
        let passed = callback.arguments.iter().any(|argument| match argument {
            CallbackCArg::Named(other) | CallbackCArg::Start(other, _) => other == name,
            _ => false,
        });
        if !passed {
            diagnostics.at(
                name,
                format!("`{name}` is not passed by C: name it in `args = (…)`, or remove it"),
            );
        }
    }
}

/// Refuses names in `args` that stand for nothing: a misspelled parameter, or a word of `#[calls]`.
fn check_names(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    let is_parameter = |name: &Ident| parameters(&callback.method).any(|(other, _)| other == name);
    let expressions = [&callback.data, &callback.length, &callback.on_error];
    let is_used = |name: &Ident| {
        let mut expressions = expressions.into_iter().flatten();
        expressions.any(|expression| names(expression.to_token_stream(), name))
    };
    for argument in &callback.arguments {
        match argument {
            CallbackCArg::Named(name) if name == "data" || is_parameter(name) || is_used(name) => {}
            CallbackCArg::Named(name) if name.to_string().starts_with('_') => {}
            CallbackCArg::Named(name) if name == "out" => diagnostics.at(
                name,
                "`out` is a word of `#[calls]`: to write what C wants through this pointer, take it as `&mut T` of a \
                 `callback_only` handle, or as an `OutBuffer` by `name.ptr` and `name.len`; or write `_`",
            ),
            CallbackCArg::Named(name) => diagnostics.at(
                name,
                format!(
                    "no parameter is named `{name}`, and no expression uses it: take the argument as a parameter, or write \
                     `_` or `_{name}`"
                ),
            ),
            CallbackCArg::Start(name, span) | CallbackCArg::Length(name, span)
                if !is_parameter(name) =>
            {
                let message = format!(
                    "no parameter is named `{name}`: take the memory as a parameter, or write `_`"
                );
                diagnostics.add(syn::Error::new(*span, message));
            }
            CallbackCArg::Start(..) | CallbackCArg::Length(..) | CallbackCArg::Ignored => {}
        }
    }
}

/// Returns whether `name` stands anywhere in `tokens`.
fn names(tokens: TokenStream, name: &Ident) -> bool {
    tokens.into_iter().any(|tree| match tree {
        TokenTree::Ident(ident) => ident == *name,
        TokenTree::Group(group) => names(group.stream(), name),
        TokenTree::Punct(_) | TokenTree::Literal(_) => false,
    })
}

/// Refuses references that a callback cannot take: text, which is copied, and optional handles.
fn check_reference(ty: &Type, diagnostics: &Diagnostics) {
    let (target, is_optional) = match ParamKind::of(ty) {
        ParamKind::Ref(target) | ParamKind::Mut(target) => (target, false),
        ParamKind::OptionRef(target) | ParamKind::OptionMut(target) => (target, true),
        _ => return,
    };
    let written = |name: &str| match is_optional {
        true => format!("Option<{name}>"),
        false => name.to_owned(),
    };
    if ["CStr", "str", "FsPath"]
        .iter()
        .any(|name| is_named(&target, name))
    {
        let (copied, decoded) = (written("CString"), written("String"));
        diagnostics.at(
            ty,
            format!(
                "a callback gets a copy of C's text: write `{copied}`, or `{decoded}` to have the text decoded"
            ),
        );
    } else if is_optional && !matches!(target, Type::Slice(_)) {
        let guard = written(&format!("Borrowed<{}>", type_name(&target)));
        diagnostics.at(
            ty,
            format!("an optional handle parameter of a callback is a guard: write `{guard}`"),
        );
    }
}

/// Refuses memory without a length, and a length without memory.
fn check_lengths(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    if let Some(until) = &callback.until
        && callback.unmeasured().all(|(_, ty)| contains_out_buffer(ty))
    {
        diagnostics.at(
            until,
            "`until` is the end of an array: pass a `Vec` as `name.ptr` in `args`, without `name.len`",
        );
    }
    let Some(length) = &callback.length else {
        for (name, ty) in callback.unmeasured() {
            if !callback.until_null() && !contains_out_buffer(ty) {
                diagnostics.at(
                    ty,
                    format!(
                        "a slice needs a length: pass `{name}.len` in `args`, or add `len = …` or `until = null`"
                    ),
                );
            }
        }
        return;
    };
    check_steps(length, diagnostics);
    if callback.until_null() {
        diagnostics.at(
            length,
            "the end of an array is its first NULL or 0, or it has a length: remove `until = null`, or `len`",
        );
    }
    let mut unmeasured = callback.unmeasured();
    if unmeasured.next().is_none() {
        diagnostics.at(
            length,
            "`len` is the length of memory whose length C does not pass as such: pass the memory as `name.ptr` in `args`, \
             without `name.len`, or remove `len`",
        );
    }
    for (name, ty) in unmeasured {
        diagnostics.at(
            ty,
            format!("`len` is the length of one memory: pass `{name}.len` in `args`"),
        );
    }
}

/// The rules for memory that C asks to be filled.
fn check_filled(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    for (name, ty) in parameters(&callback.method) {
        if contains_out_buffer(ty) && !is_out_buffer(ty) {
            diagnostics.at(
                ty,
                format!(
                    "memory that C asks a callback to fill is taken by value: write `mut {name}: OutBuffer<'_>`, or \
                     `Option<OutBuffer<'_>>` if C may pass NULL"
                ),
            );
        }
    }
    for (name, ty) in callback.filled() {
        if !callback.has_start(name) || !callback.has_length(name) && callback.length.is_none() {
            diagnostics.at(
                ty,
                format!(
                    "an `OutBuffer` is a pointer and a length: pass `{name}.ptr` and `{name}.len` in `args`, or add `len = …`"
                ),
            );
        }
        if callback.before.is_some() {
            diagnostics.at(
                ty,
                "C's own function fills the memory, and C gets its return value: remove `before`, or take a copy, such as \
                 `Bytes`",
            );
        }
    }
    for (_, ty) in callback.filled().skip(1) {
        diagnostics.at(
            ty,
            "a callback has one `OutBuffer`, because C gets one number of bytes: remove this one",
        );
    }
}

fn check_before(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    if callback.before.is_some()
        && let Some(value) = callback.value()
    {
        diagnostics.at(
            value,
            "C gets the return value of the `before` function: return `()` or `Result<()>`, or remove `before`",
        );
    }
}

fn check_text(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    let has_text = parameters(&callback.method).any(|(_, ty)| contains_string(ty));
    if callback.utf8 == Utf8::Lossy && !has_text {
        diagnostics.at(
            &callback.method.sig.ident,
            "`utf8` decides how a `String` parameter is decoded, and this callback has none: take a `String`, or remove `utf8`",
        );
    }
}

fn check_user_data(callback: &CallbackMethod, diagnostics: &Diagnostics) {
    let has_data = callback
        .arguments
        .iter()
        .any(|argument| matches!(argument, CallbackCArg::Named(name) if name == "data"));
    if callback.data.is_none() && !has_data && !callback.arguments.is_empty() {
        diagnostics.at(
            &callback.method.sig.ident,
            "the user data is missing, by which a callback finds its value: write `data` in `args = (…)`, or find it in \
             another argument: `data = ffi::user_data(context)`. If C passes no user data, use the C function that does, \
             such as `qsort_r` for `qsort`",
        );
    }
}
