//! The path of a node: an XPath expression for it alone.
//!
//! xmlGetNodePath counts siblings by their names as written, and XPath by their namespaces. It also cuts a long name
//! with a prefix. A step that could lead elsewhere is replaced here by one without a name.

use leakproof::prelude::*;

use crate::ffi;
use crate::ids::is_in_tree;
use crate::node::{Namespace, Node, gather};
use crate::reconcile::of_prefix;

/// The bytes of a name in a step up to which libxml2 does not cut the step, with a margin.
const LONG: usize = 60;

#[methods(unsafe)]
impl crate::node::Node {
    #[rust_only]
    #[calls(ffi::xmlGetNodePath, free = ffi::xmlFree.expect("libxml2 always has one"), fails = sticky)]
    fn path_in_document(&self) -> Result<Option<String>>;

    /// An XPath expression that leads from the document to this node and to no other (xmlGetNodePath). It has the
    /// prefixes of `namespaces`, which are arguments of the evaluation: `{prefix: uri for prefix, uri in
    /// node.namespaces.items() if prefix}`.
    ///
    /// A step has no name, as in `*[2]`, where the element has a default namespace, where its prefix stands for another
    /// namespace at this node, or where siblings with the same name have other prefixes.
    ///
    /// None for a node that XPath can't reach, such as one that is not in the tree of the document. The text of an
    /// attribute has a path for people alone: XPath finds no nodes in an attribute.
    #[getter]
    fn path(&self) -> Result<Option<String>> {
        let is_reachable = |parent: Borrowed<'_, Node>| parent.is_document() || is_in_tree(parent);
        if !self.is_document() && !self.parent().is_some_and(is_reachable) {
            return Ok(None);
        }
        let path = self.path_in_document()?;
        let this = Borrowed::from(self);
        let chain = || Successors::new(Some(this), Node::parent);
        let is_plain = |node: Borrowed<'_, Node>| {
            !node.is_instruction() && node.name_prefix().is_none() && !node.has_colon()
        };
        match path {
            Some(path) if !chain().all(is_plain) => exact(&path, this).map(Some),
            path => Ok(path),
        }
    }
}

#[methods(unsafe, rust_only)]
impl Node {
    fn is_instruction(&self) -> bool {
        self.type_number() == ffi::XML_PI_NODE
    }

    /// The namespace of the node, if it has a prefix.
    fn name_prefix(&self) -> Option<Borrowed<'_, Namespace>> {
        self.ns().filter(|namespace| !namespace.has_no_prefix())
    }

    /// Returns `true` for a name with a colon, which the parser makes of an undeclared prefix.
    fn has_colon(&self) -> bool {
        let has_name = self.is_element() || self.is_attribute();
        has_name && self.name().is_some_and(|name| name.contains(':'))
    }
}

/// Returns the path with other steps where libxml2's could lead elsewhere.
fn exact(path: &str, node: Borrowed<'_, Node>) -> Result<String> {
    let scope = Successors::new(Some(node), Node::parent).find(|node| node.is_element());
    let mut steps = gather(path.split('/').map(Ok))?;
    let nodes = Successors::new(Some(node), Node::parent).take_while(|node| !node.is_document());
    let mut others: Vec<(usize, String)> = Vec::new();
    let mut known = None;
    for (number, node) in nodes.enumerate() {
        let Some(place) = steps.len().checked_sub(number + 1) else {
            return Err(Error::Failed("xmlGetNodePath"));
        };
        if !is_exact(node, scope, &mut known) {
            others.try_reserve(1)?;
            others.push((place, nameless(node)));
        }
    }
    for (place, step) in &others {
        if let Some(former) = steps.get_mut(*place) {
            *former = step;
        }
    }
    Ok(steps.join("/"))
}

/// Returns `true` if libxml2's step leads to the node alone, with the namespaces in scope at the element `scope`.
/// `known` is a namespace that was found in scope.
fn is_exact<'n>(
    node: Borrowed<'n, Node>,
    scope: Option<Borrowed<'n, Node>>,
    known: &mut Option<Borrowed<'n, Namespace>>,
) -> bool {
    let Some(namespace) = node.get().name_prefix() else {
        let is_cut = node.get().is_instruction() && is_long(node.name());
        return !node.get().has_colon() && !is_cut;
    };
    let prefix = namespace.prefix_bytes();
    if prefix.as_deref() == Some(c"xml") {
        return !is_long(node.name());
    }
    if is_long(node.name()) || is_long(namespace.prefix()) {
        return false;
    }
    let uri = namespace.uri_bytes();
    if *known != Some(namespace) {
        let there = scope.and_then(|scope| of_prefix(scope, prefix.as_deref()));
        if there.is_none_or(|there| there != namespace && there.uri_bytes() != uri) {
            return false;
        }
        *known = Some(namespace);
    }
    let kind = node.type_number();
    // Two of one declaration are the same for libxml2 and for XPath.
    let others = siblings(node).filter(|other| other.ns() != Some(namespace));
    let mut others = others.filter(|other| other.type_number() == kind);
    let is_same = |other: &Namespace| {
        (
            other.shares_prefix(namespace.get()),
            other.uri_bytes() == uri,
        )
    };
    others.all(|other| {
        let other_namespace = other.ns();
        let (shares_prefix, shares_uri) =
            other_namespace.map_or((false, false), |other| is_same(other.get()));
        shares_prefix == shares_uri || other.name() != node.name()
    })
}

fn is_long(name: Option<String>) -> bool {
    name.is_some_and(|name| name.len() > LONG)
}

/// The nodes with the same parent, this one included: attributes, or children. They are in no order.
fn siblings<'n>(node: Borrowed<'n, Node>) -> impl Iterator<Item = Borrowed<'n, Node>> {
    let before = Successors::new(node.get().previous_sibling(), Node::previous_sibling);
    before.chain(Successors::new(Some(node), Node::next_sibling))
}

/// Returns a step to a node by its place among all nodes of its kind.
fn nameless(node: Borrowed<'_, Node>) -> String {
    let kind = node.type_number();
    let number = Successors::new(Some(node), Node::previous_sibling)
        .filter(|other| other.type_number() == kind)
        .count();
    let test = match node {
        node if node.is_attribute() => "@*",
        node if node.get().is_instruction() => "processing-instruction()",
        _ => "*",
    };
    match siblings(node)
        .filter(|other| other.type_number() == kind)
        .nth(1)
    {
        Some(_) => format!("{test}[{number}]"),
        None => test.to_owned(),
    }
}
