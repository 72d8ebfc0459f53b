//! What a `#[handle(…)]` says, checked.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Fields, ItemStruct, LitStr, Path, Token, Type};

use crate::diagnostics::Diagnostics;
use crate::words::{Place, Value, Word, parse_words, runtime_path};

const WORDS: &[&str] = &[
    "raw",
    "release",
    "parent",
    "errors",
    "part_of",
    "owner",
    "lent",
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
    pub(crate) ownership: Ownership,
    pub(crate) errors: Option<ErrorsWord>,
    pub(crate) name: String,
    pub(crate) module: String,
    pub(crate) runtime: TokenStream,
}

pub(crate) enum Ownership {
    /// Someone has to release it. No function after a mistake only.
    Resource {
        release: Option<Path>,
        parent: Option<Type>,
        warn_unclosed: bool,
    },
    /// It lives inside another handle.
    Part {
        owner: Type,
        owner_field: Option<Place>,
    },
    /// C lends it to a callback.
    Lent,
}

/// `errors = Type` or `errors(Type, callback = place)`.
pub(crate) struct ErrorsWord {
    pub(crate) collector: Type,
    pub(crate) callback: Option<Place>,
}

impl Parse for ErrorsWord {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let collector = input.parse()?;
        if input.is_empty() {
            return Ok(ErrorsWord {
                collector,
                callback: None,
            });
        }
        input.parse::<Token![,]>()?;
        let word: Ident = input.parse()?;
        if word != "callback" {
            return Err(syn::Error::new_spanned(
                &word,
                format!("unknown word `{word}`: write `errors(Type, callback = field)`"),
            ));
        }
        input.parse::<Token![=]>()?;
        Ok(ErrorsWord {
            collector,
            callback: Some(input.parse()?),
        })
    }
}

#[derive(Default)]
struct Said {
    raw: Option<Type>,
    release: Option<(Ident, Option<Path>)>,
    parent: Option<(Ident, Option<Type>)>,
    part_of: Option<(Ident, Option<Type>)>,
    owner: Option<(Ident, Option<Place>)>,
    lent: Option<Ident>,
    warn_unclosed: Option<Ident>,
    errors: Option<ErrorsWord>,
    name: Option<LitStr>,
    module: Option<LitStr>,
    runtime: Option<Path>,
}

pub(crate) fn model(words: TokenStream, item: ItemStruct, diagnostics: &Diagnostics) -> Handle {
    let words = parse_words(words, WORDS, diagnostics);
    // A word that was not understood may be the one that would be missed.
    let understood = diagnostics.is_empty();
    let has_raw = words.iter().any(|word| word.name == "raw");
    let said = collect(words, diagnostics);
    check_item(&item, diagnostics);
    if understood && !has_raw {
        diagnostics.at(
            &item.ident,
            "a handle needs its C type: add `raw = ffi::the_type`",
        );
    }
    check_ownership(&said, &item.ident, understood, diagnostics);
    Handle {
        class: format_ident!("{}Class", item.ident),
        raw: said.raw.unwrap_or_else(|| syn::parse_quote!(())),
        ownership: match (said.part_of, said.lent) {
            (Some((_, Some(owner))), _) => Ownership::Part {
                owner,
                owner_field: said.owner.and_then(|(_, field)| field),
            },
            (_, Some(_)) => Ownership::Lent,
            _ => Ownership::Resource {
                release: said
                    .release
                    .and_then(|(_, path)| path)
                    .filter(|_| diagnostics.is_empty()),
                parent: said.parent.and_then(|(_, ty)| ty),
                warn_unclosed: said.warn_unclosed.is_some(),
            },
        },
        errors: said.errors,
        name: said
            .name
            .map_or_else(|| item.ident.to_string(), |name| name.value()),
        module: said.module.map_or_else(crate_name, |module| module.value()),
        runtime: runtime_path(said.runtime),
        item,
    }
}

fn crate_name() -> String {
    std::env::var("CARGO_CRATE_NAME").unwrap_or_else(|_| "builtins".into())
}

fn collect(words: Vec<Word>, diagnostics: &Diagnostics) -> Said {
    let mut said = Said::default();
    for word in words {
        let name = word.name.clone();
        match name.to_string().as_str() {
            "raw" => said.raw = word.value("raw = ffi::the_type", diagnostics),
            "release" => {
                said.release = Some((name, word.value("release = ffi::the_function", diagnostics)))
            }
            "parent" => said.parent = Some((name, word.value("parent = TheHandle", diagnostics))),
            "part_of" => {
                said.part_of = Some((name, word.value("part_of = TheHandle", diagnostics)))
            }
            "owner" => said.owner = Some((name, word.value("owner = field", diagnostics))),
            "lent" => said.lent = word.flag(diagnostics).then_some(name),
            "warn_unclosed" => said.warn_unclosed = word.flag(diagnostics).then_some(name),
            "errors" => said.errors = errors_word(word, diagnostics),
            "name" => said.name = word.value("name = \"PythonName\"", diagnostics),
            "module" => said.module = word.value("module = \"python.module\"", diagnostics),
            _ => said.runtime = word.value("crate = path", diagnostics),
        }
    }
    said
}

fn errors_word(word: Word, diagnostics: &Diagnostics) -> Option<ErrorsWord> {
    match word.value {
        Value::List(tokens) => diagnostics.ok(syn::parse2(tokens)),
        _ => word
            .value(
                "errors = TheErrors` or `errors(TheErrors, callback = field)",
                diagnostics,
            )
            .map(|collector| ErrorsWord {
                collector,
                callback: None,
            }),
    }
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
        said.lent.as_ref(),
    ];
    let given: Vec<&Ident> = kinds.into_iter().flatten().collect();
    match given.as_slice() {
        [] if !understood => {}
        [] => diagnostics.at(
            ident,
            "nothing says who owns this handle: requires either `release = ffi::f` (whoever holds it), \
             `part_of = Owner` (another handle) or `lent` (C, for one callback)",
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
    if let (Some(word), None) = (&said.warn_unclosed, &said.release) {
        diagnostics.at(
            word,
            "only what has a `release` can be left unclosed: remove `warn_unclosed`",
        );
    }
    if let (Some((word, _)), None) = (&said.owner, &said.part_of) {
        diagnostics.at(
            word,
            "`owner` names the field by which a part knows its owner: add `part_of = Owner`",
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
