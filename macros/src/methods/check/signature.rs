//! Rules for every method: its signature, and the attributes besides `#[calls]` and `#[field]`.

use syn::ext::IdentExt;
use syn::{ReceiverKind, Safety, Signature, Type};

use crate::diagnostics::Diagnostics;
use crate::methods::ast::{Method, MethodsBlock, Parameter, Receiver, Source};
use crate::text::{Utf8, contains_string, is_string};
use crate::types::inspect::{argument_of, borrowed_slice, is_slice_ref, is_unit, named_lifetime};
use crate::types::param_kind::ParamKind;

/// Python's keywords that may be names in Rust.
pub(crate) const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield", "None",
    "True", "False",
];

/// Checks that `__buffer__` exports memory.
fn check_buffer_protocol(method: &Method, diagnostics: &Diagnostics) {
    if method.rust_only || !method.exports_memory() {
        return;
    }
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    if !is_slice_ref(value) || !method.parameters.is_empty() || method.receiver == Receiver::None {
        diagnostics.at(
            &method.signature.ident,
            "`__buffer__` exports memory of the handle: write `fn __buffer__(&self) -> &[u8]`, or an `Option` or a `Result` \
             of it",
        );
    }
}

pub(crate) fn check_signature(method: &Method, diagnostics: &Diagnostics) {
    let signature = &method.signature;
    if let Some(keyword) = &signature.asyncness {
        diagnostics.at(
            keyword,
            "a method cannot be `async`, because it borrows its handle only during the call: \
             remove `async`",
        );
    }
    check_form(method, diagnostics);
    check_buffer_protocol(method, diagnostics);
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
                    format!(
                        "`{name}` is a keyword of Python, so it cannot be the name of an \
                     argument: rename the parameter"
                    ),
                );
            }
        }
    }
    for parameter in &method.parameters {
        if matches!(ParamKind::of(&parameter.ty), ParamKind::OptionOwned(_))
            && matches!(method.source, Source::Calls(_))
            && !method.is_kept(parameter)
        {
            diagnostics.at(
                &parameter.ty,
                "a handle that C takes over cannot be optional: take `Owned<…>`, and write another \
                 method without it",
            );
        }
    }
    if let Some(variadic) = &signature.variadic {
        diagnostics.at(
            variadic,
            "a method cannot be variadic: declare each parameter",
        );
    }
}

/// Refuses `unsafe`, `const` and `extern` where the generated code cannot have them.
fn check_form(method: &Method, diagnostics: &Diagnostics) {
    let Signature {
        constness,
        safety,
        abi,
        ..
    } = &method.signature;
    let generated = matches!(method.source, Source::Calls(_) | Source::Field(_));
    if let (Some(keyword), true) = (constness, generated) {
        diagnostics.at(
            keyword,
            "a method that calls C or reads a field cannot be `const`: remove `const`",
        );
    }
    if !generated && method.rust_only {
        return;
    }
    if let Safety::Unsafe(keyword) = safety {
        diagnostics.at(
            keyword,
            "a method of a handle is safe, because `#[methods(unsafe)]` vouches for its C calls: remove `unsafe`, or mark a \
             method with a body `#[rust_only]`",
        );
    }
    if let Some(abi) = abi {
        diagnostics.at(abi, "a method of a handle has Rust's ABI: remove `extern`");
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
            "memory cannot be lent while the handle is borrowed by `&mut`: take `&self`, or return \
             a copy, `Bytes`",
        );
    }
    if name == "__next__"
        && argument_of(&method.output.value, "Option").is_none()
        && !method.rust_only
    {
        diagnostics.at(
            &method.output.value,
            "`__next__` ends the iteration by returning `None`: return `Option<…>`, or a `Result` \
             of it",
        );
    }
    if let Some(name) = method.without_result()
        && !method.rust_only
        && !is_unit(&method.output.value)
    {
        diagnostics.at(
            &method.output.value,
            format!(
                "Python takes no result of `{name}`: return nothing, or `Result<()>`, or mark the method `#[rust_only]`"
            ),
        );
    }
    if method.receiver != Receiver::None {
        return;
    }
    if matches!(method.source, Source::Field(_)) {
        diagnostics.at(name, "a field belongs to a handle: take `&self`");
    } else if !method.rust_only
        && !method.has_python_attribute("staticmethod")
        && !method.has_python_attribute("new")
        && method.consumed_receiver(&block.handle).is_none()
    {
        diagnostics.at(
            name,
            "a method without `self` needs its kind in Python: add `#[new]`, `#[staticmethod]` or \
             `#[rust_only]`",
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
            format!(
                "a method can take at most {AT_MOST} references from Python: remove \
             parameters, or mark the method `#[rust_only]`"
            ),
        );
    }
}

/// Checks `#[detach]`.
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
            "reading or writing a field does not block: remove `#[detach]`",
        ),
        Source::Body(_) | Source::Nothing => {}
    }
    for parameter in &method.parameters {
        if matches!(ParamKind::of(&parameter.ty), ParamKind::Python) {
            diagnostics.at(
                &parameter.ty,
                "a `#[detach]` method cannot take `Python<'_>`: remove `#[detach]` or the parameter",
            );
        }
    }
}

