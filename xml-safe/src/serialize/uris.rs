//! The URIs of namespaces that need references in declarations. Before version 2.13, libxml2 writes a URI as it is; in
//! canonical XML all versions do.
//!
//! Most documents have no such URI, and are not searched: a document is marked where one may come into it. Before
//! version 2.13, the parser leaves references to `&` and to entities of the DTD in a URI, unless it replaces entities.

use leakproof::prelude::*;

use crate::document::Document;
use crate::ffi;
use crate::info::is_uri;
use crate::node::{Namespace, Node};
use crate::order::following;

/// The parser's reference to `&` in a URI.
const AMPERSAND: &str = "&#38;";

/// The characters for which a declaration needs references.
const SPECIAL: &[u8] = b"&<\"\t\n\r";

/// Side data of a document that may have such a URI.
struct MayNeedReferences;

impl Attachment for MayNeedReferences {}

fn is_marked(document: &Document) -> bool {
    attached::<MayNeedReferences, _>(document).is_some()
}

fn mark(document: &Document) {
    if !is_marked(document) {
        attach(document, MayNeedReferences);
    }
}

/// Marks the document that a declaration is made in, if the URI needs references.
pub(crate) fn note_uri(document: &Document, uri: &CStr) {
    if uri.to_bytes().iter().any(|byte| SPECIAL.contains(byte)) {
        mark(document);
    }
}

/// Marks the document that nodes of another one come into.
pub(crate) fn note_copy(from: &Document, to: &Document) {
    if is_marked(from) {
        mark(to);
    }
}

/// Marks a document that was parsed, if its source may have such a URI. Entities and default values may have any.
pub(crate) fn note_source(document: &Document, source: &[u8]) {
    const DECLARATION: &[u8] = b"xmlns";
    let mut rest = source;
    let mut needs = document.internal_subset().is_some();
    while !needs && let Some(place) = memchr::memmem::find(rest, DECLARATION) {
        // No byte is looked at twice, so that no text takes long.
        rest = behind(&rest[place + DECLARATION.len()..], |byte| {
            !b" \t\r\n=".contains(&byte)
        });
        rest = behind(rest, |byte| b" \t\r\n=".contains(&byte));
        let Some((quote @ (b'"' | b'\''), value)) = rest.split_first() else {
            continue;
        };
        rest = behind(value, |byte| byte != *quote);
        // Text may look like a declaration. Then it has a quote or a tag, before another one begins.
        let value = &value[..value.len() - rest.len()];
        needs = value
            .iter()
            .any(|byte| SPECIAL.contains(byte) || *byte == b'\'');
    }
    if needs {
        mark(document);
    }
}

fn behind(bytes: &[u8], is_passed: impl Fn(u8) -> bool) -> &[u8] {
    let end = bytes.iter().position(|byte| !is_passed(*byte));
    &bytes[end.unwrap_or(bytes.len())..]
}

/// The rules for the URIs of one document.
#[derive(Debug, Clone)]
pub(crate) struct Uris {
    /// Set if the parser left references in URIs.
    has_references: bool,
    /// The entities that the document declares, for references to them.
    entities: Vec<String>,
    /// Set for canonical XML, which has its own references to white space.
    is_canonical: bool,
}

impl Uris {
    /// Returns the rules if a declaration in the tree at `top` needs them.
    pub(crate) fn of(top: &Node, is_canonical: bool) -> Option<Self> {
        let document = top.owner().filter(|document| is_marked(document.get()))?;
        let needs = |uri: &str| uri.bytes().any(|byte| SPECIAL.contains(&byte));
        let mut above = Successors::new(top.parent(), Node::parent);
        let is_needed = any_uri(top, needs) || above.any(|above| declares(above, needs));
        is_needed.then(|| Uris {
            has_references: keeps_references(document.get()),
            entities: entities(document.get()),
            is_canonical,
        })
    }

