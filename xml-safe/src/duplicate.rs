//! Copies of whole documents.
//!
//! `xmlCopyDoc` leaves out the content of entities, processing instructions in the DTD, the external subset, the lines
//! of all nodes but elements, and the flags of the parser. It links each reference to the declaration of its entity,
//! which XPath then follows (see [`clear_links`](crate::copy::clear_links)). This module completes the copy.

use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::prelude::{Bound, PyAny};

use crate::copy::{clear_link, clear_links, on_stack_for};
use crate::create::within;
use crate::document::Document;
use crate::dtd::{Dtd, Entity};
use crate::errors::Reports;
use crate::ffi;
use crate::ids;
use crate::info::SourceEncoding;
use crate::node::{Attribute, Node};
use crate::order::following;
use crate::serialize::uris::note_copy;

#[methods(unsafe, rust_only)]
impl crate::document::Document {
    #[calls(ffi::xmlCopyDoc, args = (self, 1), fails = null, detach)]
    fn copy_whole(&self) -> Result<Owned<Document>>;

    #[field(parseFlags)]
    pub(crate) fn set_flags(&mut self, flags: c_int);

    #[calls(ffi::xmlNewDtd, fails = null)]
    fn new_external_subset(
        &mut self,
        name: Option<&CStr>,
        public: Option<&CStr>,
        system: Option<&CStr>,
    ) -> Result<Borrowed<Dtd>>;

    /// Declares an entity in the external subset. An entity that is declared already stays as it is.
    #[calls(ffi::xmlAddDtdEntity, fails = sticky)]
    fn declare_externally(
        &mut self,
        name: &CStr,
        kind: c_int,
        public: Option<&CStr>,
        system: Option<&CStr>,
        content: Option<&CStr>,
    ) -> Result<()>;

    /// Declares that an attribute is an ID.
    #[calls(
        ffi::xmlAddAttributeDecl,
        args = (
            null,
            subset,
            element,
            name,
            prefix,
            ffi::XML_ATTRIBUTE_ID,
            ffi::XML_ATTRIBUTE_IMPLIED,
            null,
            null
        ),
        fails = sticky
    )]
    fn declare_id(
        &mut self,
        subset: &Dtd,
        element: &CStr,
        name: &CStr,
        prefix: Option<&CStr>,
    ) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl crate::dtd::Dtd {
    #[field(name)]
    fn name_bytes(&self) -> Option<CString>;

    #[field(ExternalID)]
    fn public_bytes(&self) -> Option<CString>;

    #[field(SystemID)]
    fn system_bytes(&self) -> Option<CString>;
}

#[methods(unsafe, rust_only)]
impl crate::dtd::Entity {
    #[field(name)]
    fn name_bytes(&self) -> Option<CString>;

    #[field(ExternalID)]
    fn public_bytes(&self) -> Option<CString>;

    #[field(SystemID)]
    fn system_bytes(&self) -> Option<CString>;

    #[field(content)]
    fn content_bytes(&self) -> Option<CString>;
}

#[methods(unsafe, rust_only)]
impl crate::dtd::AttributeDeclaration {
    #[field(elem)]
    fn element_bytes(&self) -> Option<CString>;

    #[field(name)]
    fn name_bytes(&self) -> Option<CString>;

    #[field(prefix)]
    fn prefix_bytes(&self) -> Option<CString>;
}

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    /// The line as the parser noted it, of a node that can be the child of an element.
    #[field(line, when(type_, ffi::XML_ELEMENT_NODE | ffi::XML_TEXT_NODE | ffi::XML_CDATA_SECTION_NODE
        | ffi::XML_ENTITY_REF_NODE | ffi::XML_PI_NODE | ffi::XML_COMMENT_NODE))]
    fn noted_line(&self) -> Option<u16>;

    #[field(line)]
    fn note_line(&mut self, line: u16);

    #[field(psvi)]
    fn note_big_line(&mut self, line: usize);

    /// Returns `true` for the declaration of an external entity whose text was read: into nodes, or, since libxml2
    /// 2.13, as it is.
    pub(crate) fn has_external_content(&self) -> bool {
        let is_external = |entity: &Entity| {
            entity.kind() == ffi::XML_EXTERNAL_GENERAL_PARSED_ENTITY
                && (self.first_child().is_some() || entity.content().is_some())
        };
        self.as_entity()
            .is_some_and(|entity| is_external(entity.get()))
    }

    pub(crate) fn is_dtd(&self) -> bool {
        self.type_number() == ffi::XML_DTD_NODE
    }
}

