//! IDs: libxml2 keeps a table of them, by the text that an attribute has when it enters the table.

use leakproof::prelude::*;

use crate::document::Document;
use crate::ffi;
use crate::node::{Attribute, Node};

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[field(self, when(type_, ffi::XML_ATTRIBUTE_NODE))]
    pub(crate) fn as_id(&self) -> Option<Borrowed<Attribute>>;
}

#[methods(unsafe, rust_only)]
impl crate::node::Attribute {
    #[field(atype)]
    fn declared_type(&self) -> u32;
}

#[methods(unsafe, rust_only)]
impl crate::document::Document {
    /// The address of the table; 0 if the document has had no IDs.
    #[field(ids)]
    pub(crate) fn table_of_ids(&self) -> usize;

    #[calls(ffi::xmlRemoveID, fails = when(|_| false))]
    pub(crate) fn forget_id(&mut self, attribute: &Attribute) -> Result<()>;

    /// Makes the element of `attribute` the one with this ID, unless another one has the ID.
    #[calls(ffi::xmlAddID, args = (null, self, id, attribute), fails = when(|_| false))]
    fn add_id(&mut self, id: &CStr, attribute: &Attribute) -> Result<()>;

    /// The attribute with this ID.
    #[calls(ffi::xmlGetID, pure)]
    fn attribute_of_id(&self, id: &CStr) -> Option<Borrowed<Attribute>>;

    /// 1 for an attribute that is an ID by its name, or by a DTD.
    #[calls(ffi::xmlIsID, args = (self, element, attribute))]
    fn is_id(&self, element: &Node, attribute: &Attribute) -> i32;
}

#[methods(unsafe)]
impl crate::document::Document {
    /// Return the element with this ID (xmlGetID). None if no element in the tree of this document has it.
    ///
    /// IDs are the attributes named `xml:id`, and those that the DTD declares as such. XML does not allow two elements
    /// with the same ID: the one that had it first is found, and no other once that one has lost it.
    fn get_by_id(&self, id: &CStr) -> Option<Borrowed<'_, Node>> {
        let attribute = self.attribute_of_id(id)?.get().as_node()?;
        // The content of an entity's declaration may have IDs, too.
        let element = attribute.get().parent();
        element.filter(|element| is_in_tree(*element))
    }
}

/// An attribute whose text is about to change. An ID leaves the table, and enters that again by its new text. One that
/// was not in the table enters it, too: another attribute may have had the same ID before it.
pub(crate) struct Changing<'t> {
    attribute: Option<Borrowed<'t, Attribute>>,
    was_in_table: bool,
}

impl<'t> Changing<'t> {
    /// Looks whether `node` is an attribute, or a text of one.
    pub(crate) fn of(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<Self> {
        let parent = || node.get().parent().and_then(|parent| parent.get().as_id());
        let attribute = node.get().as_id().or_else(parent);
        let in_table = attribute.filter(|attribute| is_in_table(*attribute));
        if let Some(attribute) = in_table {
            tree.edit_owner().forget_id(attribute.get())?;
        }
        Ok(Changing {
            attribute,
            was_in_table: in_table.is_some(),
        })
    }

    /// Ends the change.
    pub(crate) fn end(self, tree: &Tree<'t, Document>) -> Result<()> {
        let Some(attribute) = self.attribute else {
            return Ok(());
        };
        let node = attribute.get().as_node();
        match node.and_then(|node| node.get().parent()) {
            Some(_) if self.was_in_table => add(tree, attribute),
            Some(element) => add_new(tree, element, attribute),
            None => Ok(()),
        }
    }
}

pub(crate) fn is_in_table(attribute: Borrowed<'_, Attribute>) -> bool {
    attribute.declared_type() == ffi::XML_ATTRIBUTE_ID
}

pub(crate) fn add<'t>(tree: &Tree<'t, Document>, attribute: Borrowed<'t, Attribute>) -> Result<()> {
    // An attribute without an element is no ID.
    let node = attribute.get().as_node();
    if node.is_none_or(|node| node.get().parent().is_none()) {
        return Ok(());
    }
    let id = CString::new(attribute.get().value()?);
    match id {
        Ok(id) if !id.is_empty() => tree.edit_owner().add_id(&id, attribute.get()),
        _ => Ok(()),
    }
}

/// Takes the IDs of a node, and of all below it, out of the table.
pub(crate) fn forget_all<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    if let Some(attribute) = node
        .get()
        .as_id()
        .filter(|attribute| is_in_table(*attribute))
    {
        return tree.edit_owner().forget_id(attribute.get());
    }
    each_attribute(tree, node, |_, attribute| match is_in_table(attribute) {
        true => tree.edit_owner().forget_id(attribute.get()),
        false => Ok(()),
    })
}

/// Returns `true` for a node in the tree of its document. Other nodes have no IDs.
pub(crate) fn is_in_tree(node: Borrowed<'_, Node>) -> bool {
    let mut above = Successors::new(Some(node), Node::parent);
    let top = above.find(|above| !above.is_element() && !above.is_attribute());
    top.is_some_and(|top| top.is_document())
}

/// Returns `false` if no attribute without a namespace is an ID: without a DTD, only xml:id is one in XML.
fn may_declare_ids(document: &Document) -> bool {
    let is_xml = document
        .as_node()
        .is_some_and(|node| node.type_number() == ffi::XML_DOCUMENT_NODE);
    !is_xml || document.internal_subset().is_some() || document.external_subset().is_some()
}

/// Puts an attribute of an element into the table, if it is an ID.
pub(crate) fn add_new<'t>(
    tree: &Tree<'t, Document>,
    element: Borrowed<'t, Node>,
    attribute: Borrowed<'t, Attribute>,
) -> Result<()> {
    if attribute.namespace().is_none() && !may_declare_ids(tree.owner()) {
        return Ok(());
    }
    let is_id = tree.owner().is_id(element.get(), attribute.get()) == 1;
    match is_id && !is_in_table(attribute) && is_in_tree(element) {
        true => add(tree, attribute),
        false => Ok(()),
    }
}

/// Puts the IDs of a node that was moved, and of all below it, into the table; takes them out of the table if the node
/// is not in the tree of its document.
pub(crate) fn add_all<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    if tree.owner().table_of_ids() == 0 {
        return Ok(());
    }
    if !is_in_tree(node) {
        return forget_all(tree, node);
    }
    each_attribute(tree, node, |element, attribute| {
        let is_new = !is_in_table(attribute);
        match is_new && tree.owner().is_id(element.get(), attribute.get()) == 1 {
            true => add(tree, attribute),
            false => Ok(()),
        }
    })
}

/// Looks at each attribute of a node, and of all below it, if the document has had IDs.
fn each_attribute<'t>(
    tree: &Tree<'t, Document>,
    top: Borrowed<'t, Node>,
    mut look: impl FnMut(Borrowed<'t, Node>, Borrowed<'t, Attribute>) -> Result<()>,
) -> Result<()> {
    if tree.owner().table_of_ids() == 0 {
        return Ok(());
    }
    let mut here = Some(top);
    while let Some(node) = here {
        for attribute in node.get().attribute_list() {
            look(node, attribute)?;
        }
        here = crate::order::following(node, top);
    }
    Ok(())
}
