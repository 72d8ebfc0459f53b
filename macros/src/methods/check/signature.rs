//! Rules for every method: its signature, and the attributes besides `#[calls]` and `#[field]`.

use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver, Source};
use crate::text::{Utf8, contains_string};
use crate::types::inspect::{argument_of, borrowed_slice, is_named, named_lifetime};
use crate::types::param_kind::ParamKind;
use syn::ext::IdentExt;
use syn::{ReceiverKind, Type};

/// Python's keywords that may be names in Rust.
pub(crate) const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield", "None",
    "True", "False",
];

pub(crate) fn check_signature(method: &Method, diagnostics: &Diagnostics) {
    let signature = &method.signature;
    if let Some(keyword) = &signature.asyncness {
        diagnostics.at(
            keyword,
            "a method of a handle can't be `async`: it holds its handle for the length of the call",
        );
    }
    if let Some(parameter) = signature.generics.type_params().next()
        && !method.rust_only
    {
        diagnostics.at(
            parameter,
            "Python has no generic methods: remove the parameter, or mark the method `#[rust_only]`",
        );
    }
    if !method.rust_only && !method.has_python_attribute("setter") {
        for parameter in &method.parameters {
            let name = parameter.name.unraw().to_string();
            if KEYWORDS.contains(&name.as_str()) {
                diagnostics.at(
                    &parameter.name,
                    format!("`{name}` is a keyword of Python, where nobody could name this parameter: call it otherwise"),
                );
            }
        }
    }
    for parameter in &method.parameters {
        if let Some(owned) = argument_of(&parameter.ty, "Option")
            && is_named(owned, "Owned")
        {
            diagnostics.at(
                &parameter.ty,
                "what is given away is not optional: take `Owned<…>`, and write another method without it",
            );
        }
    }
    if let Some(variadic) = &signature.variadic {
        diagnostics.at(
            variadic,
            "a method can't be variadic: name the arguments that are passed",
        );
    }
}

pub(crate) fn check_receiver(block: &MethodsBlock, method: &Method, diagnostics: &Diagnostics) {
    let name = &method.signature.ident;
    if let Some(value) = borrowed_slice(&method.output.value)
        && method.receiver == Receiver::Exclusive
        && !method.rust_only
    {
        diagnostics.at(
            value,
            "a handle lends its memory only while nobody has it alone: take `&self`, or return a copy, `Bytes`",
        );
    }
    if name == "__next__"
        && argument_of(&method.output.value, "Option").is_none()
        && !method.rust_only
    {
        diagnostics.at(
            &method.output.value,
            "`None` is an iterator's end: return `Option<…>`, or a `Result` of that",
        );
    }
    if method.receiver != Receiver::None {
        return;
    }
    if matches!(method.source, Source::Field(_)) {
        diagnostics.at(name, "a field is read from a handle: take `&self`");
    } else if !method.rust_only
        && !method.has_python_attribute("staticmethod")
        && !method.has_python_attribute("new")
        && method.consumed_receiver(&block.handle).is_none()
    {
        diagnostics.at(
            name,
            "a method without `self` has to say what it is in Python: requires either `#[new]`, `#[staticmethod]` \
             or `#[rust_only]`",
        );
    }
}

pub(crate) fn check_reference_count(method: &Method, diagnostics: &Diagnostics) {
    const AT_MOST: usize = 8;
    let held = |parameter: &&Parameter| {
        !matches!(
            ParamKind::of(&parameter.ty),
            ParamKind::Value | ParamKind::Python
        )
    };
    if let (Some(parameter), false) = (
        method.parameters.iter().filter(held).nth(AT_MOST),
        method.rust_only,
    ) {
        diagnostics.at(
            &parameter.name,
            format!("a method takes at most {AT_MOST} references from Python: take less, or mark the method `#[rust_only]`"),
        );
    }
}

