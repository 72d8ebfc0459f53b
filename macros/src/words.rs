//! The syntax that all annotations share: a list of words, each alone, `word = value` or `word(values)`.

use std::path::PathBuf;

use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::visit::Visit;
use syn::{Attribute, Expr, Lifetime, Lit, LitStr, Meta, Path, Token, Type};

use crate::diagnostics::Diagnostics;

/// One word with what follows it.
pub(crate) struct Word {
    pub(crate) name: Ident,
    pub(crate) value: Value,
}

pub(crate) enum Value {
    None,
    /// `= …`, up to the next comma.
    Equals(TokenStream),
    /// `(…)`
    List(TokenStream),
}

impl Parse for Word {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            Value::Equals(until_comma(input)?)
        } else if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            Value::List(content.parse()?)
        } else {
            Value::None
        };
        Ok(Word { name, value })
    }
}

fn until_comma(input: ParseStream<'_>) -> syn::Result<TokenStream> {
    let mut tokens = TokenStream::new();
    let mut closure_bars = 0;
    let mut angles = 0_u32;
    while !input.is_empty() && (!input.peek(Token![,]) || closure_bars == 1 || angles > 0) {
        if input.peek(Token![|]) && !input.peek(Token![||]) {
            closure_bars += 1;
        } else if input.peek(Token![<]) {
            angles += 1;
        } else if input.peek(Token![>]) {
            angles = angles.saturating_sub(1);
        }
        tokens.extend([input.parse::<proc_macro2::TokenTree>()?]);
    }
    if tokens.is_empty() {
        return Err(input.error("a value is expected after `=`"));
    }
    Ok(tokens)
}

/// Words that an annotation no longer has, and the ones that replace them. Removed before the first release.
const RENAMED: &[(&str, &str)] = &[
    ("private", "rust_only"),
    ("stop", "on_error"),
    ("alone", "exclusive"),
    ("always", "even_after_error"),
    ("value", "integer"),
    ("inplace", "caller_allocates"),
    ("transient", "until_mut"),
    ("owner", "owner_field"),
    ("lent", "callback_only"),
    ("parents", "keep_alive"),
];

/// Attributes and values that an annotation no longer has, as [`RENAMED`].
const RENAMED_ELSEWHERE: &[(&str, &str)] = &[
    ("called", "callback"),
    ("private", "rust_only"),
    ("forever", "handle"),
    ("replaced", "until_replaced"),
];

/// Reports an attribute or a value whose name was replaced. Returns `true` if `name` is one.
pub(crate) fn report_renamed(kind: &str, name: &Ident, diagnostics: &Diagnostics) -> bool {
    let new = replacement(RENAMED_ELSEWHERE, name);
    if let Some(new) = new {
        diagnostics.at(
            name,
            format!("the {kind} `{name}` was renamed: write `{new}`"),
        );
    }
    new.is_some()
}

