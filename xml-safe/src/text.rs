//! The text of nodes in documents that refer to entities.
//!
//! libxml2 expands an entity reference each time it reads a node's content. Newer versions mark the entity meanwhile,
//! so that two threads would see each other's marks. This module therefore gathers the content without a change to the
//! tree. The size is limited: a small document can refer to a long entity very often.

use leakproof::prelude::*;

use crate::document::Document;
use crate::dtd::Entity;
use crate::ffi;
use crate::node::Node;

/// The maximum number of bytes that the entities of a document may expand to. `huge` lifts it, as it lifts libxml2's
/// limits.
const MOST_EXPANDED: usize = 10_000_000;

/// The maximum depth of entities that refer to entities, as in libxml2.
const MOST_DEEP: usize = 40;

/// A part of the content of an entity.
enum Part {
    Nothing,
    Text(String),
    Reference(CString),
}

/// Reads the markup that `text` begins with. Returns its length, and what it means for the text.
fn markup(text: &str) -> (usize, Part) {
    for (start, end) in [("<!--", "-->"), ("<?", "?>"), ("<![CDATA[", "]]>")] {
        let Some(inner) = text.strip_prefix(start) else {
            continue;
        };
        let inside = inner.find(end).unwrap_or(inner.len());
        let length = (start.len() + inside + end.len()).min(text.len());
        return match start {
            "<![CDATA[" => (length, Part::Text(inner[..inside].to_owned())),
            _ => (length, Part::Nothing),
        };
    }
    if text.starts_with('<') {
        return (length_of_tag(text), Part::Nothing);
    }
    let Some(end) = text.find(';') else {
        return (1, Part::Text("&".into()));
    };
    let name = &text[1..end];
    let part = match name.strip_prefix('#') {
        Some(number) => character(number).map(|character| Part::Text(character.into())),
        None => CString::new(name).ok().map(Part::Reference),
    };
    (end + 1, part.unwrap_or(Part::Nothing))
}

/// Returns the character of the reference with this number.
fn character(number: &str) -> Option<char> {
    let number = match number.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    number.ok().and_then(char::from_u32)
}

/// Returns the length of the tag that `text` begins with. A value may have `>`.
fn length_of_tag(text: &str) -> usize {
    let mut quote = None;
    for (place, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return place + 1,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    text.len()
}

struct Gathered<'d> {
    /// The document that declares the entities.
    document: &'d Document,
    text: String,
    expanded: usize,
    most: usize,
    /// Set if white space in entities becomes spaces, as in the value of an attribute.
    normalize: bool,
    depth: usize,
}

/// Returns the text in `node` and below it.
pub(crate) fn of(node: &Node, document: &Document) -> Result<String> {
    let mut gathered = Gathered {
        document,
        text: String::new(),
        expanded: 0,
        most: match document.is_huge() {
            true => usize::MAX,
            false => MOST_EXPANDED,
        },
        normalize: node.type_number() == ffi::XML_ATTRIBUTE_NODE,
        depth: 0,
    };
    match node.type_number() {
        ffi::XML_ENTITY_REF_NODE => gathered.refer(node)?,
        ffi::XML_COMMENT_NODE | ffi::XML_PI_NODE => gathered.push(node.own_text())?,
        _ => gathered.add(node)?,
    }
    Ok(gathered.text)
}

impl Gathered<'_> {
    /// Adds the text below `top`. The loop needs no recursion, since documents can be deep.
    fn add(&mut self, top: &Node) -> Result<()> {
        self.visit(top)?;
        let mut levels = vec![top.steps()];
        while let Some(level) = levels.last_mut() {
            let Some(node) = level.next() else {
                levels.pop();
                continue;
            };
            let node = node.get();
            self.visit(node)?;
            if node.is_element() {
                levels.push(node.steps());
            }
        }
        Ok(())
    }

    fn visit(&mut self, node: &Node) -> Result<()> {
        match node.type_number() {
            ffi::XML_TEXT_NODE | ffi::XML_CDATA_SECTION_NODE => self.push(node.own_text()),
            ffi::XML_ENTITY_REF_NODE => self.refer(node),
            _ => Ok(()),
        }
    }

    fn refer(&mut self, reference: &Node) -> Result<()> {
        match reference.entity_name() {
            Some(name) => self.expand(&name),
            None => Ok(()),
        }
    }

    /// Adds the text of an entity.
    fn expand(&mut self, name: &CStr) -> Result<()> {
        let Some(entity) = self.document.entity(name) else {
            return Ok(());
        };
        let entity = entity.get();
        let nodes = entity.as_node();
        let nodes = nodes.filter(|nodes| nodes.first_child().is_some());
        if self.depth >= MOST_DEEP {
            return Err(Error::Value(
                "entities refer to each other too deep, or in a loop".into(),
            ));
        }
        self.depth += 1;
        let added = match nodes {
            Some(nodes) => self.add(nodes.get()),
            None => self.add_content(entity),
        };
        self.depth -= 1;
        added
    }

    /// Adds the text of an entity that the parser made no nodes of: a predefined one, and one that the document did not
    /// refer to when it was parsed.
    fn add_content(&mut self, entity: &Entity) -> Result<()> {
        let Some(content) = entity.content() else {
            return Ok(());
        };
        match entity.kind() {
            // libxml2 has the name of the notation there.
            ffi::XML_EXTERNAL_GENERAL_UNPARSED_ENTITY => return Ok(()),
            ffi::XML_INTERNAL_PREDEFINED_ENTITY => return self.push(Some(content)),
            _ => {}
        }
        // The size of the content counts, also where no text comes of it.
        self.count(content.len())?;
        let mut rest = &*content;
        while let Some(place) = rest.find(['<', '&']) {
            self.push(Some(rest[..place].to_owned()))?;
            rest = &rest[place..];
            let (length, part) = markup(rest);
            match part {
                Part::Nothing => {}
                Part::Text(text) => self.push(Some(text))?,
                Part::Reference(name) => self.expand(&name)?,
            }
            rest = &rest[length..];
        }
        self.push(Some(rest.to_owned()))
    }

    fn count(&mut self, bytes: usize) -> Result<()> {
        self.expanded = self.expanded.saturating_add(bytes);
        match self.expanded > self.most {
            true => Err(Error::Overflow(format!(
                "the entities in the text expand to more than {MOST_EXPANDED} bytes: parse the document with huge=True"
            ))),
            false => Ok(()),
        }
    }

    fn push(&mut self, text: Option<String>) -> Result<()> {
        let Some(text) = text else { return Ok(()) };
        if self.depth > 0 {
            self.count(text.len())?;
        }
        self.text
            .try_reserve(text.len())
            .map_err(|_| Error::OutOfMemory("a copy of the result"))?;
        match self.normalize && self.depth > 0 {
            true => self
                .text
                .extend(text.chars().map(|character| match character {
                    '\t' | '\n' | '\r' => ' ',
                    other => other,
                })),
            false => self.text.push_str(&text),
        }
        Ok(())
    }
}