/// Checks `#[foreign(…)]` and `#[reads_parent]`.
pub(crate) fn check_foreign(method: &Method, diagnostics: &Diagnostics) {
    if let (Some(keyword), true) = (&method.reads_parent, method.receiver != Receiver::Exclusive) {
        diagnostics.at(
            keyword,
            "a method that takes `&self` does not change the parent: remove `#[reads_parent]`",
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
                format!("`{name}` is not a handle parameter: name a parameter such as `&Handle`"),
            );
        }
    }
}

/// Checks `utf8 = lossy`, and that undecodable text can be reported.
pub(crate) fn check_text(method: &Method, diagnostics: &Diagnostics) {
    let value = match &method.source {
        Source::Calls(calls) => calls.utf8,
        Source::Field(field) if method.parameters.is_empty() => field.utf8,
        _ => return,
    };
    if method.has_strict_text() && !method.output.fallible {
        diagnostics.at(
            &method.output.value,
            "text from C may not be UTF-8: return `Result<…>`, add `utf8 = lossy` to replace \
             invalid bytes with U+FFFD, or return a `CString`, which keeps every byte",
        );
    }
    if let (Some(Utf8::Lossy), false) = (value, contains_string(&method.output.value)) {
        diagnostics.at(
            &method.output.value,
            "`utf8` decides how a returned `String` is decoded, and this method returns none: \
             return a `String`, or remove `utf8`",
        );
    }
}

/// Checks a method that makes a Python object from C's memory. Returns false if its token or its result cannot be that
/// of such a method.
pub(crate) fn check_token(method: &Method, diagnostics: &Diagnostics) -> bool {
    if !matches!(method.source, Source::Calls(_) | Source::Field(_)) {
        return true;
    }
    let Some(token) = &method.token else {
        let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
        if argument_of(value, "Bound").is_some() {
            diagnostics.at(
                value,
                "an object that is made from C's memory is a `PyString` or a `PyBytes`, and is made with the token of the \
                 interpreter: add the parameter `py: Python<'py>`, or return a `String` or `Bytes`",
            );
            return false;
        }
        let mut has_token = false;
        for parameter in &method.parameters {
            if matches!(ParamKind::of(&parameter.ty), ParamKind::Python) {
                has_token = true;
                diagnostics.at(
                    &parameter.ty,
                    "C has no use for the token of the interpreter: return `Result<Bound<'py, PyString>>`, an object \
                     that is made from C's text, or remove the parameter",
                );
            }
        }
        return !has_token;
    };
    if !method.rust_only {
        diagnostics.at(
            token,
            "Python gets an object that is made from C's memory anyway: return a `String` or `Bytes` and remove the token, \
             or mark the method `#[rust_only]`",
        );
    }
    if !method.output.fallible {
        diagnostics.at(
            &method.output.value,
            "there may be no memory for the object: return a `Result` of it",
        );
    }
    true
}

/// Checks `interned`.
pub(crate) fn check_interned(method: &Method, diagnostics: &Diagnostics) {
    let Some(interned) = method.interned() else {
        return;
    };
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    if !is_string(value) || (method.rust_only && method.token.is_none()) {
        diagnostics.at(
            interned,
            "`interned` is for text that Python gets: return a `String` from C, or an `Option` of it, or remove `interned`",
        );
    }
}

/// Checks `retain`.
pub(crate) fn check_retain(method: &Method, diagnostics: &Diagnostics) {
    let (keyword, out_params) = match &method.source {
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
    } else if out_params > 0 {
        diagnostics.at(
            keyword,
            "`retain` is for a returned object, and an object in `out` belongs to the caller \
             already: remove `retain`",
        );
    }
}

/// Refuses named lifetimes of a result, which lives as long as the receiver.
pub(crate) fn check_lifetimes(method: &Method, diagnostics: &Diagnostics) {
    let receiver = method.signature.receiver();
    let receiver = receiver.and_then(|receiver| match &receiver.kind {
        ReceiverKind::Reference(_, lifetime, _) => lifetime.as_ref(),
        _ => None,
    });
    if let Some(lifetime) = named_lifetime(&method.output.value, receiver) {
        diagnostics.at(
            lifetime,
            "a result lives as long as the receiver or a parent of it: remove the lifetime",
        );
    }
}

/// Refuses generic parameters, because ownership and conversions are decided by types.
pub(crate) fn check_generics(method: &Method, diagnostics: &Diagnostics) {
    const MESSAGE: &str = "a generated method cannot be generic, because its types decide \
     ownership and conversions: name the type, or write a method with a body";
    if let Some(parameter) = method.signature.generics.type_params().next() {
        diagnostics.at(parameter, MESSAGE);
    }
    let open = |parameter: &&Parameter| matches!(&parameter.ty, Type::ImplTrait(_));
    if let Some(parameter) = method.parameters.iter().find(open) {
        diagnostics.at(&parameter.ty, MESSAGE);
    }
}
