//! What a `#[handle(…)]` says, checked.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Expr, Fields, ItemStruct, LitStr, Path, Token, Type};

use crate::diagnostics::Diagnostics;
use crate::fails::Fails;
use crate::words::{
    Headed, Place, Value, Word, header_comment, module_name, parse_words, runtime_path,
};

const WORDS: &[&str] = &[
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
    "callback_only",
    "warn_unclosed",
    "name",
    "module",
    "crate",
];

/// A handle type.
pub(crate) struct Handle {
    pub(crate) item: ItemStruct,
    pub(crate) class: Ident,
    pub(crate) raw: Type,
    /// The type of the number, and the one that is no handle, where it is a number.
    pub(crate) integer: Option<(Type, Expr)>,
    /// What wakes C functions that block.
    pub(crate) interrupt: Option<Path>,
    /// What the header says of the C type, where the author says nothing.
    pub(crate) comment: Option<String>,
    /// Whether it keeps values.
    pub(crate) attachments: bool,
    pub(crate) thread_bound: bool,
    /// The word that says that a forked child may use it.
    pub(crate) fork_safe: Option<Ident>,
    pub(crate) sharing: Sharing,
    pub(crate) ownership: Ownership,
    pub(crate) errors: Option<ErrorsWord>,
    pub(crate) lock: Option<LockWord>,
    pub(crate) thread_locals: Vec<ThreadLocal>,
    pub(crate) name: String,
    pub(crate) module: String,
    pub(crate) runtime: TokenStream,
}

/// How the handle shares state with its parent.
#[derive(Default)]
pub(crate) struct Sharing {
    /// `parent = &mut P`.
    pub(crate) holds_parent: bool,
    /// The words of these names.
    pub(crate) mut_parent: Option<Ident>,
    pub(crate) reads_parent: Option<Ident>,
    pub(crate) lends: Option<Ident>,
    /// The type that names the group of reference-counted handles which are borrowed as one.
    pub(crate) borrowed_with: Option<Type>,
}

pub(crate) enum Ownership {
    /// Someone has to release it. No function after a mistake only.
    Resource {
        release: Option<Release>,
        parent: Option<Type>,
        /// The parents besides that.
        beside: Vec<Type>,
        /// What counts one owner more.
        retain: Option<Path>,
        /// Whether C makes it in memory that is the owner's.
        caller_allocates: bool,
        warn_unclosed: bool,
    },
    /// It lives inside another handle.
    Part {
        owner: Type,
        owner_field: Option<Place>,
        /// Whether it is gone as soon as the owner was used alone.
        until_mut: bool,
    },
    /// C lends it to a callback.
    CallbackOnly,
}

/// `release = function` or `release(function, fails = …, on_failure = …)`.
pub(crate) struct Release {
    pub(crate) function: Path,
    pub(crate) fails: Option<Fails>,
    /// Whether the handle is still there when that failed.
    pub(crate) kept: bool,
    /// Whether C gets the parent, too.
    pub(crate) by_parent: Option<ReleaseArguments>,
    /// Whether the GIL is released meanwhile.
    pub(crate) detach: bool,
}

impl Release {
    /// The function's own name.
    pub(crate) fn name(&self) -> String {
        let last = self.function.segments.last();
        last.map(|segment| segment.ident.to_string())
            .unwrap_or_default()
    }
}

/// `errors = Type` or `errors(Type, asks_handle, callback = place, thread_callback = function, thread_messages = function)`.
pub(crate) struct ErrorsWord {
    pub(crate) collector: Type,
    /// Set where it asks the handle what went wrong.
    pub(crate) asks_handle: bool,
    pub(crate) callback: Option<Place>,
    /// The function that returns the address of the thread's variable.
    pub(crate) thread_callback: Option<Path>,
    /// The same, of the variable for a function that prints.
    pub(crate) thread_messages: Option<Path>,
}

