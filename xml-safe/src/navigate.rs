//! The ways from a node to others.

use leakproof::prelude::*;

use crate::node::{Node, gather};
use crate::order::following;
use crate::valid;

#[methods(unsafe)]
impl crate::node::Node {
    /// The next node with the same parent; for an attribute, the next attribute.
    #[getter]
    #[field(next)]
    fn next(&self) -> Option<Borrowed<Node>>;

    /// The node before this one with the same parent; for an attribute, the attribute before it.
    #[getter]
    fn previous(&self) -> Option<Borrowed<'_, Node>> {
        match self.is_document() {
            true => None,
            false => self.previous_sibling(),
        }
    }

    /// The first child. None for a reference to an entity, whose text is that of the entity.
    #[getter(first_child)]
    fn first_of_children(&self) -> Option<Borrowed<'_, Node>> {
        self.first_shown()
    }

    /// The last child, as `first_child`.
    #[getter(last_child)]
    fn last_of_children(&self) -> Option<Borrowed<'_, Node>> {
        self.last_child()
    }

    /// The nodes above this one, from the parent to the document.
    #[getter]
    fn ancestors(&self) -> Result<Vec<Borrowed<'_, Node>>> {
        gather(Successors::new(self.parent(), Node::parent).map(Ok))
    }

    /// The other nodes with the same parent, in their order; for an attribute, the other attributes.
    #[getter]
    fn siblings(&self) -> Result<Vec<Borrowed<'_, Node>>> {
        let this = Borrowed::from(self);
        let Some(parent) = self.parent() else {
            return Ok(Vec::new());
        };
        let others = |node: &Borrowed<'_, Node>| *node != this;
        match self.is_attribute() {
            true => {
                let attributes = parent.get().attribute_list();
                let nodes = attributes.filter_map(|attribute| attribute.get().as_node());
                gather(nodes.filter(others).map(Ok))
            }
            false => gather(parent.get().steps().filter(others).map(Ok)),
        }
    }

    /// Return the elements below this one in document order, all or those with this name. A name in a namespace is
    /// written "{uri}name"; a name without a namespace is that of elements in none. "*" stands for any name or URI.
    ///
    /// Raises ValueError for a text that is no name.
    #[pyo3(signature = (name = None))]
    fn descendants(&self, name: Option<&CStr>) -> Result<Vec<Borrowed<'_, Node>>> {
        name.map_or(Ok(()), valid::pattern)?;
        let top = Borrowed::from(self);
        let mut found = Vec::new();
        let mut next = following(top, top);
        while let Some(node) = next {
            if node.is_element() && name.is_none_or(|name| node.has_name(name)) {
                found.try_reserve(1)?;
                found.push(node);
            }
            next = following(node, top);
        }
        Ok(found)
    }

    #[rust_only]
    pub(crate) fn has_name(&self, name: &CStr) -> bool {
        let Some(local) = self.name() else {
            return false;
        };
        let (uri, wanted) = valid::split(name);
        let is_any = wanted == c"*";
        if !is_any && wanted.to_bytes() != local.as_bytes() {
            return false;
        }
        match uri {
            Some(b"*") => true,
            None if is_any => true,
            uri => {
                let own = self.ns().and_then(|namespace| namespace.uri_bytes());
                own.as_deref().unwrap_or_default().to_bytes() == uri.unwrap_or_default()
            }
        }
    }
}
