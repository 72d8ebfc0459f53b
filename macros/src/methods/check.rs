//! The rules of a methods block, one small function each. What rustc says well by itself is left to it.

use syn::ext::IdentExt;
use syn::visit::Visit;
use syn::{ReceiverKind, ReturnType, Type};

use super::calls::{Argument, can_fail};
use super::interrupt::{check_atomic, check_interrupt};
use super::model::{Calls, Consumes, Field, Method, MethodsBlock, Parameter, Receiver, Source};
use super::types::{Taken, is_bytes, is_named, lent_memory, written};
use crate::diagnostics::Diagnostics;
use crate::fails::Fails;
use crate::text::{Utf8, has_text};
use crate::words::{argument_of, is_slice, named_lifetime, report_renamed};

/// Python's keywords that may be names in Rust.
const KEYWORDS: &[&str] = &[
    "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif",
    "else", "except", "finally", "for", "from", "global", "if", "import", "in", "is", "lambda",
    "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield", "None",
    "True", "False",
];

pub(crate) fn check(block: &MethodsBlock, diagnostics: &Diagnostics) {
    check_unsafe_word(block, diagnostics);
    for method in &block.methods {
        check_signature(method, diagnostics);
        check_detach(method, diagnostics);
        check_receiver(block, method, diagnostics);
        check_count(method, diagnostics);
        check_foreign(method, diagnostics);
        check_text(method, diagnostics);
        check_retain(method, diagnostics);
        match &method.source {
            Source::Calls(calls) => check_calls(method, calls, diagnostics),
            Source::Field(field) => check_field(method, field, diagnostics),
            Source::Body(_) | Source::Nothing => {}
        }
    }
    check_names(block, diagnostics);
}

fn check_unsafe_word(block: &MethodsBlock, diagnostics: &Diagnostics) {
    let generated = |method: &&Method| matches!(method.source, Source::Calls(_) | Source::Field(_));
    if let (false, Some(method)) = (block.is_unsafe, block.methods.iter().find(generated)) {
        diagnostics.at(
            &method.signature.ident,
            "a method that is generated from C is its author's word about C: write `#[methods(unsafe)]` on this block",
        );
    }
}

