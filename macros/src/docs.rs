//! Doc comments of Rust items, and the comments that C headers have in their place.

use std::path::PathBuf;
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
pub(crate) fn code_block(comment: &str) -> String {
    format!("````text\n{comment}\n````")
}
