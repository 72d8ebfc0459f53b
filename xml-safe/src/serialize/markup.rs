//! HTML and XHTML.
//!
//! HTML follows the algorithm of the HTML standard ("Serializing HTML fragments"): void elements have no end tag, the
//! text of scripts and styles has no escapes. XHTML is XML that HTML parsers read alike: void elements end with ` />`,
//! and all others have an end tag. Both rules are for elements of the XHTML namespace, and of none.

use std::ops::Range;

use leakproof::prelude::*;

use super::encode::Place;
use super::options::{Method, Written};
use super::output::Sink;
use super::uris::Uris;
use super::xml;
use crate::ffi;
use crate::node::{Attribute, Namespace, Node};

const XHTML: &str = "http://www.w3.org/1999/xhtml";

/// Elements without content and without an end tag.
const VOID: &[&str] = &[
    "area", "base", "basefont", "bgsound", "br", "col", "embed", "frame", "hr", "img", "input",
    "keygen", "link", "meta", "param", "source", "track", "wbr",
];

/// Elements whose text has no escapes in HTML.
const RAW: &[&str] = &[
    "iframe",
    "noembed",
    "noframes",
    "plaintext",
    "script",
    "style",
    "xmp",
];

/// Elements in which white space is part of the text.
const PREFORMATTED: &[&str] = &["listing", "pre", "textarea"];

/// Elements around which white space is visible.
const INLINE: &[&str] = &[
    "a", "abbr", "acronym", "audio", "b", "bdi", "bdo", "big", "br", "button", "canvas", "cite",
    "code", "data", "del", "dfn", "em", "embed", "font", "i", "iframe", "img", "input", "ins",
    "kbd", "label", "map", "mark", "math", "meter", "object", "output", "progress", "q", "ruby",
    "s", "samp", "select", "small", "span", "strike", "strong", "sub", "sup", "svg", "textarea",
    "time", "tt", "u", "var", "video", "wbr",
];

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[field(ns, when(type_, ffi::XML_ELEMENT_NODE))]
    fn element_namespace(&self) -> Option<Borrowed<Namespace>>;

    #[field(nsDef, when(type_, ffi::XML_ELEMENT_NODE))]
    fn first_declaration(&self) -> Option<Borrowed<Namespace>>;

    #[field(self, when(type_, ffi::XML_ATTRIBUTE_NODE))]
    pub(crate) fn as_attribute(&self) -> Option<Borrowed<Attribute>>;
}

/// An element whose start tag is written.
struct Element {
    /// The name with its prefix.
    name: String,
    /// The local name in lower case, if the rules of HTML apply.
    html: Option<String>,
    /// Set if the children are written on lines of their own.
    is_indented: bool,
}

impl Element {
    fn new(node: &Node) -> Self {
        let local = node.name().unwrap_or_default();
        let namespace = node.element_namespace();
        let is_html = match &namespace {
            None => true,
            Some(namespace) => namespace.href().is_some_and(|href| href == XHTML),
        };
        let prefix = namespace.and_then(|namespace| namespace.prefix());
        Element {
            html: is_html.then(|| local.to_ascii_lowercase()),
            name: with_prefix(prefix, local),
            is_indented: false,
        }
    }

    fn is(&self, names: &[&str]) -> bool {
        self.html
            .as_deref()
            .is_some_and(|name| names.contains(&name))
    }
}

fn with_prefix(prefix: Option<String>, local: String) -> String {
    match prefix {
        Some(prefix) => format!("{prefix}:{local}"),
        None => local,
    }
}

/// Writes one tree.
struct Writer<'s> {
    sink: &'s Sink,
    is_html: bool,
    indent: bool,
    /// The encoding that a `<meta>` names; `None` for text.
    encoding: Option<&'s str>,
    uris: Option<Uris>,
}

/// Writes a document, or a node with all below it.
pub(super) fn write(node: &Node, written: &Written, sink: &Sink, uris: Option<Uris>) -> Result<()> {
    let writer = Writer {
        sink,
        is_html: written.method == Method::Html,
        indent: written.indent,
        encoding: written.encoding.as_deref(),
        uris,
    };
    let is_document = node.is_document();
    if !is_document && node.type_number() != ffi::XML_DOCUMENT_FRAG_NODE {
        return writer.tree(node);
    }
    for child in node.steps() {
        writer.tree(child.get())?;
        if is_document {
            sink.verbatim("\n", Place::Markup)?;
        }
    }
    Ok(())
}

