//! Attribute arguments, the syntax that all annotations share: `name`, `name = value` and
//! `name(values)`, with commas between.

use proc_macro2::{Ident, TokenStream, TokenTree};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::punctuated::Punctuated;
use syn::{Attribute, LitStr, Pat, Path, Token};

use crate::diagnostics::Diagnostics;
use crate::field_path::FieldPath;
use crate::renamed::renamed_argument;

/// One attribute argument: a name, alone or with a value.
pub(crate) struct Arg {
    pub(crate) name: Ident,
    pub(crate) value: ArgValue,
}

pub(crate) enum ArgValue {
    None,
    /// `name = …`, up to the next comma.
    Equals(TokenStream),
    /// `name(…)`
    List(TokenStream),
}

impl Parse for Arg {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name = input.call(Ident::parse_any)?;
        let value = if input.peek(Token![=]) {
            input.parse::<Token![=]>()?;
            ArgValue::Equals(until_comma(input)?)
        } else if input.peek(syn::token::Paren) {
            let content;
            syn::parenthesized!(content in input);
            ArgValue::List(content.parse()?)
        } else {
            ArgValue::None
        };
        Ok(Arg { name, value })
    }
}

pub(crate) fn until_comma(input: ParseStream<'_>) -> syn::Result<TokenStream> {
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
        return Err(input.error("expected a value after `=`"));
    }
    Ok(tokens)
}

/// Parses attribute arguments. Reports unknown, renamed and repeated ones.
pub(crate) fn parse_args(
    tokens: TokenStream,
    known: &[&str],
    diagnostics: &Diagnostics,
) -> Vec<Arg> {
    parse_repeatable_args(tokens, known, &[], diagnostics)
}

/// [`parse_args`], where some arguments may be given several times.
pub(crate) fn parse_repeatable_args(
    tokens: TokenStream,
    known: &[&str],
    repeatable: &[&str],
    diagnostics: &Diagnostics,
) -> Vec<Arg> {
    let is_repeatable = |name: &Ident| repeatable.iter().any(|other| name == other);
    let parsed = Punctuated::<Arg, Token![,]>::parse_terminated.parse2(tokens);
    let mut args: Vec<Arg> = Vec::new();
    for arg in diagnostics.ok(parsed).unwrap_or_default() {
        let renamed = renamed_argument(&arg.name).filter(|new| known.contains(new));
        if let Some(new) = renamed {
            diagnostics.at(
                &arg.name,
                format!("`{}` was renamed: write `{new}`", arg.name),
            );
        } else if !known.contains(&arg.name.to_string().as_str()) {
            let known = known
                .iter()
                .map(|name| format!("`{name}`"))
                .collect::<Vec<_>>()
                .join(", ");
            diagnostics.at(
                &arg.name,
                format!("unknown argument `{}`: expected one of {known}", arg.name),
            );
        } else if args.iter().any(|other| other.name == arg.name) && !is_repeatable(&arg.name) {
            diagnostics.at(
                &arg.name,
                format!("`{}` is given twice: keep one of them", arg.name),
            );
        } else {
            args.push(arg);
        }
    }
    args
}

impl Arg {
    /// Parses the value of `name = value`. `form` is an example for the message.
    pub(crate) fn value<T: Parse>(self, form: &str, diagnostics: &Diagnostics) -> Option<T> {
        match self.value {
            ArgValue::Equals(tokens) => diagnostics.ok(syn::parse2(tokens)),
            _ => {
                diagnostics.at(
                    &self.name,
                    format!("`{}` needs a value: write `{form}`", self.name),
                );
                None
            }
        }
    }

    /// Reports a value where none is allowed. Returns `true`.
    pub(crate) fn flag(&self, diagnostics: &Diagnostics) -> bool {
        if !matches!(self.value, ArgValue::None) {
            diagnostics.at(
                &self.name,
                format!("`{0}` takes no value: write `{0}`", self.name),
            );
        }
        true
    }
}

