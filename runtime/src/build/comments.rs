//! Comments of C headers: taken from the bindings, put into plain words, and written where the macros find them.

use std::collections::BTreeMap;
use std::path::Path;
use std::{fs, io};

/// Writes the comment of each function, type and constant to a file of its name. Annotations without a doc comment of
/// their own take it from there.
pub(super) fn write_comments(bindings: &str, folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, comment) in comments(bindings) {
        fs::write(folder.join(name), comment)?;
    }
    Ok(())
}

/// Returns the comment of each item of the bindings, by the item's name.
pub(super) fn comments(bindings: &str) -> BTreeMap<String, String> {
    let mut comments = BTreeMap::new();
    let mut note = |name: &syn::Ident, attributes: &[syn::Attribute]| {
        let comment = comment(attributes);
        if !comment.is_empty() {
            comments.insert(name.to_string(), comment);
        }
    };
    let is_constant = |item: &syn::Item| matches!(item, syn::Item::Const(_));
    // What bindgen wrote is Rust; if not, whoever compiles it says so.
    let mut items = syn::parse_file(bindings).map_or_else(|_| Vec::new(), |file| file.items);
    // A type keeps its comment beside a constant of its name.
    items.sort_by_key(|item| !is_constant(item));
    for item in items {
        match item {
            syn::Item::ForeignMod(block) => {
                for item in block.items {
                    if let syn::ForeignItem::Fn(function) = item {
                        note(&function.sig.ident, &function.attrs);
                    }
                }
            }
            syn::Item::Struct(item) => note(&item.ident, &item.attrs),
            syn::Item::Type(item) => note(&item.ident, &item.attrs),
            syn::Item::Const(item) => note(&item.ident, &item.attrs),
            _ => {}
        }
    }
    comments
}

/// Returns the comment, without the margin that its lines have in common.
fn comment(attributes: &[syn::Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let syn::Meta::NameValue(meta) = &attribute.meta
            && meta.path.is_ident("doc")
            && let syn::Expr::Lit(literal) = &meta.value
            && let syn::Lit::Str(text) = &literal.lit
        {
            lines.extend(text.value().lines().map(without_doxygen));
        }
    }
    let indent = |line: &String| line.len() - line.trim_start().len();
    let written = || lines.iter().filter(|line| !line.is_empty());
    let margin = written().map(indent).min().unwrap_or(0);
    let lines: Vec<&str> = lines
        .iter()
        .map(|line| line.get(margin..).unwrap_or(""))
        .collect();
    lines.join("\n").trim_matches('\n').to_owned()
}

/// Returns the line with the commands of doxygen in plain words, and with spaces for tabs.
fn without_doxygen(line: &str) -> String {
    let line = line.replace('\t', "    ");
    let text = line.trim_start();
    let margin = &line[..line.len() - text.len()];
    // `/**< …` describes what stands before it.
    let text = text.strip_prefix("< ").unwrap_or(text);
    let is_inline =
        |word: &&str| matches!(command(word), Some("a" | "b" | "c" | "e" | "p" | "ref"));
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let name = command(first).map(|name| name.split('[').next().unwrap_or(name));
    let (subject, rest) = match (name, rest.trim_start()) {
        (Some("brief" | "short" | "details"), rest) => (String::new(), rest),
        (Some("param" | "tparam"), rest) => {
            let (parameter, rest) = rest.split_once(' ').unwrap_or((rest, ""));
            (format!("{parameter}: "), rest.trim_start())
        }
        (Some("return" | "returns" | "result"), rest) => ("Returns: ".into(), rest),
        (Some("retval"), rest) => ("Returns ".into(), rest),
        (Some("note"), rest) => ("Note: ".into(), rest),
        (Some("warning" | "attention"), rest) => ("Warning: ".into(), rest),
        (Some("see" | "sa"), rest) => ("See: ".into(), rest),
        (Some("since"), rest) => ("Since: ".into(), rest),
        (Some("deprecated"), rest) => ("Deprecated: ".into(), rest),
        _ => (String::new(), text),
    };
    let words: Vec<&str> = rest.split(' ').filter(|word| !is_inline(word)).collect();
    format!("{margin}{subject}{}", words.join(" "))
        .trim_end()
        .to_owned()
}

/// Returns the name of a doxygen command: `param` for `@param` and `\\param`.
fn command(word: &str) -> Option<&str> {
    word.strip_prefix(['@', '\\'])
}

#[cfg(test)]
mod tests {
    use super::{comments, without_doxygen};

    #[test]
    fn commands_of_doxygen_become_plain_words() {
        for (line, plain) in [
            (" @brief Opens it.", " Opens it."),
            (
                " @param[in] path  The path of @p this",
                " path: The path of this",
            ),
            ("\\param n", "n:"),
            ("@returns 0 or an error", "Returns: 0 or an error"),
            ("\tindented  text \\c NULL", "    indented  text NULL"),
            ("write to me@example.org", "write to me@example.org"),
            ("@unknown stays", "@unknown stays"),
        ] {
            assert_eq!(without_doxygen(line), plain);
        }
    }

    #[test]
    fn comments_are_those_of_the_items() {
        let bindings = r#"
            unsafe extern "C" {
                #[doc = " Opens it.\n\n   @path: where\n"]
                pub fn open(path: i32) -> i32;
                pub fn silent();
            }
            #[doc = "<div>\n A thing.\n"]
            pub struct thing { _unused: [u8; 0] }
            #[doc = " "]
            pub type other = thing;
            #[doc = "< Reads only."]
            pub const READ: mode = 1;
            #[doc = " Another thing."]
            pub const thing: i32 = 1;
        "#;
        let found = comments(bindings);
        assert_eq!(found["open"], "Opens it.\n\n  @path: where");
        assert_eq!(found["thing"], "<div>\n A thing.");
        assert_eq!(found["READ"], "Reads only.");
        assert_eq!(found.len(), 3);
        assert!(comments("no Rust at all").is_empty());
    }
}
