//! Parses the arguments of `#[handle(…)]`.

use proc_macro2::{Ident, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Path, Token, Type};

use crate::attr::{
    Arg, ArgValue, CommonArgs, TargetAndArgs, parse_args, parse_repeatable_args, parse_when,
};
use crate::diagnostics::Diagnostics;
use crate::field_path::FieldPath;
use crate::handle::ast::{
    ChildList, ErrorsArg, HandleArgs, LockArg, Release, ReleaseCArgs, ThreadLocal, TreeArg,
};
use crate::status::StatusTest;

/// The arguments that name the C type, one of which is required.
const C_TYPES: [&str; 3] = ["raw", "caller_allocates", "integer"];

const ALLOWED: &[&str] = &[
    "raw",
    "caller_allocates",
    "integer",
    "invalid",
    "interrupt",
    "retain",
    "borrowed_with",
    "independent",
    "release",
    "parent",
    "mut_parent",
    "reads_parent",
    "lends",
    "attachments",
    "thread_bound",
    "fork_safe",
    "process_bound",
    "errors",
    "lock",
    "thread_locals",
    "part_of",
    "until_mut",
    "owner_field",
    "tree",
    "callback_only",
    "warn_unclosed",
    "subclass",
    "name",
    "module",
    "crate",
];

pub(crate) fn parse(tokens: TokenStream, diagnostics: &Diagnostics) -> HandleArgs {
    let (common, parsed) = CommonArgs::parse(tokens, ALLOWED, diagnostics);
    let mut args = HandleArgs {
        understood: diagnostics.is_empty(),
        common,
        ..HandleArgs::default()
    };
    for arg in parsed {
        let name = arg.name.clone();
        args.has_c_type |= C_TYPES.iter().any(|c_type| name == c_type);
        match name.to_string().as_str() {
            "raw" => args.raw = arg.value("raw = ffi::the_type", diagnostics),
            "caller_allocates" => {
                if args.raw.is_some() {
                    diagnostics.at(
                        &name,
                        "`raw` and `caller_allocates` name two C types: keep one of them",
                    );
                }
                args.caller_allocates = Some(name);
                args.raw = arg.value("caller_allocates = ffi::the_type", diagnostics);
            }
            "integer" => args.integer = Some((name, arg.value("integer = c_int", diagnostics))),
            "invalid" => args.invalid = Some((name, arg.value("invalid = -1", diagnostics))),
            "interrupt" => {
                let path = arg.value("interrupt = TheHandle::the_method", diagnostics);
                args.interrupt = Some((name, path));
            }
            "retain" => {
                args.retain = Some((name, arg.value("retain = ffi::the_function", diagnostics)))
            }
            "borrowed_with" => {
                let ty = arg.value("borrowed_with = TheHandle", diagnostics);
                args.borrowed_with = Some((name, ty));
            }
            "independent" => args.independent = arg.flag(diagnostics).then_some(name),
            "release" => args.release = Some((name, parse_release(arg, diagnostics))),
            "parent" => args.parent = Some((name, arg.value("parent = TheHandle", diagnostics))),
            "part_of" => args.part_of = Some((name, arg.value("part_of = TheHandle", diagnostics))),
            "mut_parent" => args.sharing.mut_parent = arg.flag(diagnostics).then_some(name),
            "reads_parent" => args.sharing.reads_parent = arg.flag(diagnostics).then_some(name),
            "lends" => args.sharing.lends = arg.flag(diagnostics).then_some(name),
            "owner_field" => {
                args.owner_field = Some((name, arg.value("owner_field = field", diagnostics)))
            }
            "until_mut" => args.until_mut = arg.flag(diagnostics).then_some(name),
            "tree" if matches!(arg.value, ArgValue::None) => args.owns_tree = Some(name),
            "tree" => args.tree = Some((name, parse_tree(arg, diagnostics))),
            "callback_only" => args.callback_only = arg.flag(diagnostics).then_some(name),
            "warn_unclosed" => args.warn_unclosed = arg.flag(diagnostics).then_some(name),
            "subclass" => args.subclass = arg.flag(diagnostics).then_some(name),
            "attachments" => args.attachments = arg.flag(diagnostics).then_some(name),
            "thread_bound" => args.thread_bound = arg.flag(diagnostics).then_some(name),
            "fork_safe" => args.fork_safe = arg.flag(diagnostics).then_some(name),
            "process_bound" => args.process_bound = arg.flag(diagnostics).then_some(name),
            "errors" => args.errors = parse_errors(arg, diagnostics),
            "lock" => args.lock = parse_lock(arg, diagnostics),
            _ => args.thread_locals = parse_thread_locals(arg, diagnostics),
        }
    }
    args
}