fn replacement(table: &[(&str, &'static str)], name: &Ident) -> Option<&'static str> {
    table
        .iter()
        .find(|(old, _)| name == old)
        .map(|(_, new)| *new)
}

/// The words of an annotation, each known and there at most once.
pub(crate) fn parse_words(
    tokens: TokenStream,
    known: &[&str],
    diagnostics: &Diagnostics,
) -> Vec<Word> {
    let parsed = Punctuated::<Word, Token![,]>::parse_terminated.parse2(tokens);
    let mut words: Vec<Word> = Vec::new();
    for word in diagnostics.ok(parsed).unwrap_or_default() {
        let renamed = replacement(RENAMED, &word.name).filter(|new| known.contains(new));
        if let Some(new) = renamed {
            diagnostics.at(
                &word.name,
                format!("`{}` was renamed: write `{new}`", word.name),
            );
        } else if !known.contains(&word.name.to_string().as_str()) {
            let known = known
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            diagnostics.at(
                &word.name,
                format!("unknown word `{}`: one of {known} is expected", word.name),
            );
        } else if words.iter().any(|other| other.name == word.name) {
            diagnostics.at(
                &word.name,
                format!("`{}` is given twice: keep one of them", word.name),
            );
        } else {
            words.push(word);
        }
    }
    words
}

impl Word {
    /// The `T` of `word = T`.
    pub(crate) fn value<T: Parse>(self, form: &str, diagnostics: &Diagnostics) -> Option<T> {
        match self.value {
            Value::Equals(tokens) => diagnostics.ok(syn::parse2(tokens)),
            _ => {
                diagnostics.at(
                    &self.name,
                    format!("`{}` needs a value: write `{form}`", self.name),
                );
                None
            }
        }
    }

    /// A word that stands alone.
    pub(crate) fn flag(&self, diagnostics: &Diagnostics) -> bool {
        if !matches!(self.value, Value::None) {
            diagnostics.at(
                &self.name,
                format!("`{0}` takes no value: write `{0}` alone", self.name),
            );
        }
        true
    }
}

/// The item that an attribute stands on, if it is of the kind that `form` says.
pub(crate) fn parse_item<T: Parse>(
    item: TokenStream,
    form: &str,
    diagnostics: &Diagnostics,
) -> Option<T> {
    let error = match syn::parse2::<T>(item.clone()) {
        Ok(item) => return Some(item),
        Err(error) => error,
    };
    diagnostics.add(match syn::parse2::<syn::Item>(item) {
        Ok(_) => syn::Error::new(error.span(), form),
        Err(_) => error,
    });
    None
}

/// The tokens, reported at `span` whatever they say.
pub(crate) fn respanned(tokens: TokenStream, span: Span) -> TokenStream {
    let respan = |mut tree: TokenTree| {
        if let TokenTree::Group(group) = &tree {
            let content = respanned(group.stream(), span);
            tree = TokenTree::Group(Group::new(group.delimiter(), content));
        }
        tree.set_span(tree.span().located_at(span));
        tree
    };
    tokens.into_iter().map(respan).collect()
}

/// `module = "…"`: the Python module of a class, by default the crate's.
pub(crate) fn module_name(written: Option<LitStr>) -> String {
    let of_crate = || std::env::var("CARGO_CRATE_NAME").unwrap_or_else(|_| "builtins".into());
    written.map_or_else(of_crate, |module| module.value())
}

/// `crate = path`: where the runtime is found.
pub(crate) fn runtime_path(path: Option<Path>) -> TokenStream {
    path.map_or_else(|| quote!(::leakproof), |path| quote!(#path))
}

/// `path::DocumentClass` of `path::Document`: the Python class of what a macro made.
pub(crate) fn class_of(path: &Path) -> TokenStream {
    let mut path = path.clone();
    if let Some(segment) = path.segments.last_mut() {
        segment.ident = format_ident!("{}Class", segment.ident);
    }
    quote!(#path)
}

/// What stands first in an annotation, then its words.
pub(crate) struct Headed<T> {
    pub(crate) head: T,
    pub(crate) words: TokenStream,
}

impl<T: Parse> Headed<T> {
    /// What `tokens`, which are not empty, say.
    pub(crate) fn of(tokens: TokenStream, form: &str, diagnostics: &Diagnostics) -> Option<Self> {
        let mut first_two = tokens.clone().into_iter();
        if let (Some(TokenTree::Ident(word)), Some(TokenTree::Punct(next))) =
            (first_two.next(), first_two.next())
            && next.as_char() == '='
        {
            diagnostics.at(
                word,
                format!("what it is made from stands first: write `{form}`, then the words"),
            );
            return None;
        }
        diagnostics.ok(syn::parse2(tokens))
    }
}

impl<T: Parse> Parse for Headed<T> {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let head = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(Headed {
            head,
            words: input.parse()?,
        })
    }
}

/// A place inside the C struct, written as from inside it: `field`, `(*field).inner`, `union.member`.
pub(crate) struct Place(Expr);

impl Parse for Place {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let expression = input.parse()?;
        check_place(&expression)?;
        Ok(Place(expression))
    }
}

fn check_place(expression: &Expr) -> syn::Result<()> {
    match expression {
        Expr::Path(path) if path.path.get_ident().is_some() => Ok(()),
        Expr::Field(field) => check_place(&field.base),
        Expr::Paren(paren) => check_place(&paren.expr),
        Expr::Unary(unary) if matches!(unary.op, syn::UnOp::Deref(_)) => check_place(&unary.expr),
        _ => Err(syn::Error::new_spanned(
            expression,
            "a place inside the C struct is expected: `field`, `field.inner`, or `(*field).inner` through a pointer",
        )),
    }
}

impl Place {
    /// A place before `=`.
    pub(crate) fn parse_assigned(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut tokens = TokenStream::new();
        while !input.is_empty() && !input.peek(Token![=]) {
            tokens.extend([input.parse::<TokenTree>()?]);
        }
        if tokens.is_empty() {
            return Err(input.error("a place inside the C struct is expected before `=`"));
        }
        syn::parse2(tokens)
    }

    /// The place in the struct that `base` is.
    pub(crate) fn within(&self, base: &TokenStream) -> TokenStream {
        within(&self.0, base)
    }

    pub(crate) fn is_self(&self) -> bool {
        matches!(&self.0, Expr::Path(path) if path.path.is_ident("self"))
    }

    pub(crate) fn span(&self) -> proc_macro2::Span {
        syn::spanned::Spanned::span(&self.0)
    }
}

impl quote::ToTokens for Place {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        self.0.to_tokens(tokens);
    }
}

fn within(expression: &Expr, base: &TokenStream) -> TokenStream {
    match expression {
        Expr::Field(field) => {
            let (inner, member) = (within(&field.base, base), &field.member);
            quote!(#inner.#member)
        }
        Expr::Paren(paren) => {
            let inner = within(&paren.expr, base);
            quote!((#inner))
        }
        Expr::Unary(unary) => {
            let inner = within(&unary.expr, base);
            quote!(*#inner)
        }
        name => quote!(#base.#name),
    }
}

/// The argument of `Name<…>`, if `ty` is that.
pub(crate) fn argument_of<'a>(ty: &'a Type, name: &str) -> Option<&'a Type> {
    let Type::Path(path) = ty else { return None };
    let segment = path
        .path
        .segments
        .last()
        .filter(|segment| segment.ident == name)?;
    let syn::PathArguments::AngleBracketed(arguments) = &segment.arguments else {
        return None;
    };
    arguments.args.iter().find_map(|argument| match argument {
        syn::GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Whether `ty` is `&[u8]`, lent memory.
pub(crate) fn is_slice(ty: &Type) -> bool {
    matches!(ty, Type::Reference(reference) if matches!(*reference.elem, Type::Slice(_)))
}

/// The first lifetime in `ty` that has a name, besides `allowed`.
pub(crate) fn named_lifetime<'a>(ty: &'a Type, allowed: Option<&Lifetime>) -> Option<&'a Lifetime> {
    struct Find<'a, 'b>(Option<&'a Lifetime>, Option<&'b Lifetime>);
    impl<'a> Visit<'a> for Find<'a, '_> {
        fn visit_lifetime(&mut self, lifetime: &'a Lifetime) {
            if lifetime.ident != "_" && Some(lifetime) != self.1 {
                self.0.get_or_insert(lifetime);
            }
        }
    }
    let mut find = Find(None, allowed);
    find.visit_type(ty);
    find.0
}

/// The text of the doc comments among `attributes`.
pub(crate) fn documentation(attributes: &[Attribute]) -> String {
    let lines = attributes.iter().filter_map(|attribute| {
        let Meta::NameValue(meta) = &attribute.meta else {
            return None;
        };
        match &meta.value {
            Expr::Lit(literal) if meta.path.is_ident("doc") => match &literal.lit {
                Lit::Str(text) => Some(text.value()),
                _ => None,
            },
            _ => None,
        }
    });
    let lines: Vec<String> = lines
        .map(|line| line.strip_prefix(' ').unwrap_or(&line).to_owned())
        .collect();
    lines.join("\n").trim().to_owned()
}

/// `text` as a string of JSON.
pub(crate) fn json(text: &str) -> String {
    let mut json = String::from('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => json.extend(['\\', character]),
            '\n' => json.push_str("\\n"),
            control if control.is_control() => {
                json.push_str(&format!("\\u{:04x}", u32::from(control)))
            }
            other => json.push(other),
        }
    }
    json.push('"');
    json
}

/// The comment of a C function or type in the headers, as the build script found it: for what has no comment of its own.
pub(crate) fn header_comment(attributes: &[Attribute], item: &Path) -> Option<String> {
    if attributes
        .iter()
        .any(|attribute| attribute.path().is_ident("doc"))
    {
        return None;
    }
    let name = item.segments.last()?.ident.unraw().to_string();
    let folder = PathBuf::from(std::env::var_os("OUT_DIR")?).join("leakproof-comments");
    std::fs::read_to_string(folder.join(name)).ok()
}

/// A header's comment for rustdoc, which would take some of it for markup.
pub(crate) fn verbatim(comment: &str) -> String {
    format!("````text\n{comment}\n````")
}