/// One variable of the calling thread, and its value during calls: `ffi::function = value`.
pub(crate) struct ThreadLocal {
    pub(crate) place: Path,
    pub(crate) value: Expr,
}

impl Parse for ThreadLocal {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let place: Path = input.parse()?;
        if !input.peek(Token![=]) {
            return Err(syn::Error::new_spanned(
                &place,
                "a variable of the thread needs its value: write `thread_locals(ffi::address_of_it = value)`",
            ));
        }
        input.parse::<Token![=]>()?;
        Ok(ThreadLocal {
            place,
            value: input.parse()?,
        })
    }
}

/// `lock(of = …, enter = …, leave = …)`
pub(crate) struct LockWord {
    /// Where the lock of a handle is: a C function, or a closure.
    pub(crate) of: Expr,
    pub(crate) enter: Path,
    pub(crate) leave: Path,
}

/// The `args = (…)` of a release: `self` and `parent`, in C's order.
pub(crate) struct ReleaseArguments(pub(crate) Vec<Ident>);

impl Parse for ReleaseArguments {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let content;
        let span = input.span();
        syn::parenthesized!(content in input);
        let names =
            Punctuated::<Ident, Token![,]>::parse_terminated_with(&content, Ident::parse_any)?;
        let names: Vec<Ident> = names.into_iter().collect();
        let count = |word: &str| names.iter().filter(|name| *name == word).count();
        if count("self") != 1 || count("parent") != 1 || names.len() != 2 {
            return Err(syn::Error::new(
                span,
                "what a release gets besides the handle is its parent: write `args = (parent, self)`",
            ));
        }
        Ok(ReleaseArguments(names))
    }
}

#[derive(Default)]
struct Said {
    raw: Option<Type>,
    caller_allocates: Option<Ident>,
    integer: Option<(Ident, Option<Type>)>,
    invalid: Option<(Ident, Option<Expr>)>,
    interrupt: Option<(Ident, Option<Path>)>,
    retain: Option<(Ident, Option<Path>)>,
    borrowed_with: Option<(Ident, Option<Type>)>,
    independent: Option<Ident>,
    release: Option<(Ident, Option<Release>)>,
    parent: Option<(Ident, Option<Type>)>,
    part_of: Option<(Ident, Option<Type>)>,
    owner_field: Option<(Ident, Option<Place>)>,
    until_mut: Option<Ident>,
    callback_only: Option<Ident>,
    attachments: Option<Ident>,
    thread_bound: Option<Ident>,
    fork_safe: Option<Ident>,
    process_bound: Option<Ident>,
    sharing: Sharing,
    warn_unclosed: Option<Ident>,
    errors: Option<ErrorsWord>,
    lock: Option<LockWord>,
    thread_locals: Vec<ThreadLocal>,
    name: Option<LitStr>,
    module: Option<LitStr>,
    runtime: Option<Path>,
}