pub(crate) fn parse_release(arg: Arg, diagnostics: &Diagnostics) -> Option<Release> {
    let ArgValue::List(tokens) = arg.value else {
        let function = arg.value("release = ffi::the_function", diagnostics)?;
        return Some(Release {
            function,
            fails: None,
            kept_on_failure: false,
            c_args: None,
            detach: false,
        });
    };
    let form = "release(ffi::the_function, fails = nonzero)";
    let parsed: TargetAndArgs<Path> = TargetAndArgs::of(tokens, form, diagnostics)?;
    let mut release = Release {
        function: parsed.target,
        fails: None,
        kept_on_failure: false,
        c_args: None,
        detach: false,
    };
    let mut on_failure: Option<Ident> = None;
    for arg in parse_args(
        parsed.args,
        &["fails", "on_failure", "args", "detach"],
        diagnostics,
    ) {
        match arg.name.to_string().as_str() {
            "fails" => release.fails = StatusTest::of(arg, diagnostics),
            "args" => release.c_args = arg.value("args = (parent, self)", diagnostics),
            "detach" => release.detach = arg.flag(diagnostics),
            _ => on_failure = arg.value("on_failure = kept", diagnostics),
        }
    }
    if let Some(keyword) = on_failure {
        release.kept_on_failure = keyword == "kept";
        if keyword != "kept" && keyword != "released" {
            diagnostics.at(
                &keyword,
                format!("`{keyword}` is not a state of a handle after a failed release: write `kept` (still open) or `released`"),
            );
        } else if release.fails.is_none() {
            diagnostics.at(
                &keyword,
                "`on_failure` requires a test for failure: add `fails = nonzero`, `negative` or `when(|ret| …)`",
            );
        }
    }
    Some(release)
}

impl Parse for ReleaseCArgs {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        let span = input.span();
        syn::parenthesized!(content in input);
        let names =
            Punctuated::<Ident, Token![,]>::parse_terminated_with(&content, Ident::parse_any)?;
        let names: Vec<Ident> = names.into_iter().collect();
        let count = |keyword: &str| names.iter().filter(|name| *name == keyword).count();
        if count("self") != 1 || count("parent") != 1 || names.len() != 2 {
            return Err(syn::Error::new(
                span,
                "a release function takes the handle and its parent: write `args = (parent, self)`",
            ));
        }
        Ok(ReleaseCArgs(names))
    }
}

/// The form of `tree(…)`, for messages.
const TREE: &str = "tree(parent = field, children = field, next = field, object = field, release = ffi::the_function)";

fn parse_tree(arg: Arg, diagnostics: &Diagnostics) -> Option<TreeArg> {
    let name = arg.name.clone();
    let ArgValue::List(tokens) = arg.value else {
        diagnostics.at(
            &name,
            format!("`tree` says how the parts are linked: write `{TREE}`"),
        );
        return None;
    };
    let (mut parent, mut next, mut object, mut release, mut root) = (None, None, None, None, None);
    let mut children = Vec::new();
    let known = ["parent", "children", "next", "object", "release", "root"];
    for arg in parse_repeatable_args(tokens, &known, &["children"], diagnostics) {
        match arg.name.to_string().as_str() {
            "parent" => parent = arg.value("parent = field", diagnostics),
            "children" => children.extend(parse_child_list(arg, diagnostics)),
            "next" => next = arg.value("next = field", diagnostics),
            "object" => object = arg.value("object = field", diagnostics),
            "release" => release = arg.value("release = ffi::the_function", diagnostics),
            _ => root = arg.value("root = field_of_the_owner", diagnostics),
        }
    }
    if let (Some(parent), Some(next), Some(object), Some(release), [_, ..]) =
        (parent, next, object, release, &children[..])
    {
        return Some(TreeArg {
            parent,
            children,
            next,
            object,
            release,
            root,
        });
    }
    if diagnostics.is_empty() {
        diagnostics.at(
            &name,
            format!(
                "`tree` needs the field of the parent, of the first child and of the next sibling, the field that C \
                 reserves for the application, and the release function: write `{TREE}`"
            ),
        );
    }
    None
}

