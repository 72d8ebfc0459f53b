//! IDs: libxml2 keeps a table of them, by the text that an attribute has when it enters the table.

use std::sync::{Mutex, PoisonError};

use leakproof::Null;
use leakproof::prelude::*;

use crate::create::within;
use crate::document::Document;
use crate::dtd::Table;
use crate::ffi;
use crate::moves::has_text_beside_text;
use crate::node::{Attribute, Node, gather};

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

    #[field(ids)]
    fn set_table_of_ids(&mut self, table: Null);

    #[calls(ffi::as_table, args = (address))]
    fn table_at(&self, address: usize) -> Option<Borrowed<Table>>;

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
    /// IDs are the attributes named `xml:id`, and those that the DTD of this document declares as such, also of
    /// elements that come from another document, or get a declared name later. An attribute with a reference to an
    /// entity is none. XML does not allow two elements with the same ID: the one that had it first is found, and no
    /// other once that one has lost it.
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
            forget(tree, attribute)?;
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
    match id_of(attribute.get())? {
        Some(id) => tree.edit_owner().add_id(&id, attribute.get()),
        None => Ok(()),
    }
}

/// Takes an attribute out of the table. Otherwise, the table would still have it after it was freed.
///
/// xmlRemoveID looks for the text of the attribute as libxml2 reads it. A copy that libxml2 made may be in the table
/// by the text that the entities of another document gave it. Then the attribute gets that text for the moment.
pub(crate) fn forget<'t>(
    tree: &Tree<'t, Document>,
    attribute: Borrowed<'t, Attribute>,
) -> Result<()> {
    tree.edit_owner().forget_id(attribute.get())?;
    if !is_in_table(attribute) {
        return Ok(());
    }
    let document = tree.owner();
    let is_it = |key: &CString| document.attribute_of_id(key) == Some(attribute);
    match Keys::of(document)?.into_iter().find(is_it) {
        Some(key) => forget_as(tree, attribute, &key),
        // It has the mark of an ID only: references are in it.
        None => Ok(()),
    }
}

/// Takes an attribute out of the table that is there by another text.
fn forget_as<'t>(
    tree: &Tree<'t, Document>,
    attribute: Borrowed<'t, Attribute>,
    text: &CStr,
) -> Result<()> {
    let node = attribute.get().as_node().ok_or(NOT_REMOVED)?;
    let parts = gather(node.get().steps().map(Ok))?;
    if has_text_beside_text(&parts) {
        // libxml2 would merge them.
        return Err(NOT_REMOVED);
    }
    let stand_in = within(tree, tree.edit_owner().new_text(text)?)?;
    for part in &parts {
        tree.edit(*part)?.unlink()?;
    }
    tree.edit(node)?.link_last(&mut *tree.edit(stand_in)?)?;
    tree.edit_owner().forget_id(attribute.get())?;
    tree.edit(stand_in)?.unlink()?;
    for part in &parts {
        tree.edit(node)?.link_last(&mut *tree.edit(*part)?)?;
    }
    match is_in_table(attribute) {
        true => Err(NOT_REMOVED),
        false => Ok(()),
    }
}

const NOT_REMOVED: Error = Error::Failed("xmlRemoveID");

/// Mends the table after parsing. The parser takes the text of the source as an ID, where references are not replaced,
/// also an escaped `&`. libxml2 then does not find attributes that it frees, and leaves them in the table.
pub(crate) fn mend(document: &mut Document) -> Result<()> {
    let keys = Keys::of(document)?;
    if !keys.iter().any(|key| key.to_bytes().contains(&b'&')) {
        return Ok(());
    }
    let tree = Tree::of(document);
    let Some(whole) = tree.owner().as_node() else {
        return Ok(());
    };
    let mut attributes = Vec::new();
    look_at_all(whole, |_, attribute| {
        if is_in_table(attribute) {
            attributes.try_reserve(1)?;
            attributes.push(attribute);
        }
        Ok(())
    })?;
    empty(&tree)?;
    attributes
        .into_iter()
        .try_for_each(|attribute| add(&tree, attribute))
}

/// Empties the table. The attributes keep the mark of an ID.
pub(crate) fn empty(tree: &Tree<'_, Document>) -> Result<()> {
    let document = tree.owner();
    if let Some(table) = document.table_at(document.table_of_ids()) {
        // Nothing may fail in between.
        tree.edit_owner().set_table_of_ids(Null);
        table.get().free_ids();
    }
    Ok(())
}

/// The texts by which attributes are in a table.
#[derive(Debug, Default)]
struct Keys(Mutex<Vec<Result<CString>>>);

impl Attachment for Keys {}

impl Keys {
    fn of(document: &Document) -> Result<Vec<CString>> {
        let keys = Keys::default();
        if let Some(table) = document.table_at(document.table_of_ids()) {
            table.get().scan_ids(&keys)?;
        }
        let keys = keys.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        gather(keys.into_iter())
    }
}

/// An entry of a table.
#[handle(raw = ffi::xmlID, callback_only)]
struct Entry;

#[methods(unsafe, rust_only)]
impl Entry {
    #[field(value)]
    fn key(&self) -> Option<CString>;
}