/// A body that runs without the interpreter.
pub(crate) fn check_detach(method: &Method, diagnostics: &Diagnostics) {
    let Some(keyword) = &method.detach else {
        return;
    };
    match &method.source {
        Source::Calls(_) => diagnostics.at(
            keyword,
            "`#[detach]` is for methods with a body: write `#[calls(…, detach)]`",
        ),
        Source::Field(_) => diagnostics.at(
            keyword,
            "reading or writing a field takes no time: remove `#[detach]`",
        ),
        Source::Body(_) | Source::Nothing => {}
    }
    for parameter in &method.parameters {
        if matches!(ParamKind::of(&parameter.ty), ParamKind::Python) {
            diagnostics.at(
                &parameter.ty,
                "what is detached from the interpreter has no token of it: remove `#[detach]` or the parameter",
            );
        }
    }
}

/// `#[foreign(…)]` exempts handles from the check that they belong to the receiver's ancestors.
pub(crate) fn check_foreign(method: &Method, diagnostics: &Diagnostics) {
    if let (Some(keyword), true) = (&method.reads_parent, method.receiver != Receiver::Exclusive) {
        diagnostics.at(
            keyword,
            "a method that takes `&self` leaves the parent as it is: remove `#[reads_parent]`",
        );
    }
    for name in &method.foreign {
        let handle = method.parameter(name).is_some_and(|parameter| {
            !matches!(
                ParamKind::of(&parameter.ty),
                ParamKind::Python | ParamKind::Value
            )
        });
        if !handle {
            diagnostics.at(
                name,
                format!("`{name}` is no handle of this method: name a parameter such as `&Handle`"),
            );
        }
    }
}

/// Text that is not UTF-8 is an error, unless the author says that it may lose its bytes.
pub(crate) fn check_text(method: &Method, diagnostics: &Diagnostics) {
    let value = match &method.source {
        Source::Calls(calls) => calls.utf8,
        Source::Field(field) if method.parameters.is_empty() => field.utf8,
        _ => return,
    };
    if method.has_strict_text() && !method.output.fallible {
        diagnostics.at(
            &method.output.value,
            "the text that C gives may not be UTF-8: return `Result<…>`, or add `utf8 = lossy`, by which bytes that are not \
             become U+FFFD; a `CString` keeps every byte",
        );
    }
    if let (Some(Utf8::Lossy), false) = (value, contains_string(&method.output.value)) {
        diagnostics.at(
            &method.output.value,
            "`utf8` is about text of C that becomes a `String`: return one, or remove the word",
        );
    }
}

/// `retain` makes an owner of what C returns.
pub(crate) fn check_retain(method: &Method, diagnostics: &Diagnostics) {
    let (keyword, outs) = match &method.source {
        Source::Calls(calls) => (&calls.retain, method.out_count(calls)),
        Source::Field(field) => (&field.retain, 0),
        Source::Body(_) | Source::Nothing => return,
    };
    let Some(keyword) = keyword else { return };
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    if argument_of(value, "Owned").is_none() {
        diagnostics.at(
            keyword,
            "`retain` makes the caller an owner: return `Owned<…>`, or an `Option` of it",
        );
    } else if outs > 0 {
        diagnostics.at(
            keyword,
            "`retain` is for what C returns: what C writes to `out` is the caller's already",
        );
    }
}

/// How long a result lives is not the author's to say, but the receiver's.
pub(crate) fn check_lifetimes(method: &Method, diagnostics: &Diagnostics) {
    let receiver = method.signature.receiver();
    let receiver = receiver.and_then(|receiver| match &receiver.kind {
        ReceiverKind::Reference(_, lifetime, _) => lifetime.as_ref(),
        _ => None,
    });
    if let Some(lifetime) = named_lifetime(&method.output.value, receiver) {
        diagnostics.at(
            lifetime,
            "what C gives lives as long as the receiver or what that lives in: leave the lifetime out",
        );
    }
}

/// C has no generic functions: who owns a result and how an argument is passed is said by the type.
pub(crate) fn check_generics(method: &Method, diagnostics: &Diagnostics) {
    const MESSAGE: &str = "the types say who owns what C gets and gives, so they are not the caller's to choose: name the \
         type, and write a method with a body for others";
    if let Some(parameter) = method.signature.generics.type_params().next() {
        diagnostics.at(parameter, MESSAGE);
    }
    let open = |parameter: &&Parameter| matches!(&parameter.ty, Type::ImplTrait(_));
    if let Some(parameter) = method.parameters.iter().find(open) {
        diagnostics.at(&parameter.ty, MESSAGE);
    }
}
