//! The state before a change, which comes back if the change fails.

use leakproof::prelude::*;

use crate::attribute_nodes::add_id;
use crate::document::Document;
use crate::moves::{Place, take_out_for_good};
use crate::node::{Attribute, Namespace, Node};

/// The state of a node before a change.
pub(crate) enum Former<'t> {
    /// The node was in no tree.
    Loose,
    /// The node was a child.
    Child(Place<'t>),
    /// The node was an attribute of an element.
    Attribute(AttributePlace<'t>),
    /// The node, an element, had this last attribute.
    LastAttribute(Option<Borrowed<'t, Node>>),
    /// The node, an element or an attribute, had this namespace.
    Namespace(Option<Borrowed<'t, Namespace>>),
    /// The node had this text.
    Text(CString),
}

impl<'t> Former<'t> {
    /// Returns the place of a node.
    pub(crate) fn place_of(node: Borrowed<'t, Node>) -> Self {
        let attribute = || AttributePlace::of(node).map(Former::Attribute);
        let place = Place::of(node).map(Former::Child);
        place.or_else(attribute).unwrap_or(Former::Loose)
    }

    pub(crate) fn last_attribute_of(element: Borrowed<'t, Node>) -> Self {
        Former::LastAttribute(last_attribute(element))
    }

    pub(crate) fn text_of(node: Borrowed<'t, Node>) -> Self {
        Former::Text(node.get().raw_text().unwrap_or_default())
    }

    pub(crate) fn namespace_of(node: Borrowed<'t, Node>) -> Self {
        Former::Namespace(node.get().ns())
    }

    /// Brings the state back. Returns the place of a child, which the caller links.
    pub(crate) fn restore(
        self,
        tree: &Tree<'t, Document>,
        node: Borrowed<'t, Node>,
    ) -> Result<Option<Place<'t>>> {
        match self {
            Former::Child(place) => return Ok(Some(place)),
            Former::Loose => take_out_for_good(tree, node)?,
            Former::Attribute(place) => place.put_back(tree, node)?,
            Former::LastAttribute(former) => {
                while let Some(added) = last_attribute(node).filter(|last| former != Some(*last)) {
                    take_out_for_good(tree, added)?;
                }
            }
            Former::Text(text) => tree.edit(node)?.write_content(&text)?,
            Former::Namespace(namespace) => {
                let namespace = namespace.as_ref().map(|namespace| namespace.get());
                tree.edit(node)?.set_ns(namespace);
                if let Some(element) = node.get().parent() {
                    add_id(tree, element, node)?;
                }
            }
        }
        Ok(None)
    }
}

fn last_attribute(element: Borrowed<'_, Node>) -> Option<Borrowed<'_, Node>> {
    let last = Successors::new(element.get().first_attribute(), Attribute::next).last();
    last.and_then(|last| last.get().as_node())
}

/// The place of an attribute: the last one of its element, or the one before `next`.
pub(crate) struct AttributePlace<'t> {
    element: Borrowed<'t, Node>,
    next: Option<Borrowed<'t, Node>>,
    namespace: Option<Borrowed<'t, Namespace>>,
}

impl<'t> AttributePlace<'t> {
    /// Returns the present place of a node; `None` for one that is no attribute, and for one without an element.
    pub(crate) fn of(node: Borrowed<'t, Node>) -> Option<Self> {
        let attribute = node.get();
        if !attribute.is_attribute() {
            return None;
        }
        Some(AttributePlace {
            element: attribute.parent()?,
            next: attribute.next_sibling(),
            namespace: attribute.ns(),
        })
    }

    /// Puts an attribute back.
    pub(crate) fn put_back(
        &self,
        tree: &Tree<'t, Document>,
        attribute: Borrowed<'t, Node>,
    ) -> Result<()> {
        if attribute.get().parent().is_some() {
            tree.edit(attribute)?.unlink()?;
        }
        let mut edited = tree.edit(attribute)?;
        edited.set_ns(self.namespace.as_ref().map(|namespace| namespace.get()));
        match self.next {
            Some(next) => tree.edit(next)?.link_before(&mut edited)?,
            None => tree.edit(self.element)?.link_last(&mut edited)?,
        }
        add_id(tree, self.element, attribute)
    }
}