pub(crate) fn model(words: TokenStream, item: ItemStruct, diagnostics: &Diagnostics) -> Handle {
    let words = parse_words(words, WORDS, diagnostics);
    // A word that was not understood may be the one that would be missed.
    let understood = diagnostics.is_empty();
    let has_raw = words.iter().any(|word| {
        word.name == "raw" || word.name == "caller_allocates" || word.name == "integer"
    });
    let said = collect(words, diagnostics);
    check_item(&item, diagnostics);
    if understood && !has_raw {
        diagnostics.at(
            &item.ident,
            "a handle needs its C type: add `raw = ffi::the_type`",
        );
    }
    check_ownership(&said, &item.ident, understood, diagnostics);
    let comment = match &said.raw {
        Some(Type::Path(raw)) => header_comment(&item.attrs, &raw.path),
        _ => None,
    };
    // After a mistake it is what else was said.
    let is_pointer = said.raw.is_some();
    let is_number = said.integer.is_some() && !is_pointer;
    let integer = said.integer.and_then(|(_, ty)| ty).filter(|_| !is_pointer);
    let integer = integer.map(|ty| {
        let invalid = said.invalid.and_then(|(_, invalid)| invalid);
        (ty, invalid.unwrap_or_else(|| syn::parse_quote!(-1)))
    });
    let mut parents = match said.parent.and_then(|(_, ty)| ty) {
        Some(Type::Tuple(tuple)) => tuple.elems.into_iter().collect(),
        parent => Vec::from_iter(parent),
    };
    let mut sharing = said.sharing;
    sharing.borrowed_with = said.borrowed_with.and_then(|(_, ty)| ty);
    if let Some(held @ Type::Reference(_)) = parents.first_mut() {
        sharing.holds_parent = true;
        *held = referred(held);
    }
    for parent in parents.iter_mut().skip(1) {
        *parent = referred(parent);
    }
    parents.retain(|ty| !is_itself(ty, &item.ident));
    let mut parents = parents.into_iter();
    Handle {
        attachments: said.attachments.is_some(),
        thread_bound: said.thread_bound.is_some(),
        fork_safe: said.fork_safe,
        sharing,
        integer,
        interrupt: said.interrupt.and_then(|(_, path)| path),
        comment,
        class: format_ident!("{}Class", item.ident),
        raw: said.raw.unwrap_or_else(|| syn::parse_quote!(())),
        ownership: match (said.part_of, said.callback_only) {
            (Some((_, Some(owner))), _) if !is_itself(&owner, &item.ident) => Ownership::Part {
                owner,
                owner_field: said.owner_field.and_then(|(_, field)| field),
                until_mut: said.until_mut.is_some(),
            },
            (Some((_, Some(_))), _) | (_, Some(_)) => Ownership::CallbackOnly,
            _ => Ownership::Resource {
                release: said
                    .release
                    .and_then(|(_, path)| path)
                    .filter(|_| diagnostics.is_empty()),
                retain: said
                    .retain
                    .and_then(|(_, path)| path)
                    .filter(|_| !is_number),
                caller_allocates: said.caller_allocates.is_some(),
                parent: parents.next(),
                beside: parents.collect(),
                warn_unclosed: said.warn_unclosed.is_some(),
            },
        },
        errors: said.errors,
        lock: said.lock,
        thread_locals: said.thread_locals,
        name: said
            .name
            .map_or_else(|| item.ident.to_string(), |name| name.value()),
        module: module_name(said.module),
        runtime: runtime_path(said.runtime),
        item,
    }
}

/// `P` of `&mut P` or `&P`.
fn referred(ty: &Type) -> Type {
    match ty {
        Type::Reference(reference) => (*reference.elem).clone(),
        other => other.clone(),
    }
}

fn is_itself(ty: &Type, ident: &Ident) -> bool {
    let itself = |path: &Path| path.is_ident("Self") || path.is_ident(ident);
    matches!(ty, Type::Path(ty) if itself(&ty.path))
}