impl Writer<'_> {
    /// Writes `top` and all below it. The loop needs no recursion, since documents can be deep.
    fn tree(&self, top: &Node) -> Result<()> {
        let mut open = Vec::new();
        let mut levels = Vec::new();
        if let Some(element) = self.node(top, None)? {
            open.push(element);
            levels.push(top.steps());
        }
        while let (Some(element), Some(level)) = (open.last(), levels.last_mut()) {
            if let Some(child) = level.next() {
                if element.is_indented {
                    self.line(open.len())?;
                }
                if let Some(inner) = self.node(child.get(), Some(element))? {
                    open.try_reserve(1)?;
                    levels.try_reserve(1)?;
                    levels.push(child.get().steps());
                    open.push(inner);
                }
                continue;
            }
            levels.pop();
            let Some(element) = open.pop() else { break };
            if element.is_indented {
                self.line(open.len())?;
            }
            self.name(&format!("</{}>", element.name))?;
        }
        Ok(())
    }

    /// Writes a node. Returns the element if its content and its end tag follow.
    fn node(&self, node: &Node, parent: Option<&Element>) -> Result<Option<Element>> {
        let is_raw = self.is_html && parent.is_some_and(|parent| parent.is(RAW));
        match node.type_number() {
            ffi::XML_ELEMENT_NODE if is_raw => Err(refused("a script or a style", "elements")),
            ffi::XML_ELEMENT_NODE => self.element(node, parent),
            kind => {
                match kind {
                    ffi::XML_TEXT_NODE if is_raw => self.script(node, parent)?,
                    ffi::XML_CDATA_SECTION_NODE if is_raw => self.script(node, parent)?,
                    ffi::XML_TEXT_NODE => self.text(&node.own_text().unwrap_or_default())?,
                    ffi::XML_CDATA_SECTION_NODE if self.is_html => {
                        self.text(&node.own_text().unwrap_or_default())?;
                    }
                    ffi::XML_COMMENT_NODE => self.comment(node)?,
                    ffi::XML_PI_NODE => self.instruction(node)?,
                    ffi::XML_ATTRIBUTE_NODE => {
                        if let Some(attribute) = node.as_attribute() {
                            self.attribute(attribute.get(), "", None)?;
                        }
                    }
                    ffi::XML_DTD_NODE if self.is_html => self.doctype(node)?,
                    ffi::XML_ENTITY_REF_NODE if self.is_html => return Err(no_entities()),
                    _ => xml::one(node, false, self.sink)?,
                }
                Ok(None)
            }
        }
    }

    fn element(&self, node: &Node, parent: Option<&Element>) -> Result<Option<Element>> {
        let mut element = Element::new(node);
        self.name(&format!("<{}", element.name))?;
        self.sink.inherited()?;
        for namespace in Successors::new(node.first_declaration(), Namespace::next) {
            let name = match namespace.prefix() {
                Some(prefix) => format!(" xmlns:{prefix}=\""),
                None => " xmlns=\"".into(),
            };
            self.name(&name)?;
            let uri = namespace.href().unwrap_or_default();
            match &self.uris {
                Some(uris) => self.sink.content(&uris.written(&uri))?,
                None => self.value(&uri)?,
            }
            self.name("\"")?;
        }
        for attribute in Successors::new(node.first_attribute(), Attribute::next) {
            let named = match self.encoding.filter(|_| element.is(&["meta"])) {
                Some(encoding) => naming(attribute.get(), node, encoding)?,
                None => None,
            };
            self.attribute(attribute.get(), " ", named)?;
        }
        let is_empty = node.first_child().is_none();
        if element.is(VOID) && (is_empty || self.is_html) {
            if !is_empty {
                return Err(refused(&format!("<{}>", element.name), "content"));
            }
            self.name(if self.is_html { ">" } else { " />" })?;
            return Ok(None);
        }
        if is_empty && element.html.is_none() && !self.is_html {
            self.name("/>")?;
            return Ok(None);
        }
        self.name(">")?;
        if self.is_html && element.is(PREFORMATTED) && starts_with_line(node) {
            // A parser drops the first line end.
            self.sink.content("\n")?;
        }
        let is_inherited = parent.is_none_or(|parent| parent.is_indented);
        element.is_indented =
            self.indent && is_inherited && !is_empty && can_be_indented(node, &element);
        Ok(Some(element))
    }

    /// Writes an attribute after the text that separates it from what is before it; with `value` if there is one.
    fn attribute(&self, attribute: &Attribute, before: &str, value: Option<String>) -> Result<()> {
        let prefix = attribute
            .namespace()
            .and_then(|namespace| namespace.prefix());
        let name = with_prefix(prefix, attribute.name().unwrap_or_default());
        self.name(&format!("{before}{name}=\""))?;
        if let Some(value) = value {
            self.value(&value)?;
            return self.name("\"");
        }
        let Some(value) = attribute.as_node() else {
            return self.name("\"");
        };
        for part in value.get().steps() {
            match part.type_number() {
                ffi::XML_ENTITY_REF_NODE if self.is_html => return Err(no_entities()),
                ffi::XML_ENTITY_REF_NODE => {
                    let name = part.name().unwrap_or_default();
                    self.name(&format!("&{name};"))?;
                }
                _ => self.value(&part.own_text().unwrap_or_default())?,
            }
        }
        self.name("\"")
    }

    fn text(&self, text: &str) -> Result<()> {
        self.escaped(text, |character| match character {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '\r' => Some("&#13;"),
            '\u{a0}' if self.is_html => Some("&nbsp;"),
            _ => None,
        })
    }

    fn value(&self, text: &str) -> Result<()> {
        self.escaped(text, |character| match character {
            '&' => Some("&amp;"),
            '<' => Some("&lt;"),
            '>' => Some("&gt;"),
            '"' => Some("&quot;"),
            '\r' => Some("&#13;"),
            '\n' if !self.is_html => Some("&#10;"),
            '\t' if !self.is_html => Some("&#9;"),
            '\u{a0}' if self.is_html => Some("&nbsp;"),
            _ => None,
        })
    }

    fn escaped(&self, text: &str, escape: impl Fn(char) -> Option<&'static str>) -> Result<()> {
        let mut start = 0;
        for (place, character) in text.char_indices() {
            if let Some(reference) = escape(character) {
                self.sink.content(&text[start..place])?;
                self.sink.content(reference)?;
                start = place + character.len_utf8();
            }
        }
        self.sink.content(&text[start..])
    }

    /// Writes the text of a script or a style.
    fn script(&self, node: &Node, parent: Option<&Element>) -> Result<()> {
        let text = node.own_text().unwrap_or_default();
        let name = parent
            .and_then(|parent| parent.html.as_deref())
            .unwrap_or_default();
        if text.to_ascii_lowercase().contains(&format!("</{name}")) {
            return Err(refused(&format!("<{name}>"), "its own end tag in its text"));
        }
        self.sink.verbatim(&text, Place::Script)
    }

    fn comment(&self, node: &Node) -> Result<()> {
        let text = node.own_text().unwrap_or_default();
        if self.is_html && (text.starts_with('>') || text.starts_with("->")) {
            return Err(refused("a comment", "`>` at its start"));
        }
        self.sink
            .verbatim(&format!("<!--{text}-->"), Place::Comment)
    }

    fn instruction(&self, node: &Node) -> Result<()> {
        let target = node.name().unwrap_or_default();
        let text = node.own_text().filter(|text| !text.is_empty());
        let text = text.map_or(target.clone(), |text| format!("{target} {text}"));
        let end = match self.is_html {
            true => ">",
            false => "?>",
        };
        if self.is_html && text.contains('>') {
            return Err(refused("a processing instruction", "`>` in its text"));
        }
        self.sink
            .verbatim(&format!("<?{text}{end}"), Place::Instruction)
    }

    /// Writes the document type declaration, without the declarations in it: HTML has none.
    fn doctype(&self, node: &Node) -> Result<()> {
        let document = node.owner();
        let Some(dtd) = document
            .as_ref()
            .and_then(|document| document.internal_subset())
        else {
            return Ok(());
        };
        let quoted = |text: &str| match text.contains('"') {
            true => format!(" '{text}'"),
            false => format!(" \"{text}\""),
        };
        if dtd.system_id().is_some_and(|system| system.contains('>')) {
            return Err(refused("a document type", "`>` in its system identifier"));
        }
        let name = dtd.name().unwrap_or_default();
        let identifiers = match (dtd.public_id(), dtd.system_id()) {
            (Some(public), Some(system)) if !system.is_empty() => {
                format!(" PUBLIC{}{}", quoted(&public), quoted(&system))
            }
            (Some(public), _) => format!(" PUBLIC{}", quoted(&public)),
            (None, Some(system)) => format!(" SYSTEM{}", quoted(&system)),
            (None, None) => String::new(),
        };
        self.sink
            .verbatim(&format!("<!DOCTYPE {name}{identifiers}>"), Place::Dtd)
    }

    /// Writes a part of a tag.
    fn name(&self, text: &str) -> Result<()> {
        self.sink.verbatim(text, Place::Name)
    }

    /// Begins a line.
    fn line(&self, depth: usize) -> Result<()> {
        self.sink.verbatim("\n", Place::Markup)?;
        (0..depth).try_for_each(|_| self.sink.verbatim("  ", Place::Markup))
    }
}