fn parse_child_list(arg: Arg, diagnostics: &Diagnostics) -> Option<ChildList> {
    let ArgValue::List(tokens) = arg.value else {
        let first = arg.value("children = field", diagnostics)?;
        return Some(ChildList { first, when: None });
    };
    let form = "children(field, when(tag, ffi::A | ffi::B))";
    let parsed: TargetAndArgs<FieldPath> = TargetAndArgs::of(tokens, form, diagnostics)?;
    let mut list = ChildList {
        first: parsed.target,
        when: None,
    };
    for arg in parse_args(parsed.args, &["when"], diagnostics) {
        list.when = parse_when(arg, diagnostics);
    }
    Some(list)
}

pub(crate) fn parse_lock(arg: Arg, diagnostics: &Diagnostics) -> Option<LockArg> {
    let name = arg.name.clone();
    let (mut of, mut enter, mut leave) = (None, None, None);
    if let ArgValue::List(tokens) = arg.value {
        for arg in parse_args(tokens, &["of", "enter", "leave"], diagnostics) {
            match arg.name.to_string().as_str() {
                "of" => of = arg.value("of = ffi::lock_of_the_handle", diagnostics),
                "enter" => enter = arg.value("enter = ffi::enter", diagnostics),
                _ => leave = arg.value("leave = ffi::leave", diagnostics),
            }
        }
    }
    let lock = of.zip(enter.zip(leave));
    if lock.is_none() && diagnostics.is_empty() {
        diagnostics.at(
            &name,
            "`lock` takes three functions, of the library's own recursive lock of the handle: write \
             `lock(of = ffi::lock_of_the_handle, enter = ffi::enter, leave = ffi::leave)`",
        );
    }
    lock.map(|(of, (enter, leave))| LockArg { of, enter, leave })
}

pub(crate) fn parse_errors(arg: Arg, diagnostics: &Diagnostics) -> Option<ErrorsArg> {
    let form = "errors(Type, asks_handle, callback = field, thread_callback = ffi::address_of_it)";
    let ArgValue::List(tokens) = arg.value else {
        let collector = arg.value(&format!("errors = Type` or `{form}"), diagnostics)?;
        return Some(ErrorsArg {
            collector,
            asks_handle: false,
            callback: None,
            thread_callback: None,
            thread_messages: None,
        });
    };
    let parsed: TargetAndArgs<Type> = TargetAndArgs::of(tokens, form, diagnostics)?;
    let mut errors = ErrorsArg {
        collector: parsed.target,
        asks_handle: false,
        callback: None,
        thread_callback: None,
        thread_messages: None,
    };
    let known = [
        "asks_handle",
        "callback",
        "thread_callback",
        "thread_messages",
    ];
    for arg in parse_args(parsed.args, &known, diagnostics) {
        match arg.name.to_string().as_str() {
            "asks_handle" => errors.asks_handle = arg.flag(diagnostics),
            "callback" => errors.callback = arg.value("callback = field", diagnostics),
            "thread_callback" => {
                errors.thread_callback =
                    arg.value("thread_callback = ffi::address_of_it", diagnostics);
            }
            _ => {
                errors.thread_messages =
                    arg.value("thread_messages = ffi::address_of_it", diagnostics);
            }
        }
    }
    Some(errors)
}

pub(crate) fn parse_thread_locals(arg: Arg, diagnostics: &Diagnostics) -> Vec<ThreadLocal> {
    let ArgValue::List(tokens) = arg.value else {
        diagnostics.at(
            &arg.name,
            "`thread_locals` is a list of variables with their values: write `thread_locals(ffi::address_of_it = value, …)`",
        );
        return Vec::new();
    };
    let parsed = Punctuated::<ThreadLocal, Token![,]>::parse_terminated.parse2(tokens);
    let parsed = diagnostics.ok(parsed).unwrap_or_default();
    parsed.into_iter().collect()
}

impl Parse for ThreadLocal {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let place: Path = input.parse()?;
        if !input.peek(Token![=]) {
            return Err(syn::Error::new_spanned(
                &place,
                "a thread-local variable needs a value: write `thread_locals(ffi::address_of_it = value)`",
            ));
        }
        input.parse::<Token![=]>()?;
        Ok(ThreadLocal {
            place,
            value: input.parse()?,
        })
    }
}