fn collect(words: Vec<Word>, diagnostics: &Diagnostics) -> Said {
    let mut said = Said::default();
    for word in words {
        let name = word.name.clone();
        match name.to_string().as_str() {
            "raw" => said.raw = word.value("raw = ffi::the_type", diagnostics),
            "caller_allocates" => {
                if said.raw.is_some() {
                    diagnostics.at(
                        &name,
                        "`raw` and `caller_allocates` name two C types: keep one of them",
                    );
                }
                said.caller_allocates = Some(name);
                said.raw = word.value("caller_allocates = ffi::the_type", diagnostics);
            }
            "integer" => said.integer = Some((name, word.value("integer = c_int", diagnostics))),
            "invalid" => said.invalid = Some((name, word.value("invalid = -1", diagnostics))),
            "interrupt" => {
                let path = word.value("interrupt = TheHandle::the_method", diagnostics);
                said.interrupt = Some((name, path));
            }
            "retain" => {
                said.retain = Some((name, word.value("retain = ffi::the_function", diagnostics)))
            }
            "borrowed_with" => {
                let ty = word.value("borrowed_with = TheHandle", diagnostics);
                said.borrowed_with = Some((name, ty));
            }
            "independent" => said.independent = word.flag(diagnostics).then_some(name),
            "release" => said.release = Some((name, release_word(word, diagnostics))),
            "parent" => said.parent = Some((name, word.value("parent = TheHandle", diagnostics))),
            "part_of" => {
                said.part_of = Some((name, word.value("part_of = TheHandle", diagnostics)))
            }
            "mut_parent" => said.sharing.mut_parent = word.flag(diagnostics).then_some(name),
            "reads_parent" => said.sharing.reads_parent = word.flag(diagnostics).then_some(name),
            "lends" => said.sharing.lends = word.flag(diagnostics).then_some(name),
            "owner_field" => {
                said.owner_field = Some((name, word.value("owner_field = field", diagnostics)))
            }
            "until_mut" => said.until_mut = word.flag(diagnostics).then_some(name),
            "callback_only" => said.callback_only = word.flag(diagnostics).then_some(name),
            "warn_unclosed" => said.warn_unclosed = word.flag(diagnostics).then_some(name),
            "attachments" => said.attachments = word.flag(diagnostics).then_some(name),
            "thread_bound" => said.thread_bound = word.flag(diagnostics).then_some(name),
            "fork_safe" => said.fork_safe = word.flag(diagnostics).then_some(name),
            "process_bound" => said.process_bound = word.flag(diagnostics).then_some(name),
            "errors" => said.errors = errors_word(word, diagnostics),
            "lock" => said.lock = lock_word(word, diagnostics),
            "thread_locals" => said.thread_locals = thread_locals_word(word, diagnostics),
            "name" => said.name = word.value("name = \"PythonName\"", diagnostics),
            "module" => said.module = word.value("module = \"python.module\"", diagnostics),
            _ => said.runtime = word.value("crate = path", diagnostics),
        }
    }
    said
}

fn release_word(word: Word, diagnostics: &Diagnostics) -> Option<Release> {
    let Value::List(tokens) = word.value else {
        let function = word.value("release = ffi::the_function", diagnostics)?;
        return Some(Release {
            function,
            fails: None,
            kept: false,
            by_parent: None,
            detach: false,
        });
    };
    let form = "release(ffi::the_function, fails = nonzero)";
    let headed: Headed<Path> = Headed::of(tokens, form, diagnostics)?;
    let mut release = Release {
        function: headed.head,
        fails: None,
        kept: false,
        by_parent: None,
        detach: false,
    };
    let mut on_failure: Option<Ident> = None;
    for word in parse_words(
        headed.words,
        &["fails", "on_failure", "args", "detach"],
        diagnostics,
    ) {
        match word.name.to_string().as_str() {
            "fails" => release.fails = Fails::of(word, diagnostics),
            "args" => release.by_parent = word.value("args = (parent, self)", diagnostics),
            "detach" => release.detach = word.flag(diagnostics),
            _ => on_failure = word.value("on_failure = kept", diagnostics),
        }
    }
    if let Some(word) = on_failure {
        release.kept = word == "kept";
        if word != "kept" && word != "released" {
            diagnostics.at(
                &word,
                format!("`{word}` does not say what became of the handle: write `kept` (it is still there) or `released`"),
            );
        } else if release.fails.is_none() {
            diagnostics.at(
                &word,
                "`on_failure` needs to know when the release failed: add `fails = nonzero`, `negative` or `when(|ret| …)`",
            );
        }
    }
    Some(release)
}

