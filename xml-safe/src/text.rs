//! The text of nodes in documents that refer to entities.
//!
//! libxml2 expands an entity reference each time it reads a node's content. Newer versions mark the entity meanwhile,
//! so that two threads would see each other's marks. This module therefore gathers the content without a change to the
//! tree. The size is limited: a small document can refer to a long entity very often.

use leakproof::prelude::*;

use crate::document::Document;
use crate::ffi;
use crate::node::Node;

/// The maximum number of bytes that the entities of a document may expand to. `huge` lifts it, as it lifts libxml2's
/// limits.
const MOST_EXPANDED: usize = 10_000_000;

/// The maximum depth of entities that refer to entities, as in libxml2.
const MOST_DEEP: usize = 40;

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
        let document = self.document;
        let name = reference.entity_name();
        let Some(entity) = name.and_then(|name| document.entity(&name)) else {
            return Ok(());
        };
        let entity = entity.get().as_node();
        let Some(entity) = entity else {
            return Ok(());
        };
        if self.depth >= MOST_DEEP {
            return Err(Error::Value(
                "entities refer to each other too deep, or in a loop".into(),
            ));
        }
        self.depth += 1;
        let added = self.add(entity.get());
        self.depth -= 1;
        added
    }

    fn push(&mut self, text: Option<String>) -> Result<()> {
        let Some(text) = text else { return Ok(()) };
        if self.depth > 0 {
            self.expanded = self.expanded.saturating_add(text.len());
            if self.expanded > self.most {
                return Err(Error::Overflow(format!(
                    "the entities in the text expand to more than {MOST_EXPANDED} bytes: parse the document with huge=True"
                )));
            }
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