/// Completes the nodes outside of the DTD: their lines, and references without links.
pub(crate) fn complete_nodes<'t>(
    tree: &Tree<'t, Document>,
    from: &Node,
    to: Borrowed<'t, Node>,
) -> Result<()> {
    let top = Borrowed::from(from);
    let mut here = Some((top, to));
    while let Some((old, new)) = here {
        if new.is_entity_ref() {
            clear_link(tree, new)?;
        }
        if let (Some(line), Some(_)) = (old.noted_line(), new.noted_line()) {
            let mut new = tree.edit(new)?;
            new.note_line(line);
            if let Some(line) = old.big_line() {
                new.note_big_line(line);
            }
        }
        here = following_outside(old, top).zip(following_outside(new, to));
    }
    Ok(())
}

/// Returns the node that follows in document order, without those in a DTD.
fn following_outside<'t>(
    here: Borrowed<'t, Node>,
    top: Borrowed<'t, Node>,
) -> Option<Borrowed<'t, Node>> {
    match here.is_dtd() {
        true => here.get().next_sibling(),
        false => following(here, top),
    }
}

/// Makes those attributes IDs that are in the source. Of attributes with the same ID, libxml2 takes the first in the
/// document, and in the source it may be another one. It also takes those with references to entities.
fn complete_ids<'t>(tree: &Tree<'t, Document>, from: &Node, to: Borrowed<'t, Node>) -> Result<()> {
    let each = |look: &mut dyn FnMut(Borrowed<'t, Attribute>, bool) -> Result<()>| {
        let mut here = Some((Borrowed::from(from), to));
        while let Some((old, new)) = here {
            for (old, new) in old.get().attribute_list().zip(new.get().attribute_list()) {
                look(new, ids::is_in_table(old))?;
            }
            here = following_outside(old, Borrowed::from(from)).zip(following_outside(new, to));
        }
        Ok(())
    };
    each(
        &mut |new, was_in_table| match ids::is_in_table(new) && !was_in_table {
            true => tree.edit_owner().forget_id(new.get()),
            false => Ok(()),
        },
    )?;
    ids::empty(tree)?;
    each(&mut |new, was_in_table| {
        if was_in_table {
            ids::add(tree, new)?;
        }
        match was_in_table && ids::has_free_id(tree.owner(), &new)? {
            true => Err(INCOMPLETE),
            false => Ok(()),
        }
    })
}

/// Completes the internal subset: adds the processing instructions, each at its place. libxml2 does not report that it
/// had no memory for a declaration or a table.
fn complete_subset<'t>(tree: &Tree<'t, Document>, from: &Dtd, to: &Dtd) -> Result<()> {
    let (Some(from_node), Some(to_node)) = (from.as_node(), to.as_node()) else {
        return Ok(());
    };
    let to_node = within(tree, to_node)?;
    let mut next = to_node.get().first_child();
    for declared in from_node.get().steps() {
        if declared.type_number() != ffi::XML_PI_NODE {
            let is_it = |there: &Borrowed<'_, Node>| {
                there.type_number() == declared.type_number() && there.name() == declared.name()
            };
            next = next.filter(is_it).ok_or(INCOMPLETE)?.get().next_sibling();
            continue;
        }
        let mut owner = tree.edit_owner();
        let copy = owner.copy_shallow(declared.get())?;
        let mut copy = tree.edit(within(tree, copy)?)?;
        match next {
            Some(next) => tree.edit(next)?.link_before(&mut copy)?,
            None => tree.edit(to_node)?.link_last(&mut copy)?,
        }
    }
    let count = |dtd: &Dtd| {
        dtd.table_of_notations()
            .map_or(0, |notations| notations.get().size())
    };
    match count(from) == count(to) {
        true => Ok(()),
        false => Err(INCOMPLETE),
    }
}

const INCOMPLETE: Error = Error::OutOfMemory("xmlCopyDoc");

/// Makes the external subset: its entities, and which attributes are IDs. The rest has no effect after parsing.
fn copy_external<'t>(tree: &Tree<'t, Document>, from: &Dtd) -> Result<()> {
    let mut owner = tree.edit_owner();
    let (name, public, system) = (from.name_bytes(), from.public_bytes(), from.system_bytes());
    owner.new_external_subset(name.as_deref(), public.as_deref(), system.as_deref())?;
    let (Some(subset), Some(declared)) = (tree.owner().external_subset(), from.as_node()) else {
        return Ok(());
    };
    for declared in declared.get().steps() {
        if let Some(entity) = declared.as_entity()
            && let (Some(name), Ok(kind)) = (entity.name_bytes(), c_int::try_from(entity.kind()))
        {
            let (public, system) = (entity.public_bytes(), entity.system_bytes());
            let content = entity.content_bytes();
            let (public, system, content) =
                (public.as_deref(), system.as_deref(), content.as_deref());
            owner.declare_externally(&name, kind, public, system, content)?;
        }
        if let Some(attribute) = declared.as_attribute_declaration()
            && attribute.kind() == ffi::XML_ATTRIBUTE_ID
            && let (Some(element), Some(name)) = (attribute.element_bytes(), attribute.name_bytes())
        {
            let prefix = attribute.prefix_bytes();
            owner.declare_id(subset.get(), &element, &name, prefix.as_deref())?;
        }
    }
    Ok(())
}

