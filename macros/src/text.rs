//! Text that C returns: the types that hold it, and how it is decoded.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream};
use syn::spanned::Spanned;
use syn::{GenericArgument, PathArguments, Type};

use crate::span::respanned;
use crate::types::inspect::argument_of;

/// The decoding of text that is not UTF-8 into a `String`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Utf8 {
    /// An error.
    Strict,
    /// U+FFFD in place of invalid bytes.
    Lossy,
}

impl Utf8 {
    pub(crate) const FORM: &'static str = "utf8 = lossy";
}

impl Parse for Utf8 {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let name: Ident = input.call(Ident::parse_any)?;
        if name == "lossy" {
            return Ok(Utf8::Lossy);
        }
        Err(syn::Error::new_spanned(
            &name,
            "text that is not UTF-8 raises an error by default: write `utf8 = lossy` to replace \
             invalid bytes with U+FFFD, or remove `utf8`",
        ))
    }
}

pub(crate) fn is_string(ty: &Type) -> bool {
    matches!(ty, Type::Path(path) if path.path.segments.last().is_some_and(|segment| segment.ident == "String"))
}

/// Returns `true` if `ty` contains a `String` that can be decoded from text of C.
pub(crate) fn contains_string(ty: &Type) -> bool {
    with_undecoded_text(ty, &TokenStream::new()).is_some()
}

/// `ty` with a copy that may not be UTF-8 in place of each `String`. `None` if there is no `String`.
pub(crate) fn with_undecoded_text(ty: &Type, runtime: &TokenStream) -> Option<Type> {
    if is_string(ty) {
        let text = respanned(quote!(#runtime::__private::from_c::Undecoded), ty.span());
        return Some(Type::Verbatim(text));
    }
    if let Type::Tuple(tuple) = ty {
        let elements = tuple
            .elems
            .iter()
            .map(|ty| with_undecoded_text(ty, runtime));
        let elements = elements.collect::<Vec<_>>();
        elements.iter().any(Option::is_some).then_some(())?;
        let mut tuple = tuple.clone();
        for (element, text) in tuple.elems.iter_mut().zip(elements) {
            *element = text.unwrap_or_else(|| element.clone());
        }
        return Some(Type::Tuple(tuple));
    }
    let inner = argument_of(ty, "Option").or_else(|| argument_of(ty, "Vec"))?;
    let inner = with_undecoded_text(inner, runtime)?;
    Some(with_argument(ty, inner))
}

/// The generic type `ty`, with `argument` as its only argument.
pub(crate) fn with_argument(ty: &Type, argument: Type) -> Type {
    let mut ty = ty.clone();
    if let Type::Path(path) = &mut ty
        && let Some(segment) = path.path.segments.last_mut()
        && let PathArguments::AngleBracketed(arguments) = &mut segment.arguments
    {
        arguments.args = [GenericArgument::Type(argument)].into_iter().collect();
    }
    ty
}

/// Decodes `value`, whose type is [`with_undecoded_text`] of `ty`, into a `ty`. `site` is the variable
/// with the call site.
pub(crate) fn decode(
    ty: &Type,
    value: TokenStream,
    utf8: Utf8,
    site: &Ident,
    runtime: &TokenStream,
) -> TokenStream {
    if !contains_string(ty) {
        return value;
    }
    let tuple = match ty {
        Type::Tuple(tuple) => Some(tuple),
        ty => match argument_of(ty, "Option") {
            Some(Type::Tuple(tuple)) => {
                let inner = decode(
                    &Type::Tuple(tuple.clone()),
                    quote!(value),
                    utf8,
                    site,
                    runtime,
                );
                return quote! {
                    match #value {
                        ::core::option::Option::Some(value) => ::core::option::Option::Some(#inner),
                        ::core::option::Option::None => ::core::option::Option::None,
                    }
                };
            }
            _ => None,
        },
    };
    if let Some(tuple) = tuple {
        let names = (0..tuple.elems.len()).map(|n| format_ident!("__decoded_{n}"));
        let names = names.collect::<Vec<_>>();
        let decoded = tuple.elems.iter().zip(&names);
        let decoded = decoded.map(|(ty, name)| decode(ty, quote!(#name), utf8, site, runtime));
        return quote!({
            let (#(#names,)*) = #value;
            (#(#decoded,)*)
        });
    }
    match utf8 {
        Utf8::Strict => quote!(#runtime::__private::from_c::decode(#site, #value)?),
        Utf8::Lossy => quote!(#runtime::__private::from_c::Decode::decode_lossy(#value)),
    }
}
