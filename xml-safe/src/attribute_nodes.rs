//! Attributes as nodes, which are moved from one element to another.
//!
//! libxml2 frees the attribute whose name a linked one has. Here that attribute is taken out first.

use leakproof::prelude::*;

use crate::adopt::Arrivals;
use crate::attributes::{check_element, namespace_for};
use crate::document::Document;
use crate::ids;
use crate::moves::{Change, begin};
use crate::node::{Node, gather};

/// Puts an attribute into the table of IDs, if it is one.
pub(crate) fn add_id<'t>(
    tree: &Tree<'t, Document>,
    element: Borrowed<'t, Node>,
    attribute: Borrowed<'t, Node>,
) -> Result<()> {
    match attribute.as_id() {
        Some(attribute) => ids::add_new(tree, element, attribute),
        None => Ok(()),
    }
}

/// Refuses a node that cannot be an attribute of an element.
fn check(nodes: &[Borrowed<'_, Node>]) -> Result<()> {
    match nodes.iter().find(|node| !node.is_attribute()) {
        Some(other) => Err(Error::Value(format!(
            "a node of the type {:?} cannot be an attribute",
            other.type_name()
        ))),
        None => Ok(()),
    }
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Put an attribute, which is a node, behind the last attribute of this element. It is moved from where it is, also
    /// from another document (`Document.adopt_node`), with its namespace. An attribute that was removed has no
    /// namespace. An attribute with the same name is taken out.
    ///
    /// Raises ValueError, and changes nothing, if `attribute` is no attribute, or this is no element.
    #[foreign(attribute)]
    fn put_attribute(&mut self, attribute: &mut Node) -> Result<()> {
        let (tree, element) = begin(self)?;
        check_element(element)?;
        put(&tree, element, attribute)
    }
}

/// Makes an attribute the last one of an element. An attribute with the same name is taken out.
fn put<'t>(tree: &Tree<'t, Document>, element: Borrowed<'t, Node>, node: &mut Node) -> Result<()> {
    if node.is_fragment() {
        check(&[Borrowed::from(&*node)])?;
    }
    let uri = node.ns().and_then(|namespace| namespace.uri_bytes());
    let name = node
        .as_attribute()
        .map(|attribute| attribute.qualified_name());
    let name = name.and_then(|name| CString::new(name).ok());
    let arrivals = Arrivals::of(tree, node, check)?;
    let [attribute] = *arrivals.nodes() else {
        return Ok(());
    };
    if attribute.get().parent() == Some(element) {
        return Ok(());
    }
    let former = name.and_then(|name| element.get().attribute(&name));
    let former = former.and_then(|former| former.get().as_node());
    let moved = gather(
        [Some(attribute), Some(attribute), former]
            .into_iter()
            .flatten()
            .map(Ok),
    )?;
    Change::run(tree, &moved, false, |change| {
        if let Some(former) = former {
            change.take_out(former)?;
        }
        if attribute.get().parent().is_some() {
            change.take_out(attribute)?;
        }
        let namespace = uri
            .as_deref()
            .map(|uri| namespace_for(tree, element, uri))
            .transpose()?;
        if let Some(namespace) = namespace {
            // First: without its namespace, libxml2 takes the attribute for another one.
            tree.edit(attribute)?.set_ns(Some(namespace.get()));
        }
        change.link_attribute(attribute, element)?;
        add_id(tree, element, attribute)?;
        arrivals.leave(tree)
    })
}
