//! Copies of nodes.

use std::ffi::c_int;

use leakproof::Null;
use leakproof::prelude::*;

use crate::create::within;
use crate::document::Document;
use crate::ffi;
use crate::ids;
use crate::node::Node;
use crate::order::following;
use crate::serialize::uris::note_copy;

/// The modes of xmlDocCopyNode: with all nodes below, or with attributes and namespaces only.
const DEEP: c_int = 1;
const SHALLOW: c_int = 2;

/// The stack in bytes that a copy needs for each level of the tree, with a margin for other builds of libxml2.
const STACK_PER_LEVEL: usize = 1 << 10;
/// The stack in bytes that a copy of one node needs.
const STACK: usize = 256 << 10;

#[methods(unsafe, rust_only)]
impl crate::document::Document {
    #[foreign(node)]
    #[calls(ffi::xmlDocCopyNode, args = (node, self, mode), fails = null)]
    fn copy_node(&mut self, node: &Node, mode: c_int) -> Result<Borrowed<Node>>;

    pub(crate) fn copy_deep(&mut self, node: &Node) -> Result<Borrowed<'_, Node>> {
        self.copy_node(node, DEEP)
    }

    pub(crate) fn copy_shallow(&mut self, node: &Node) -> Result<Borrowed<'_, Node>> {
        self.copy_node(node, SHALLOW)
    }
}

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[field(children)]
    fn set_children(&mut self, children: Null);

    #[field(last)]
    fn set_last(&mut self, last: Null);

    pub(crate) fn is_entity_ref(&self) -> bool {
        self.type_number() == ffi::XML_ENTITY_REF_NODE
    }
}

/// Clears the link from a new reference to the declaration of its entity, as the parser's handler does
/// ([`Handlers`](crate::sax::Handlers)).
pub(crate) fn clear_link(tree: &Tree<'_, Document>, reference: Borrowed<'_, Node>) -> Result<()> {
    let mut reference = tree.edit(reference)?;
    reference.set_children(Null);
    reference.set_last(Null);
    Ok(())
}

/// Clears the links of all references in a copy.
pub(crate) fn clear_links<'t>(tree: &Tree<'t, Document>, top: Borrowed<'t, Node>) -> Result<()> {
    let document = tree.owner();
    if document.internal_subset().is_none() && document.external_subset().is_none() {
        return Ok(());
    }
    let mut here = Some(top);
    while let Some(node) = here {
        if node.is_entity_ref() {
            clear_link(tree, node)?;
        }
        here = following(node, top);
    }
    Ok(())
}

impl Node {
    /// Returns the number of levels of the tree at this node.
    pub(crate) fn levels(&self) -> usize {
        let top = Borrowed::from(self);
        let (mut here, mut level, mut most) = (top, 1_usize, 1);
        loop {
            if let Some(child) = here.get().first_child() {
                (here, level) = (child, level + 1);
                most = most.max(level);
                continue;
            }
            while here != top && here.get().next_sibling().is_none() {
                match here.get().parent() {
                    Some(parent) => (here, level) = (parent, level - 1),
                    None => return most,
                }
            }
            match here.get().next_sibling() {
                Some(next) if here != top => here = next,
                _ => return most,
            }
        }
    }
}

/// Copies a node into the document of `tree`. libxml2 goes down the tree by recursion, so the copy has a stack that
/// suffices.
pub(crate) fn copy_into<'t>(
    tree: &Tree<'t, Document>,
    node: &Node,
    deep: bool,
) -> Result<Borrowed<'t, Node>> {
    if !node.is_content() && !node.is_fragment() && !node.is_attribute() {
        return Err(Error::Value(format!(
            "a node of the type {:?} cannot be copied",
            node.type_name()
        )));
    }
    let (mode, levels) = match deep {
        true => (DEEP, node.levels()),
        false => (SHALLOW, 1),
    };
    if let Some(from) = node.owner() {
        note_copy(from.get(), tree.owner());
    }
    let mut owner = tree.edit_owner();
    let copy = on_stack_for(levels, || owner.copy_node(node, mode))?;
    let copy = within(tree, copy)?;
    clear_links(tree, copy)?;
    // libxml2 has added the copy's IDs to the table; nodes outside the tree have no IDs.
    ids::forget_all(tree, copy)?;
    Ok(copy)
}

/// Calls libxml2 with enough stack to copy a tree of so many levels.
pub(crate) fn on_stack_for<R>(levels: usize, call: impl FnOnce() -> R) -> R {
    let stack = levels.saturating_mul(STACK_PER_LEVEL).saturating_add(STACK);
    stacker::maybe_grow(stack, stack, call)
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Make a copy of this node, which is in no tree until it is put somewhere (xmlDocCopyNode). Without `deep`, the
    /// copy has the attributes and no children.
    ///
    /// A copy of an attribute has no namespace. Raises ValueError for a document, and a DTD and what it declares.
    #[pyo3(signature = (*, deep = true))]
    pub(crate) fn copy(&mut self, deep: bool) -> Result<Borrowed<'_, Node>> {
        let (tree, this) = Tree::around(self)?;
        copy_into(&tree, this.get(), deep)
    }
}

#[methods(unsafe)]
impl crate::document::Document {
    /// Copy a node of another document into this document. The copy is in no tree until it is put somewhere. Without
    /// `deep`, the copy has the attributes and no children.
    ///
    /// Raises ValueError as `Node.copy` does, and for a reference to an entity that `create_entity_ref` refuses.
    #[foreign(node)]
    #[pyo3(signature = (node, *, deep = true))]
    fn import_node(&mut self, node: &Node, deep: bool) -> Result<Borrowed<'_, Node>> {
        crate::references::check_all(self, node, deep)?;
        copy_into(&Tree::of(self), node, deep)
    }
}