fn lock_word(word: Word, diagnostics: &Diagnostics) -> Option<LockWord> {
    let name = word.name.clone();
    let (mut of, mut enter, mut leave) = (None, None, None);
    if let Value::List(tokens) = word.value {
        for word in parse_words(tokens, &["of", "enter", "leave"], diagnostics) {
            match word.name.to_string().as_str() {
                "of" => of = word.value("of = ffi::lock_of_the_handle", diagnostics),
                "enter" => enter = word.value("enter = ffi::enter", diagnostics),
                _ => leave = word.value("leave = ffi::leave", diagnostics),
            }
        }
    }
    let lock = of.zip(enter.zip(leave));
    if lock.is_none() && diagnostics.is_empty() {
        diagnostics.at(
            &name,
            "`lock` names the library's own recursive lock of the handle: write \
             `lock(of = ffi::lock_of_the_handle, enter = ffi::enter, leave = ffi::leave)`",
        );
    }
    lock.map(|(of, (enter, leave))| LockWord { of, enter, leave })
}

fn errors_word(word: Word, diagnostics: &Diagnostics) -> Option<ErrorsWord> {
    let form = "errors(Type, asks_handle, callback = field, thread_callback = ffi::address_of_it)";
    let Value::List(tokens) = word.value else {
        let collector = word.value(&format!("errors = Type` or `{form}"), diagnostics)?;
        return Some(ErrorsWord {
            collector,
            asks_handle: false,
            callback: None,
            thread_callback: None,
            thread_messages: None,
        });
    };
    let headed: Headed<Type> = Headed::of(tokens, form, diagnostics)?;
    let mut errors = ErrorsWord {
        collector: headed.head,
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
    for word in parse_words(headed.words, &known, diagnostics) {
        match word.name.to_string().as_str() {
            "asks_handle" => errors.asks_handle = word.flag(diagnostics),
            "callback" => errors.callback = word.value("callback = field", diagnostics),
            "thread_callback" => {
                errors.thread_callback =
                    word.value("thread_callback = ffi::address_of_it", diagnostics);
            }
            _ => {
                errors.thread_messages =
                    word.value("thread_messages = ffi::address_of_it", diagnostics);
            }
        }
    }
    Some(errors)
}

fn thread_locals_word(word: Word, diagnostics: &Diagnostics) -> Vec<ThreadLocal> {
    let Value::List(tokens) = word.value else {
        diagnostics.at(
            &word.name,
            "`thread_locals` lists variables and their values: write `thread_locals(ffi::address_of_it = value, …)`",
        );
        return Vec::new();
    };
    let parsed = Punctuated::<ThreadLocal, Token![,]>::parse_terminated.parse2(tokens);
    let parsed = diagnostics.ok(parsed).unwrap_or_default();
    parsed.into_iter().collect()
}

fn check_item(item: &ItemStruct, diagnostics: &Diagnostics) {
    if !matches!(item.fields, Fields::Unit) {
        diagnostics.at(
            &item.fields,
            format!(
                "a handle has no fields, C has them: write `struct {};`",
                item.ident
            ),
        );
    }
    if !item.generics.params.is_empty() {
        diagnostics.at(
            &item.generics,
            "a handle stands for one C type and has no parameters: remove them",
        );
    }
}

fn check_ownership(said: &Said, ident: &Ident, understood: bool, diagnostics: &Diagnostics) {
    let kinds = [
        said.release.as_ref().map(|(word, _)| word),
        said.part_of.as_ref().map(|(word, _)| word),
        said.callback_only.as_ref(),
    ];
    let given: Vec<&Ident> = kinds.into_iter().flatten().collect();
    match given.as_slice() {
        [] if !understood || said.retain.is_some() || said.caller_allocates.is_some() => {}
        [] => diagnostics.at(
            ident,
            "nothing says who owns this handle: requires either `release = ffi::f` (whoever holds it), \
             `part_of = Owner` (another handle) or `callback_only` (C, for one callback)",
        ),
        [_] => {}
        [first, others @ ..] => {
            for word in others {
                diagnostics.at(word, format!("`{first}` and `{word}` name two owners: keep one of them"));
            }
        }
    }
    if let (Some((word, _)), None) = (&said.parent, &said.release) {
        diagnostics.at(
            word,
            "`parent` is for handles with a `release`: a part names its owner by `part_of`",
        );
    }
    check_sharing(said, diagnostics);
    check_counted(said, understood, diagnostics);
    for (word, ty) in [&said.parent, &said.part_of].into_iter().flatten() {
        let itself = |path: &Path| path.is_ident("Self") || path.is_ident(ident);
        if matches!(ty, Some(Type::Path(ty)) if itself(&ty.path)) {
            diagnostics.at(
                ty,
                format!(
                    "a handle can't live in itself: name another handle, or leave `{word}` away"
                ),
            );
        }
    }
    if let (Some((word, _)), true) = (&said.integer, said.raw.is_some()) {
        diagnostics.at(
            word,
            "a handle is a number or behind a pointer: keep one of `value` and `raw`",
        );
    }
    if let (Some((word, _)), None) = (&said.invalid, &said.integer) {
        diagnostics.at(
            word,
            "`invalid` is the number that is no handle: add `integer = c_int`, or remove it",
        );
    }
    for others in [
        said.retain.as_ref().map(|(word, _)| word),
        said.callback_only.as_ref(),
    ] {
        if let (Some((_, _)), Some(word)) = (&said.integer, others) {
            diagnostics.at(
                word,
                format!(
                    "a number is whoever's who got it: remove `{word}`, and name its `release`"
                ),
            );
        }
    }
    if let (Some((word, _)), None, true) = (&said.interrupt, &said.release, understood) {
        diagnostics.at(
            word,
            "only what has a `release` can be closed while C blocks: remove `interrupt`",
        );
    }
    if let (Some(word), None) = (&said.warn_unclosed, &said.release) {
        diagnostics.at(
            word,
            "only what has a `release` can be left unclosed: remove `warn_unclosed`",
        );
    }
    for word in [
        said.retain.as_ref().map(|(word, _)| word),
        said.caller_allocates.as_ref(),
    ] {
        if let (Some(word), None, true) = (word, &said.release, understood) {
            diagnostics.at(
                word,
                format!("what has `{word}` has to be released: add `release = ffi::f`"),
            );
        }
    }
    if let (Some((_, Some(release))), None) = (&said.release, &said.parent)
        && release.by_parent.is_some()
    {
        diagnostics.at(
            &release.function,
            "its release needs a parent, and it has none: add `parent = TheHandle`",
        );
    }
    if let (Some((_, Some(release))), Some(_)) = (&said.release, &said.integer)
        && let Some(ReleaseArguments(_)) = &release.by_parent
    {
        diagnostics.at(
            &release.function,
            "a number that is released with its parent has a meaning only there, and another parent may give the same one: make \
             it `part_of` the parent instead, and release it by a method of that",
        );
    }
    if let Some(word) = &said.process_bound {
        diagnostics.at(
            word,
            "handles are bound to their process by default: remove `process_bound`; say `fork_safe` for one that is memory \
             alone (no file, lock, socket or thread), which a forked child may then use",
        );
    }
    if let (Some(word), None, true) = (&said.fork_safe, &said.release, understood) {
        diagnostics.at(
            word,
            "`fork_safe` is for what has a `release`: what lives in a handle is as that is",
        );
    }
    for word in [&said.attachments, &said.thread_bound] {
        let Some(word) = word else { continue };
        if said.release.is_none() && understood {
            diagnostics.at(
                word,
                format!(
                    "`{word}` is for what has a `release`: what lives in a handle is as that is"
                ),
            );
        } else if said.retain.is_some() {
            diagnostics.at(
                word,
                format!("a handle whose owners are counted belongs to nobody alone: remove `{word}` or `retain`"),
            );
        }
    }
    if let (Some((word, _)), Some((_, _))) = (&said.retain, &said.parent) {
        diagnostics.at(
            word,
            "a handle whose owners are counted lives as long as they like, so it has no `parent`: remove one of them",
        );
    }
    if let (Some((word, _)), Some((_, Some(Release { kept: true, .. })))) =
        (&said.retain, &said.release)
    {
        diagnostics.at(
            word,
            "giving one reference of several back can't be refused: remove `on_failure = kept`",
        );
    }
    if let (Some((word, _)), Some(_)) = (&said.retain, &said.caller_allocates) {
        diagnostics.at(word, "what is made in place has one owner: remove `retain`");
    }
    if let (Some(word), None) = (&said.until_mut, &said.part_of) {
        diagnostics.at(
            word,
            "only a part can be gone before its owner is: add `part_of = Owner`",
        );
    }
    if let (Some((word, _)), None) = (&said.owner_field, &said.part_of) {
        diagnostics.at(
            word,
            "`owner` names the field by which a part knows its owner: add `part_of = Owner`",
        );
    }
}

/// Reference-counted objects may reach each other's memory: the author says which.
fn check_counted(said: &Said, understood: bool, diagnostics: &Diagnostics) {
    let group = said.borrowed_with.as_ref().map(|(word, _)| word);
    match (&said.retain, group, &said.independent) {
        (Some((word, _)), None, None) if understood => diagnostics.at(
            word,
            "objects whose owners are counted can contain each other: add `borrowed_with = Self` if a call on one such \
             object may read or change another, `borrowed_with = Other` to share a group with another type, or \
             `independent` if no call on one object reaches the memory of another",
        ),
        (Some(_), Some(word), Some(_)) => diagnostics.at(
            word,
            "an `independent` object is borrowed alone: keep one of `borrowed_with` and `independent`",
        ),
        (None, Some(word), _) | (None, None, Some(word)) if understood => diagnostics.at(
            word,
            format!("`{word}` is for objects whose owners C counts: add `retain = ffi::f`, or remove it"),
        ),
        _ => {}
    }
}

/// `parent = &mut P`, `mut_parent` and `reads_parent` are three answers to one question.
fn check_sharing(said: &Said, diagnostics: &Diagnostics) {
    let parents: Vec<&Type> = match &said.parent {
        Some((_, Some(Type::Tuple(tuple)))) => tuple.elems.iter().collect(),
        Some((_, Some(parent))) => vec![parent],
        _ => Vec::new(),
    };
    let is_mut =
        |ty: &Type| matches!(ty, Type::Reference(reference) if reference.mutability.is_some());
    for (index, parent) in parents.iter().enumerate() {
        if matches!(parent, Type::Reference(_)) && !is_mut(parent) {
            diagnostics.at(
                parent,
                "a parent is borrowed shared unless the word is `&mut`: write the type alone",
            );
        } else if index > 0 && is_mut(parent) {
            diagnostics.at(
                parent,
                "only the first parent, the receiver of the method that makes the handle, can be `&mut`: make the \
                 handle by a method of this parent, and name it first",
            );
        }
    }
    let Sharing {
        mut_parent,
        reads_parent,
        ..
    } = &said.sharing;
    for word in [mut_parent, reads_parent].into_iter().flatten() {
        if said.parent.is_none() {
            diagnostics.at(
                word,
                format!(
                    "`{word}` says how calls use the parent: add `parent = TheHandle`, or remove it"
                ),
            );
        }
    }
    if let (Some(word), Some(_)) = (reads_parent, mut_parent) {
        diagnostics.at(
            word,
            "`mut_parent` changes the parent and `reads_parent` does not: keep one of them",
        );
    }
    if let Some(word) = mut_parent.as_ref().or(reads_parent.as_ref())
        && parents.first().is_some_and(|parent| is_mut(parent))
    {
        diagnostics.at(
            word,
            format!("`parent = &mut …` keeps all others from the parent already: remove `{word}`"),
        );
    }
}

impl Handle {
    /// The type that words this handle's failures.
    pub(crate) fn errors_type(&self) -> TokenStream {
        let runtime = &self.runtime;
        match &self.errors {
            Some(ErrorsWord { collector, .. }) => quote!(#collector),
            None => quote!(#runtime::errors::NoErrors),
        }
    }
}