/// Parses `when(tag, values)`: the tag of a union, and its values for which a field is valid.
pub(crate) fn parse_when(arg: Arg, diagnostics: &Diagnostics) -> Option<(FieldPath, Pat)> {
    struct When(FieldPath, Pat);
    impl Parse for When {
        fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
            let tag = input.parse()?;
            input.parse::<Token![,]>()?;
            Ok(When(tag, Pat::parse_multi(input)?))
        }
    }
    match arg.value {
        ArgValue::List(tokens) => diagnostics
            .ok(syn::parse2::<When>(tokens))
            .map(|when| (when.0, when.1)),
        _ => {
            diagnostics.at(
                &arg.name,
                "`when` needs the tag and its values: write `when(tag, ffi::A | ffi::B)`",
            );
            None
        }
    }
}

/// A C item that an attribute names first, and the arguments after it: `#[calls(target, args…)]`.
pub(crate) struct TargetAndArgs<T> {
    pub(crate) target: T,
    pub(crate) args: TokenStream,
}

impl<T: Parse> TargetAndArgs<T> {
    /// Parses `tokens`, which are not empty. `form` is an example for the message.
    pub(crate) fn of(tokens: TokenStream, form: &str, diagnostics: &Diagnostics) -> Option<Self> {
        let mut first_two = tokens.clone().into_iter();
        if let (Some(TokenTree::Ident(keyword)), Some(TokenTree::Punct(next))) =
            (first_two.next(), first_two.next())
            && next.as_char() == '='
        {
            diagnostics.at(
                keyword,
                format!("the C item comes first, then the arguments: write `{form}`"),
            );
            return None;
        }
        diagnostics.ok(syn::parse2(tokens))
    }
}

impl<T: Parse> Parse for TargetAndArgs<T> {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let target = input.parse()?;
        if !input.is_empty() {
            input.parse::<Token![,]>()?;
        }
        Ok(TargetAndArgs {
            target,
            args: input.parse()?,
        })
    }
}

/// Parses the item below an attribute. `form` is the message for an item of another kind.
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

/// The arguments that several annotations have: `crate = path`, `name = "Name"` and `module =
/// "python.module"`.
#[derive(Default)]
pub(crate) struct CommonArgs {
    runtime: Option<Path>,
    name: Option<LitStr>,
    module: Option<LitStr>,
}

impl CommonArgs {
    /// Parses the arguments of an annotation. Returns the common ones, and all others in their
    /// order.
    pub(crate) fn parse(
        args: TokenStream,
        allowed: &[&str],
        diagnostics: &Diagnostics,
    ) -> (Self, Vec<Arg>) {
        let mut common = CommonArgs::default();
        let mut others = Vec::new();
        for arg in parse_args(args, allowed, diagnostics) {
            others.extend(common.accept(arg, diagnostics));
        }
        (common, others)
    }

    /// Parses the `#[leakproof(…)]` attributes of a derived item.
    pub(crate) fn of_derive(attributes: &[Attribute], diagnostics: &Diagnostics) -> Self {
        let mut common = CommonArgs::default();
        for attribute in attributes {
            if attribute.path().is_ident("leakproof") {
                let tokens = diagnostics.ok(attribute.parse_args::<TokenStream>());
                for arg in parse_args(tokens.unwrap_or_default(), &["crate"], diagnostics) {
                    common.accept(arg, diagnostics);
                }
            }
        }
        common
    }

    /// Stores a common argument. Returns any other.
    fn accept(&mut self, arg: Arg, diagnostics: &Diagnostics) -> Option<Arg> {
        match arg.name.to_string().as_str() {
            "crate" => self.runtime = arg.value("crate = path", diagnostics),
            "name" => self.name = arg.value("name = \"PythonName\"", diagnostics),
            "module" => self.module = arg.value("module = \"python.module\"", diagnostics),
            _ => return Some(arg),
        }
        None
    }

    /// The path of the crate `leakproof`.
    pub(crate) fn runtime(&self) -> TokenStream {
        match &self.runtime {
            Some(path) => quote!(#path),
            None => quote!(::leakproof),
        }
    }

    /// The name of the Python class, by default that of the item.
    pub(crate) fn name(&self, ident: &Ident) -> String {
        match &self.name {
            Some(name) => name.value(),
            None => ident.to_string(),
        }
    }

    /// The Python module of the class, by default that of the crate.
    pub(crate) fn module(&self) -> String {
        match &self.module {
            Some(module) => module.value(),
            None => std::env::var("CARGO_CRATE_NAME").unwrap_or_else(|_| "builtins".into()),
        }
    }
}