/// Returns `true` if white space between the children of an element changes nothing.
fn can_be_indented(node: &Node, element: &Element) -> bool {
    if element.is(PREFORMATTED) || element.is(RAW) || element.is(&["p"]) {
        return false;
    }
    node.steps().all(|child| match child.type_number() {
        ffi::XML_ELEMENT_NODE => !Element::new(child.get()).is(INLINE),
        ffi::XML_COMMENT_NODE | ffi::XML_PI_NODE => true,
        _ => false,
    })
}

/// Returns the value of an attribute of a `<meta>` that names another encoding than this one, with this one's name.
fn naming(attribute: &Attribute, meta: &Node, encoding: &str) -> Result<Option<String>> {
    let value = attribute.value()?;
    let plain_name = |attribute: &Attribute| match attribute.namespace() {
        Some(_) => String::new(),
        None => attribute.name().unwrap_or_default().to_ascii_lowercase(),
    };
    let place = match &*plain_name(attribute) {
        "charset" => Some(0..value.len()),
        "content" => {
            let mut attributes = Successors::new(meta.first_attribute(), Attribute::next);
            let is_content_type =
                attributes.try_fold(false, |found, attribute| -> Result<bool> {
                    let value = attribute.value()?;
                    let is_it = plain_name(attribute.get()) == "http-equiv"
                        && value.trim().eq_ignore_ascii_case("content-type");
                    Ok(found || is_it)
                })?;
            charset_in(&value).filter(|_| is_content_type)
        }
        _ => None,
    };
    let is_other = |place: &Range<usize>| {
        let named = value[place.clone()].trim();
        !named.eq_ignore_ascii_case(encoding)
    };
    let place = place.filter(is_other);
    Ok(place.map(|place| format!("{}{encoding}{}", &value[..place.start], &value[place.end..])))
}

/// Returns the place of the encoding's name in a content type such as "text/html; charset=utf-8".
fn charset_in(content_type: &str) -> Option<Range<usize>> {
    let lower = content_type.to_ascii_lowercase();
    let behind = lower.find("charset")? + "charset".len();
    let value = lower[behind..].trim_start().strip_prefix('=')?.trim_start();
    let value = value.trim_start_matches(['"', '\'']);
    let start = lower.len() - value.len();
    let is_end =
        |character: char| character.is_ascii_whitespace() || matches!(character, ';' | '"' | '\'');
    let end = value.find(is_end).unwrap_or(value.len());
    Some(start..start + end)
}

fn starts_with_line(node: &Node) -> bool {
    let first = node.first_child();
    first
        .and_then(|first| first.own_text())
        .is_some_and(|text| text.starts_with('\n'))
}

fn refused(what: &str, lacks: &str) -> Error {
    Error::Value(format!(
        "in HTML, {what} can't have {lacks}: write XML or XHTML"
    ))
}

fn no_entities() -> Error {
    Error::Value(
        "HTML has no entities of a DTD: parse the document with resolve_entities=True".into(),
    )
}