#[methods(unsafe, rust_only)]
impl crate::dtd::Table {
    #[calls(ffi::xmlHashScan, args = (self, keys.add, keys.data), fails = sticky)]
    fn scan_ids(&self, keys: &Keys) -> Result<()>;

    #[calls(ffi::xmlFreeIDTable)]
    fn free_ids(&self);
}

#[callbacks(unsafe)]
impl Keys {
    #[callback(ffi::xmlHashScanner, args = (entry, data, _))]
    fn add(&self, entry: &Entry) {
        let mut keys = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(key) = entry.key() {
            keys.push(Ok(key));
        }
    }
}

/// Returns the ID that an attribute has by its text; `None` if that is empty, or has references to entities, whose
/// texts may be others in another document.
fn id_of(attribute: &Attribute) -> Result<Option<CString>> {
    let node = attribute.as_node();
    let mut parts = node.iter().flat_map(|node| node.get().steps());
    if parts.any(|part| part.is_entity_ref()) {
        return Ok(None);
    }
    let id = CString::new(attribute.value()?);
    Ok(id.ok().filter(|id| !id.is_empty()))
}

/// Returns whether an attribute has an ID by its text that no attribute is in the table by.
pub(crate) fn has_free_id(document: &Document, attribute: &Attribute) -> Result<bool> {
    let id = id_of(attribute)?;
    Ok(id.is_some_and(|id| document.attribute_of_id(&id).is_none()))
}

/// Takes the IDs of a node, and of all below it, out of the table.
pub(crate) fn forget_all<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    if let Some(attribute) = node
        .get()
        .as_id()
        .filter(|attribute| is_in_table(*attribute))
    {
        return forget(tree, attribute);
    }
    each_attribute(tree, node, |_, attribute| match is_in_table(attribute) {
        true => forget(tree, attribute),
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
    if !is_id || is_in_table(attribute) {
        return Ok(());
    }
    if is_in_tree(element) {
        return add(tree, attribute);
    }
    // A table says that the document has IDs, which may come into the tree later.
    match tree.owner().table_of_ids() {
        0 => add(tree, attribute).and_then(|()| forget(tree, attribute)),
        _ => Ok(()),
    }
}

/// Updates the table of IDs for a node that came to a new place or was renamed, and for all below it. What is an ID by
/// its name, and by the DTD of the document, is in the table if the node is in the tree, and nothing else is.
pub(crate) fn update_all<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    if tree.owner().table_of_ids() == 0 && !may_declare_ids(tree.owner()) {
        return Ok(());
    }
    let mut update = Update::of(tree, node);
    look_at_all(node, |element, attribute| {
        update.attribute(element, attribute)
    })
}

/// Updates the table for the attributes of a renamed element.
pub(crate) fn update_renamed<'t>(
    tree: &Tree<'t, Document>,
    element: Borrowed<'t, Node>,
) -> Result<()> {
    let mut update = Update::of(tree, element);
    let mut attributes = element.get().attribute_list();
    attributes.try_for_each(|attribute| update.attribute(element, attribute))
}

/// An update of the table for the attributes of a tree.
struct Update<'u, 't> {
    tree: &'u Tree<'t, Document>,
    top: Borrowed<'t, Node>,
    /// Whether an attribute without a namespace may be an ID.
    may_declare: bool,
    /// Whether the top is in the tree of the document. Most nodes have no attribute for which that is looked up.
    is_in_tree: Option<bool>,
}

impl<'u, 't> Update<'u, 't> {
    fn of(tree: &'u Tree<'t, Document>, top: Borrowed<'t, Node>) -> Self {
        Update {
            tree,
            top,
            may_declare: may_declare_ids(tree.owner()),
            is_in_tree: None,
        }
    }

    fn attribute(
        &mut self,
        element: Borrowed<'t, Node>,
        attribute: Borrowed<'t, Attribute>,
    ) -> Result<()> {
        let is_there = is_in_table(attribute);
        if !is_there && !self.may_declare && attribute.namespace().is_none() {
            return Ok(());
        }
        let top = self.top;
        let is_id = *self.is_in_tree.get_or_insert_with(|| is_in_tree(top))
            && self.tree.owner().is_id(element.get(), attribute.get()) == 1;
        match (is_there, is_id) {
            (false, true) => add(self.tree, attribute),
            (true, false) => forget(self.tree, attribute),
            _ => Ok(()),
        }
    }
}

/// Looks at each attribute of a node, and of all below it, if the document has had IDs.
fn each_attribute<'t>(
    tree: &Tree<'t, Document>,
    top: Borrowed<'t, Node>,
    look: impl FnMut(Borrowed<'t, Node>, Borrowed<'t, Attribute>) -> Result<()>,
) -> Result<()> {
    match tree.owner().table_of_ids() {
        0 => Ok(()),
        _ => look_at_all(top, look),
    }
}

/// Looks at each attribute of a node, and of all below it.
fn look_at_all<'t>(
    top: Borrowed<'t, Node>,
    mut look: impl FnMut(Borrowed<'t, Node>, Borrowed<'t, Attribute>) -> Result<()>,
) -> Result<()> {
    let mut here = Some(top);
    while let Some(node) = here {
        for attribute in node.get().attribute_list() {
            look(node, attribute)?;
        }
        here = crate::order::following(node, top);
    }
    Ok(())
}