/// Links a node as the last one of an entity's content. libxml2 would merge a text with one before it, and free it.
fn link_last<'t>(
    tree: &Tree<'t, Document>,
    entity: Borrowed<'t, Node>,
    node: Borrowed<'t, Node>,
) -> Result<()> {
    if !node.is_text() {
        return tree.edit(entity)?.link_last(&mut *tree.edit(node)?);
    }
    let stand_in = within(tree, tree.edit_owner().new_comment(c"")?)?;
    tree.edit(entity)?.link_last(&mut *tree.edit(stand_in)?)?;
    tree.edit(stand_in)?.link_instead(&mut *tree.edit(node)?)
}

/// Copies the content of entities, which the parser made when the document referred to them.
fn copy_content<'t>(tree: &Tree<'t, Document>, from: &Dtd, to: &Dtd) -> Result<()> {
    to.let_entities_own_content()?;
    let Some(declared) = from.as_node() else {
        return Ok(());
    };
    for declared in declared.get().steps() {
        let name = declared.as_entity().and_then(|entity| entity.name_bytes());
        let (Some(name), Some(_)) = (name, declared.get().first_child()) else {
            continue;
        };
        let entity = tree
            .owner()
            .entity(&name)
            .and_then(|entity| entity.get().as_node());
        let is_empty = |entity: &Borrowed<'_, Node>| entity.get().first_child().is_none();
        let Some(entity) = entity.filter(is_empty) else {
            continue;
        };
        for content in declared.get().steps() {
            let mut owner = tree.edit_owner();
            let levels = content.get().levels();
            let copy = on_stack_for(levels, || owner.copy_deep(content.get()))?;
            let copy = within(tree, copy)?;
            clear_links(tree, copy)?;
            link_last(tree, entity, copy)?;
        }
    }
    Ok(())
}

#[methods(unsafe)]
impl crate::document::Document {
    /// Make a copy of this document (xmlCopyDoc): an own document with all nodes, the DTD, and what the parser noted,
    /// such as lines and errors. Nodes that are in no tree are not copied.
    ///
    /// Raises MemoryError if there is no memory for the copy.
    pub(crate) fn copy(&self) -> Result<Owned<'static, Document>> {
        let Some(whole) = self.as_node() else {
            return Err(Error::Value("the document has no node".into()));
        };
        let levels = whole.get().levels();
        #[cfg(marks_entities)]
        let turn = crate::turn::wait(self)?;
        let copy = on_stack_for(levels, || self.copy_whole());
        #[cfg(marks_entities)]
        drop(turn);
        let mut copy = copy?;
        copy.set_flags(self.flags());
        let tree = Tree::of(&mut *copy);
        let Some(copied) = tree.owner().as_node() else {
            return Err(INCOMPLETE);
        };
        complete_nodes(&tree, whole.get(), copied)?;
        // Newer versions of libxml2 make a table also where the source has none any more.
        if self.table_of_ids() != 0 || tree.owner().table_of_ids() != 0 {
            complete_ids(&tree, whole.get(), copied)?;
        }
        if let Some(external) = self.external_subset() {
            copy_external(&tree, external.get())?;
        }
        if let Some(from) = self.internal_subset() {
            let to = tree.owner().internal_subset().ok_or(INCOMPLETE)?;
            complete_subset(&tree, from.get(), to.get())?;
        }
        let subsets = [
            (self.internal_subset(), tree.owner().internal_subset()),
            (self.external_subset(), tree.owner().external_subset()),
        ];
        for (from, to) in subsets {
            if let (Some(from), Some(to)) = (from, to) {
                copy_content(&tree, from.get(), to.get())?;
            }
        }
        note_copy(self, &copy);
        #[cfg(marks_entities)]
        crate::turn::prepare(&copy);
        if let Some(encoding) = attached::<SourceEncoding, _>(self) {
            attach(&*copy, SourceEncoding(encoding.0.clone()));
        }
        if let Some(reports) = attached::<Reports, _>(self) {
            attach(&*copy, Reports(reports.0.clone()));
        }
        Ok(copy)
    }

    /// Does what `copy()` does.
    fn __copy__(&self) -> Result<Owned<'static, Document>> {
        self.copy()
    }

    /// Does what `copy()` does.
    fn __deepcopy__(&self, _memo: Bound<'_, PyAny>) -> Result<Owned<'static, Document>> {
        self.copy()
    }
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Does what `copy()` does: a node has one parent, so its children are copied, too.
    fn __copy__(&mut self) -> Result<Borrowed<'_, Node>> {
        self.copy(true)
    }

    /// Does what `copy()` does. The copy belongs to the document of this node.
    fn __deepcopy__(&mut self, _memo: Bound<'_, PyAny>) -> Result<Borrowed<'_, Node>> {
        self.copy(true)
    }
}