    /// Returns a URI as the value of an attribute in double quotes.
    pub(super) fn written(&self, uri: &str) -> String {
        let mut written = String::new();
        let mut rest = uri;
        while let Some(character) = rest.chars().next() {
            let length = match character {
                '&' => self.refer(rest, &mut written),
                other => {
                    match other {
                        '<' => written.push_str("&lt;"),
                        '"' => written.push_str("&quot;"),
                        '\t' | '\n' | '\r' if self.is_canonical => {
                            written.push_str(&format!("&#x{:X};", u32::from(other)));
                        }
                        '\t' | '\n' | '\r' => {
                            written.push_str(&format!("&#{};", u32::from(other)));
                        }
                        _ => written.push(other),
                    }
                    other.len_utf8()
                }
            };
            rest = &rest[length..];
        }
        written
    }

    /// Writes the `&` that `rest` begins with, or the whole reference. Returns its length.
    fn refer(&self, rest: &str, written: &mut String) -> usize {
        const QUOTE: &str = "&quot;";
        // libxml2 writes this one itself, if the URI has both kinds of quotes.
        if rest.starts_with(QUOTE) {
            written.push_str(QUOTE);
            return QUOTE.len();
        }
        let entity = self.entities.iter().find(|name| refers_to(rest, name));
        match entity.filter(|_| self.has_references) {
            Some(name) => written.push_str(&format!("&{name};")),
            None => written.push_str("&amp;"),
        }
        match entity {
            Some(name) if self.has_references => name.len() + 2,
            _ if self.has_references && rest.starts_with(AMPERSAND) => AMPERSAND.len(),
            _ => 1,
        }
    }
}

/// Returns `true` if a declaration of a namespace is read again as another URI: with the reference to `&` that the
/// parser leaves.
pub(crate) fn is_read_otherwise(top: &Node) -> bool {
    let Some(document) = top.owner().filter(|document| is_marked(document.get())) else {
        return false;
    };
    let entities = entities(document.get());
    cfg!(not(marks_entities))
        && any_uri(top, |uri| {
            let mut ampersands = uri.match_indices('&').map(|(place, _)| &uri[place..]);
            ampersands.any(|rest| {
                let is_reference = entities.iter().any(|name| refers_to(rest, name));
                !is_reference && !rest.starts_with(AMPERSAND)
            })
        })
}

/// Returns `true` if `text` begins with a reference to the entity.
fn refers_to(text: &str, name: &str) -> bool {
    let rest = text.strip_prefix('&');
    let rest = rest.and_then(|rest| rest.strip_prefix(name));
    rest.is_some_and(|rest| rest.starts_with(';'))
}

fn any_uri(top: &Node, mut is_it: impl FnMut(&str) -> bool) -> bool {
    let top = Borrowed::from(top);
    let mut nodes = std::iter::successors(Some(top), |node| following(*node, top));
    nodes.any(|node| declares(node, &mut is_it))
}

/// Returns `true` if the node itself declares such a URI.
fn declares(node: Borrowed<'_, Node>, mut is_it: impl FnMut(&str) -> bool) -> bool {
    let mut declared = Successors::new(node.get().declared(), Namespace::next);
    declared.any(|namespace| namespace.href().is_some_and(|uri| is_it(&uri)))
}

/// Returns the first URI of a namespace in the tree at `top` that is no URI.
pub(super) fn first_that_is_none(top: &Node) -> Result<Option<String>> {
    let mut answer = Ok(None);
    any_uri(top, |uri| {
        let Ok(text) = CString::new(uri) else {
            return false;
        };
        match is_uri(&text) {
            Ok(true) => return false,
            Ok(false) => answer = Ok(Some(uri.to_owned())),
            Err(error) => answer = Err(error),
        }
        true
    });
    answer
}

fn keeps_references(document: &Document) -> bool {
    let replaces = document.flags().cast_unsigned() & ffi::XML_PARSE_NOENT != 0;
    cfg!(not(marks_entities)) && !replaces
}

/// The names of the entities that the internal subset declares.
fn entities(document: &Document) -> Vec<String> {
    let subset = document.internal_subset();
    let subset = subset.and_then(|subset| subset.get().as_node());
    let declared = subset.iter().flat_map(|subset| subset.get().steps());
    let entities = declared.filter(|node| node.as_entity().is_some());
    entities.filter_map(|entity| entity.name()).collect()
}