fn check_signature(method: &Method, diagnostics: &Diagnostics) {
    let signature = &method.signature;
    if let Some(word) = &signature.asyncness {
        diagnostics.at(
            word,
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

/// Text that is not UTF-8 is an error, unless the author says that it may lose its bytes.
fn check_text(method: &Method, diagnostics: &Diagnostics) {
    let said = match &method.source {
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
    if let (Some(Utf8::Lossy), false) = (said, has_text(&method.output.value)) {
        diagnostics.at(
            &method.output.value,
            "`utf8` is about text of C that becomes a `String`: return one, or remove the word",
        );
    }
}

/// A body that runs without the interpreter.
fn check_detach(method: &Method, diagnostics: &Diagnostics) {
    let Some(word) = &method.detach else { return };
    match &method.source {
        Source::Calls(_) => diagnostics.at(
            word,
            "`#[detach]` is for methods with a body: write `#[calls(…, detach)]`",
        ),
        Source::Field(_) => diagnostics.at(
            word,
            "reading or writing a field takes no time: remove `#[detach]`",
        ),
        Source::Body(_) | Source::Nothing => {}
    }
    for parameter in &method.parameters {
        if matches!(Taken::of(&parameter.ty), Taken::Python) {
            diagnostics.at(
                &parameter.ty,
                "what is detached from the interpreter has no token of it: remove `#[detach]` or the parameter",
            );
        }
    }
}

/// Who passes a callback to C has to say how long C keeps it.
fn check_callbacks(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    const SCOPES: &str = "`notified` (until C calls the destroy function), `until_replaced` (until this method is called again), or \
         `handle` (as long as the handle)";
    let callbacks = method.callbacks(calls);
    let stored = method.stored(calls);
    for parameter in &callbacks {
        match Taken::of(&parameter.ty) {
            Taken::Value | Taken::Ref(_) => {}
            _ => diagnostics.at(
                &parameter.ty,
                "a callback is passed as `&State` for the length of the call, or as `State` or `Option<State>` if C \
                 keeps it",
            ),
        }
        let is_data = |argument: &Argument<'_>| matches!(argument, Argument::Data(other, _) if other.name == parameter.name);
        let fields = method.field_arguments(calls);
        let has_data = method.c_arguments(calls).iter().any(is_data)
            || fields.iter().any(|(_, argument)| is_data(argument));
        if !has_data {
            let name = &parameter.name;
            diagnostics.at(
                name,
                format!("C needs the user data to find the callback: pass `{name}.data` in `args`"),
            );
        }
    }
    for (_, argument) in method.field_arguments(calls) {
        if let Argument::Data(parameter, span) | Argument::Function(parameter, _, span) = argument
            && !matches!(Taken::of(&parameter.ty), Taken::Ref(_))
        {
            diagnostics.add(syn::Error::new(
                span,
                "`fields` are as they were when the call has ended: lend the callback for the call by `&`",
            ));
        }
    }
    let destroyed = method
        .c_arguments(calls)
        .iter()
        .find_map(|argument| match argument {
            Argument::Destroy(parameter, span) => Some((parameter.name.clone(), *span)),
            _ => None,
        });
    let Some(first) = stored.first() else {
        if let Some(scope) = &calls.scope {
            diagnostics.at(
                scope,
                "`scope` says how long C keeps a callback that it is passed by value: remove it",
            );
        }
        if let Some((_, span)) = destroyed {
            diagnostics.add(syn::Error::new(
                span,
                "what is lent for the call is not destroyed by C: take the callback by value",
            ));
        }
        return;
    };
    if method.receiver == Receiver::None {
        diagnostics.at(
            &first.ty,
            "what C keeps belongs to a handle: take `&self`, or lend it for the call by `&`",
        );
    }
    match calls.scope.as_ref().map(ToString::to_string).as_deref() {
        None => diagnostics.at(
            &first.ty,
            format!("nothing says how long C keeps it: add `scope = …` with {SCOPES}"),
        ),
        Some("notified") => {
            if destroyed.is_none() {
                diagnostics.at(
                    &first.name,
                    format!(
                        "C is told by what to destroy it: pass `{}.destroy` in `args`",
                        first.name
                    ),
                );
            }
            if calls.fails.is_some() && calls.consumes.is_none() {
                diagnostics.at(
                    &first.ty,
                    "nothing says whether a failing call has destroyed it: add `consumes = always` or `consumes = on_success`",
                );
            }
        }
        Some("until_replaced" | "handle") => {
            if let Some((name, span)) = &destroyed {
                diagnostics.add(syn::Error::new(
                    *span,
                    format!("`{name}.destroy` is for `scope = notified`"),
                ));
            }
            let replaced = calls
                .scope
                .as_ref()
                .is_some_and(|scope| scope == "until_replaced");
            if replaced && method.receiver == Receiver::Shared {
                diagnostics.at(
                    &first.ty,
                    "what it replaces may be running: take `&mut self`",
                );
            }
        }
        Some(_)
            if calls
                .scope
                .as_ref()
                .is_some_and(|scope| report_renamed("scope", scope, diagnostics)) => {}
        Some(_) => diagnostics.at(
            calls.scope.as_ref().unwrap_or(&first.name),
            format!("this is no scope: one of {SCOPES} is expected"),
        ),
    }
}

/// What a result lives in besides the receiver is passed by reference.
fn check_parents(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    for name in &calls.keep_alive {
        let lent = method
            .parameter(name)
            .is_some_and(|parameter| matches!(Taken::of(&parameter.ty), Taken::Ref(_)));
        if !lent {
            diagnostics.at(
                name,
                format!("`{name}` is no handle that the result can live in: name a parameter that is `&Handle`"),
            );
        }
    }
    if let (Some(name), Receiver::None) = (calls.keep_alive.first(), method.receiver) {
        diagnostics.at(
            name,
            "the first parent is the receiver, or what that lives in: take `&self`",
        );
    }
    if let (Some(name), Some(_), false) = (
        calls.keep_alive.first(),
        lent_memory(&method.output.value),
        method.rust_only,
    ) {
        diagnostics.at(
            name,
            "a `memoryview` of lent memory keeps the receiver open, and not this handle: return a copy, `Bytes`, or mark the \
             method `#[rust_only]`",
        );
    }
}

/// `retain` makes an owner of what C returns.
fn check_retain(method: &Method, diagnostics: &Diagnostics) {
    let (word, outs) = match &method.source {
        Source::Calls(calls) => (&calls.retain, method.out_count(calls)),
        Source::Field(field) => (&field.retain, 0),
        Source::Body(_) | Source::Nothing => return,
    };
    let Some(word) = word else { return };
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    if argument_of(value, "Owned").is_none() {
        diagnostics.at(
            word,
            "`retain` makes the caller an owner: return `Owned<…>`, or an `Option` of it",
        );
    } else if outs > 0 {
        diagnostics.at(
            word,
            "`retain` is for what C returns: what C writes to `out` is the caller's already",
        );
    }
}

/// `#[foreign(…)]` exempts handles from the check that they belong to the receiver's ancestors.
fn check_foreign(method: &Method, diagnostics: &Diagnostics) {
    if let (Some(word), true) = (&method.reads_parent, method.receiver != Receiver::Exclusive) {
        diagnostics.at(
            word,
            "a method that takes `&self` leaves the parent as it is: remove `#[reads_parent]`",
        );
    }
    for name in &method.foreign {
        let handle = method.parameter(name).is_some_and(|parameter| {
            !matches!(Taken::of(&parameter.ty), Taken::Python | Taken::Value)
        });
        if !handle {
            diagnostics.at(
                name,
                format!("`{name}` is no handle of this method: name a parameter such as `&Handle`"),
            );
        }
    }
}

fn check_count(method: &Method, diagnostics: &Diagnostics) {
    const AT_MOST: usize = 8;
    let held =
        |parameter: &&Parameter| !matches!(Taken::of(&parameter.ty), Taken::Value | Taken::Python);
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

fn check_receiver(block: &MethodsBlock, method: &Method, diagnostics: &Diagnostics) {
    let name = &method.signature.ident;
    if let Some(value) = lent_memory(&method.output.value)
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

fn check_calls(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    check_arguments(method, calls, diagnostics);
    check_lifetimes(method, diagnostics);
    check_generics(method, diagnostics);
    check_result(method, calls, diagnostics);
    check_null(method, calls, diagnostics);
    check_outs(method, calls, diagnostics);
    check_memory(method, calls, diagnostics);
    check_owner(method, calls, diagnostics);
    check_consumed(method, calls, diagnostics);
    check_callbacks(method, calls, diagnostics);
    check_parents(method, calls, diagnostics);
    check_interrupt(method, calls, diagnostics);
    if let (Some(none), None) = (&calls.none, argument_of(&method.output.value, "Option")) {
        let message = "`none` says when there is no result: return an `Option`";
        match none {
            Fails::Sticky | Fails::Unknown => {}
            _ => diagnostics.at(&method.output.value, message),
        }
    }
    if matches!(calls.none, Some(Fails::Sticky)) {
        diagnostics.at(
            &calls.function,
            "`none` looks at what C returns: write `nonzero`, `negative` or `when(|ret| …)`",
        );
    }
}

/// Whoever gives a handle to C has to know whether a failing call has it.
fn check_consumed(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let consumed = method.consumed().next();
    if consumed.is_none() && !method.stored(calls).is_empty() {
        return;
    }
    match (consumed, calls.consumes, &calls.fails) {
        (None, Some(_), _) => diagnostics.at(
            &calls.function,
            "`consumes` is about what is passed as `Owned<…>`: take a parameter so, or remove the word",
        ),
        (Some(parameter), None, Some(_)) => diagnostics.at(
            &parameter.ty,
            "nothing says whether a failing call has it: add `consumes = always` or `consumes = on_success`",
        ),
        (Some(_), Some(Consumes::OnSuccess), None | Some(Fails::Sticky)) => diagnostics.at(
            &calls.function,
            "`consumes = on_success` needs to know from what C returns whether it failed: add `fails = null`, \
             `nonzero`, `negative` or `when(|ret| …)`",
        ),
        _ => {}
    }
    let twice = |parameter: &&Parameter| {
        let arguments = method.c_arguments(calls);
        let same = arguments.iter().filter(|argument| {
            matches!(argument, Argument::Parameter(other, _) if other.name == parameter.name)
        });
        same.count() > 1
    };
    if let Some(parameter) = method.consumed().find(twice) {
        diagnostics.at(
            &parameter.name,
            "C can have it only once: pass it once in `args`",
        );
    }
}

/// What is copied from memory needs to know how much there is.
fn check_memory(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    let text = is_named(value, "String") || is_named(value, "CString");
    let array = argument_of(value, "Vec").is_some();
    let lent = is_slice(value);
    let bytes = is_named(value, "Bytes") || lent;
    let out_length = method.out_length(calls);
    if let (Some(free), false) = (&calls.free, (text || array || bytes) && !lent) {
        diagnostics.at(
            free,
            "`free` is for what is copied first: return `String`, `CString`, `Bytes` or a `Vec`",
        );
    }
    if let (Some(length), false) = (&calls.length, bytes || array || is_named(value, "String")) {
        diagnostics.at(
            length,
            "`len` tells the length of the memory that C returns: return `Bytes`, `String` or a `Vec`, or an `Option` of it",
        );
    }
    if let (Some(span), false) = (out_length, bytes || array || is_named(value, "String")) {
        diagnostics.add(syn::Error::new(
            span,
            "C writes to `len` how long the memory is that it gives: return `Bytes`, `String` or a `Vec`, or an `Option` of it",
        ));
    }
    if let (Some(until), false) = (&calls.until, array) {
        diagnostics.at(until, "`until` ends an array: return a `Vec`");
    }
    let ways = [
        calls.length.is_some(),
        calls.until.is_some(),
        out_length.is_some(),
    ];
    match ways.into_iter().filter(|way| *way).count() {
        0 if bytes && method.out_count(calls) > 0 && calls.free.is_none() => {}
        0 if bytes => diagnostics.at(
            value,
            "memory needs a length: add `len = ffi::the_function`, which gets the same arguments, or pass `len` in \
             `args` where C writes it",
        ),
        0 if array => diagnostics.at(
            value,
            "an array needs its length: add `len = ffi::the_function`, `until = null`, or pass `len` in `args` where C \
             writes it",
        ),
        0 | 1 => {}
        _ => diagnostics.at(
            &calls.function,
            "the length comes from one place: keep one of `len = …`, `until = null`, and `len` in `args`",
        ),
    }
    if let (Some(length), true) = (&calls.length, method.out_count(calls) > 0) {
        diagnostics.at(
            length,
            "`len = …` is for memory that C returns: pass `len` in `args` where C writes the length",
        );
    }
}

/// `free`, `borrowed` and `owned` say together who has what C gives.
fn check_owner(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let value = argument_of(&method.output.value, "Option").unwrap_or(&method.output.value);
    let copied = |ty: &Type| {
        let ty = argument_of(ty, "Option").unwrap_or(ty);
        let text = is_named(ty, "String") || is_named(ty, "CString");
        text || is_named(ty, "Bytes") || argument_of(ty, "Vec").is_some()
    };
    let is_copied = match value {
        Type::Tuple(tuple) => tuple.elems.iter().any(copied),
        value => copied(value),
    };
    if let (Some(borrowed), Some(_)) = (&calls.borrowed, &calls.free) {
        diagnostics.at(
            borrowed,
            "memory is freed by C or by the caller: keep one of `borrowed` and `free`",
        );
    } else if let (Some(borrowed), false) = (&calls.borrowed, is_copied) {
        diagnostics.at(
            borrowed,
            "`borrowed` says that the memory which is copied stays C's: return `String`, `CString`, `Bytes` or a `Vec`, or \
             remove the word",
        );
    }
    let Some(owned) = &calls.owned else {
        return;
    };
    let is_given = is_named(value, "Owned") && method.out_count(calls) == 0;
    if calls.retain.is_some() {
        diagnostics.at(
            owned,
            "`retain` makes the caller an owner of a handle that C lends: remove `owned`",
        );
    } else if !is_given && calls.free.is_none() {
        diagnostics.at(
            owned,
            "`owned` says that the caller releases or frees what C returns as `const`: return `Owned<…>`, add `free = …`, or \
             remove the word",
        );
    }
}

fn check_arguments(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let mut arguments = method.c_arguments(calls);
    let fields = method.field_arguments(calls);
    if let (Some((place, _)), true) = (fields.first(), method.receiver != Receiver::Exclusive) {
        diagnostics.at(
            place,
            "`fields` are written for the length of the call: take `&mut self`",
        );
    }
    arguments.extend(fields.into_iter().map(|(_, argument)| argument));
    let mut misspelt = false;
    let mut mentioned = Vec::new();
    for argument in &arguments {
        match argument {
            Argument::Constant(constant) => {
                misspelt |= check_constant(method, constant, diagnostics);
                mentioned.extend(mentions(constant));
            }
            Argument::Parameter(parameter, span) if is_bytes(&parameter.ty) => {
                let name = &parameter.name;
                diagnostics.add(syn::Error::new(
                    *span,
                    format!("bytes are passed as pointer and length: write `{name}.ptr, {name}.len` in `args = (…)`"),
                ));
            }
            Argument::Receiver(span) if method.receiver == Receiver::None => {
                diagnostics.add(syn::Error::new(
                    *span,
                    "there is no `self` to pass: take `&self`, or leave it out of `args`",
                ));
            }
            _ => {}
        }
        if can_fail(argument) && !method.output.fallible {
            let place = match argument {
                Argument::Length(parameter, _) | Argument::Parameter(parameter, _) => {
                    &parameter.name
                }
                _ => &method.signature.ident,
            };
            diagnostics.at(
                place,
                "this argument may not fit C (a NUL inside the text, or too many bytes for C's length): \
                 return `Result<…>`",
            );
        }
    }
    for parameter in &method.parameters {
        let passed = arguments.iter().any(|argument| match argument {
            Argument::Parameter(other, _)
            | Argument::Start(other, _)
            | Argument::Length(other, _)
            | Argument::Data(other, _)
            | Argument::Destroy(other, _)
            | Argument::Function(other, ..) => other.name == parameter.name,
            _ => false,
        });
        // What is misspelt in `args` is not also missing there.
        if !passed && !misspelt && !mentioned.contains(&parameter.name) {
            let name = &parameter.name;
            diagnostics.at(
                name,
                format!("`{name}` is not passed to C: name it in `args = (…)`, or remove it"),
            );
        }
    }
}

fn check_outs(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let outs = method.out_count(calls);
    if let (Some(_), 0) = (calls.on_failure, outs) {
        diagnostics.at(
            &calls.function,
            "`on_failure` says what a failing call leaves in `out`: add `out` to `args = (…)`, or remove the word",
        );
    }
    if let (Some(_), None) = (calls.on_failure, &calls.fails) {
        diagnostics.at(
            &calls.function,
            "`on_failure` needs to know when C failed: add `fails = nonzero`, `negative` or `when(|ret| …)`",
        );
    }
    let value = method.out_value(calls);
    let Some(types) = method.out_types(calls) else {
        diagnostics.at(
            &method.output.value,
            format!("there are {outs} `out` in `args`: return a tuple of {outs} values"),
        );
        return;
    };
    if let (1, Type::Tuple(tuple)) = (outs, value) {
        diagnostics.at(
            tuple,
            "what C writes to `out` is the result: return its type",
        );
    }
    let freed = calls.free.as_ref().and(types.first());
    let owned = types
        .iter()
        .find(|ty| is_named(argument_of(ty, "Option").unwrap_or(ty), "Owned"))
        .or(freed);
    if let (Some(owned), Some(_), None) = (owned, &calls.fails, calls.on_failure) {
        diagnostics.at(
            owned,
            "nothing says what a failing call leaves in `out`: add `on_failure = owned` (something to be released), \
             `null` (nothing) or `undefined` (it must not be looked at)",
        );
    }
}

/// The names in an expression.
fn mentions(expression: &syn::Expr) -> Vec<syn::Ident> {
    struct Names(Vec<syn::Ident>);
    impl<'a> Visit<'a> for Names {
        fn visit_expr_path(&mut self, path: &'a syn::ExprPath) {
            self.0.extend(path.path.get_ident().cloned());
        }
    }
    let mut names = Names(Vec::new());
    names.visit_expr(expression);
    names.0
}

/// Whether what stands for a constant must be a misspelt name.
fn check_constant(method: &Method, constant: &syn::Expr, diagnostics: &Diagnostics) -> bool {
    let syn::Expr::Path(path) = constant else {
        return false;
    };
    let Some(name) = path.path.get_ident() else {
        return false;
    };
    let misspelt = name
        .to_string()
        .starts_with(|first: char| first.is_lowercase());
    if misspelt {
        let known = method
            .parameters
            .iter()
            .map(|parameter| format!(", `{}`", parameter.name))
            .collect::<String>();
        diagnostics.at(name, format!("`{name}` is not a parameter: one of `self`, `null`{known} or a constant is expected"));
    }
    misspelt
}

/// How long a result lives is not the author's to say, but the receiver's.
fn check_lifetimes(method: &Method, diagnostics: &Diagnostics) {
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
fn check_generics(method: &Method, diagnostics: &Diagnostics) {
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

fn check_result(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let fails = calls.fails.is_some();
    if fails && !method.output.fallible {
        let message = "`fails` says that the call can fail: return `Result<…>`";
        match &method.signature.output {
            ReturnType::Type(_, ty) => diagnostics.at(ty, message),
            ReturnType::Default => diagnostics.at(&method.signature.ident, message),
        }
    }
    let fields = method.field_arguments(calls);
    let arguments_fail = method.c_arguments(calls).iter().any(can_fail)
        || fields.iter().any(|(_, argument)| can_fail(argument));
    if method.output.fallible && !fails && !arguments_fail && !method.has_strict_text() {
        diagnostics.at(
            &calls.function,
            "a `Result` needs to know when C failed: add `fails = null`, `nonzero`, `negative` or `when(|ret| …)`",
        );
    }
}

fn check_null(method: &Method, calls: &Calls, diagnostics: &Diagnostics) {
    let value = &method.output.value;
    let pointer = ["Owned", "Borrowed", "String", "CString", "Bytes"]
        .into_iter()
        .any(|name| is_named(value, name))
        || is_slice(value);
    match (&calls.fails, pointer) {
        (None, true) => diagnostics.at(
            value,
            format!("C may return NULL here: return `Option<{0}>`, or `Result<{0}>` with `fails = null`", written(value)),
        ),
        (Some(Fails::Null(word)), _) if argument_of(value, "Option").is_some() => {
            diagnostics.at(word, "NULL is either a failure or `None`: remove `fails = null` or the `Option`");
        }
        _ => {}
    }
}

fn check_field(method: &Method, field: &Field, diagnostics: &Diagnostics) {
    check_lifetimes(method, diagnostics);
    check_generics(method, diagnostics);
    check_atomic(field, diagnostics);
    let value = &method.output.value;
    let setter = !method.parameters.is_empty();
    if method.output.fallible && !method.has_strict_text() {
        diagnostics.at(
            value,
            "reading or writing a field can't fail: remove the `Result`",
        );
    }
    let written_alone = method.receiver == Receiver::Exclusive || field.atomic.is_some();
    if setter && (method.parameters.len() > 1 || !written_alone) {
        diagnostics.at(
            &method.signature.ident,
            "a field is written by a method with `&mut self` and the value",
        );
    }
    if let (true, Some(Parameter { name, ty })) = (setter, method.parameters.first())
        && !matches!(Taken::of(ty), Taken::Value)
    {
        diagnostics.at(
            name,
            "C would keep this reference when the call has ended: write a number, or use the C function for it",
        );
    }
    if setter && (field.length.is_some() || field.when.is_some()) {
        diagnostics.at(&field.place, "`len` and `when` are for reading a field");
    }
    if let (false, Some(length)) = (setter, &field.length)
        && argument_of(value, "Vec").is_none()
    {
        diagnostics.at(
            length,
            "`len` counts the elements of an array: return `Vec<…>`",
        );
    }
    if field.length.is_none() && argument_of(value, "Vec").is_some() {
        diagnostics.at(
            &field.place,
            "an array needs its length: add `len = the_field`",
        );
    }
    if let Some((tag, _)) = &field.when
        && argument_of(value, "Option").is_none()
    {
        diagnostics.at(
            tag,
            "with another tag there is no value: return `Option<…>`",
        );
    }
    for pointer in ["Borrowed", "String", "CString"] {
        if !setter && is_named(value, pointer) {
            diagnostics.at(
                value,
                format!("the field may be NULL: return `Option<{}>`", written(value)),
            );
        }
    }
    if is_named(argument_of(value, "Option").unwrap_or(value), "Owned") {
        diagnostics.at(
            value,
            "what a field points to belongs to the struct: return `Borrowed`",
        );
    }
}

fn check_names(block: &MethodsBlock, diagnostics: &Diagnostics) {
    const TAKEN: &[&str] = &[
        "close",
        "closed",
        "__enter__",
        "__exit__",
        "__repr__",
        "__eq__",
        "__hash__",
    ];
    for method in block.methods.iter().filter(|method| !method.rust_only) {
        let name = method.signature.ident.to_string();
        if TAKEN.contains(&name.as_str()) {
            diagnostics.at(
                &method.signature.ident,
                format!("every handle has `{name}` already: choose another name, or mark the method `#[rust_only]`"),
            );
        }
    }
}
