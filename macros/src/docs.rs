//! Doc comments of Rust items, and the comments that C headers have in their place.

use std::path::PathBuf;

use proc_macro2::TokenStream;
use quote::quote;
use syn::ext::IdentExt;
use syn::{Attribute, Expr, Lit, Meta, Path};

/// The text of the doc comments among `attributes`.
pub(crate) fn doc_text(attributes: &[Attribute]) -> String {
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

/// The doc comments among `attributes`, as they are.
pub(crate) fn doc_attributes(attributes: &[Attribute]) -> impl Iterator<Item = &Attribute> {
    attributes
        .iter()
        .filter(|attribute| attribute.path().is_ident("doc"))
}

/// The comment that a C header has for an item, in place of the doc comment that the author did not
/// write.
pub(crate) struct HeaderComment(Option<String>);

impl HeaderComment {
    pub(crate) fn none() -> Self {
        HeaderComment(None)
    }

    /// Reads the comment of `c_item` that the build script found, unless `attributes` have a doc
    /// comment.
    pub(crate) fn of(attributes: &[Attribute], c_item: &Path) -> Self {
        let read = || {
            let name = c_item.segments.last()?.ident.unraw().to_string();
            let folder = PathBuf::from(std::env::var_os("OUT_DIR")?).join("leakproof-comments");
            std::fs::read_to_string(folder.join(name)).ok()
        };
        match doc_attributes(attributes).next() {
            Some(_) => HeaderComment::none(),
            None => HeaderComment(read()),
        }
    }

    /// The text.
    pub(crate) fn text(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The doc comment for rustdoc: a code block, because rustdoc would take some of the text for
    /// markup.
    pub(crate) fn for_rust(&self) -> Option<TokenStream> {
        let text = self.0.as_ref()?;
        let block = format!("````text\n{text}\n````");
        Some(quote!(#[doc = #block]))
    }

    /// The doc comment that becomes `__doc__` in Python.
    pub(crate) fn for_python(&self) -> Option<TokenStream> {
        let text = self.0.as_ref()?;
        Some(quote!(#[doc = #text]))
    }
}
