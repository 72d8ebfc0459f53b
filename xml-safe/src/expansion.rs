//! The length of what entity references stand for, before libxml2 writes it out.
//!
//! A document of some kilobytes can refer to a long entity thousands of times, and entities can refer to others. The
//! parser's limits do not cover this: with references kept in the tree, nothing is repeated before the text is read.

use std::collections::BTreeMap;

use leakproof::prelude::*;

use crate::document::Document;
use crate::ffi;
use crate::node::Node;

/// The most bytes that the entities in one text may come to: libxml2's own limit for a text node.
const MOST: u64 = 10_000_000;
/// libxml2's own limit for entities in entities.
const DEEPEST: u32 = 40;

/// Measures the expansions of one document's entities.
pub(crate) struct Expansion<'d> {
    document: &'d Document,
    /// The entities that were measured, by name.
    lengths: BTreeMap<String, u64>,
}

impl<'d> Expansion<'d> {
    pub(crate) fn of(document: &'d Document) -> Self {
        Expansion {
            document,
            lengths: BTreeMap::new(),
        }
    }

    /// Refuses to write out more than the limit, unless the document was parsed with `huge`.
    pub(crate) fn check(mut self, node: &Node) -> Result<()> {
        let length = self.within(node, 0);
        if length <= MOST || self.document.is_huge() {
            return Ok(());
        }
        Err(Error::Overflow(format!(
            "the entities in this text come to {length} bytes, and more than {MOST} are only written out of a document \
             that was parsed with huge=True"
        )))
    }

    /// The length of the expansions in `node`.
    fn within(&mut self, node: &Node, depth: u32) -> u64 {
        if node.type_number() == ffi::XML_ENTITY_REF_NODE {
            return self.entity(node, depth);
        }
        let mut length = 0_u64;
        let mut current = node.first_child();
        while let Some(inner) = current {
            let inner = inner.get();
            if inner.type_number() == ffi::XML_ENTITY_REF_NODE {
                length = length.saturating_add(self.entity(inner, depth));
            }
            current = inner.first_child().or_else(|| following(inner, node));
        }
        length
    }

    /// The length of what the entity that `reference` names stands for; markup in it counts, too.
    fn entity(&mut self, reference: &Node, depth: u32) -> u64 {
        let name = reference.name().unwrap_or_default();
        if let Some(length) = self.lengths.get(&name) {
            return *length;
        }
        if depth >= DEEPEST {
            return u64::MAX;
        }
        let found = CString::new(name.as_str()).ok();
        let entity = found.and_then(|name| self.document.entity(&name));
        let length = entity.map_or(0, |entity| {
            let own = u64::try_from(entity.length()).unwrap_or_default();
            let inner = entity.as_node();
            own.saturating_add(inner.map_or(0, |inner| self.within(inner.get(), depth + 1)))
        });
        self.lengths.insert(name, length);
        length
    }
}

/// The next node in document order that is not in `node`, within `top`.
fn following<'n>(node: &'n Node, top: &Node) -> Option<Borrowed<'n, Node>> {
    let mut last = node;
    loop {
        if let Some(next) = last.next_sibling() {
            return Some(next);
        }
        last = last.parent()?.get();
        if std::ptr::eq(last, top) {
            return None;
        }
    }
}
