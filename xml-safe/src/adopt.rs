//! Nodes that move to another document.
//!
//! xmlDOMWrapAdoptNode leaves a node with data of both documents if memory runs out halfway. Here the node is copied,
//! and the copy gets the Python objects of the original ([`Tree::adopt_objects`]): nothing of the former document comes
//! along, and a failure changes neither document.

use std::ops::Deref;

use leakproof::prelude::*;

use crate::copy::copy_into;
use crate::document::Document;
use crate::duplicate::complete_nodes;
use crate::moves::{Change, check_outside_of_dtd, has_text};
use crate::node::{Node, gather};
use crate::references;

/// Nodes that are put into a tree: the node itself, or those of a fragment.
pub(crate) struct Arrivals<'t, 'o> {
    /// The nodes, or their copies, in the document of the tree.
    nodes: Nodes<'t>,
    /// The originals of the copies, and their tree.
    from: Option<(Tree<'o, Document>, Nodes<'o>)>,
}

/// The nodes of a fragment, or one node, which needs no memory.
enum Nodes<'t> {
    One([Borrowed<'t, Node>; 1]),
    All(Vec<Borrowed<'t, Node>>),
}

impl<'t> Deref for Nodes<'t> {
    type Target = [Borrowed<'t, Node>];

    fn deref(&self) -> &Self::Target {
        match self {
            Nodes::One(node) => node,
            Nodes::All(nodes) => nodes,
        }
    }
}

impl<'t, 'o> Arrivals<'t, 'o> {
    /// Finds what `node` stands for, and copies it where it belongs to another document. `check` gets the nodes first.
    pub(crate) fn of(
        tree: &Tree<'t, Document>,
        node: &'o mut Node,
        check: impl FnOnce(&[Borrowed<'_, Node>]) -> Result<()>,
    ) -> Result<Self> {
        if let Some(node) = Borrowed::from(&*node).with_owner(tree.owner()) {
            let nodes = list_of(node)?;
            check(&nodes)?;
            return Ok(Arrivals { nodes, from: None });
        }
        let (there, node) = Tree::around(node)?;
        let originals = list_of(node)?;
        check(&originals)?;
        Self::from(tree, there, originals)
    }

    /// Copies nodes of another document.
    fn from(
        tree: &Tree<'t, Document>,
        there: Tree<'o, Document>,
        originals: Nodes<'o>,
    ) -> Result<Self> {
        for original in originals.iter() {
            check_outside_of_dtd(&there, *original)?;
            references::check_all(tree.owner(), original.get(), true)?;
        }
        let copies = originals.iter().map(|original| {
            let copy = copy_into(tree, original.get(), true)?;
            complete_nodes(tree, original.get(), copy)?;
            Ok(copy)
        });
        Ok(Arrivals {
            nodes: Nodes::All(gather(copies)?),
            from: Some((there, originals)),
        })
    }

    /// The nodes in the document of the tree.
    pub(crate) fn nodes(&self) -> &[Borrowed<'t, Node>] {
        &self.nodes
    }

    /// Takes the originals out of their tree, and gives their Python objects to the copies. The last step of a change.
    pub(crate) fn leave(&self, tree: &Tree<'t, Document>) -> Result<()> {
        let Some((there, originals)) = &self.from else {
            return Ok(());
        };
        Change::run(there, originals, has_text(originals), |change| {
            for original in originals
                .iter()
                .filter(|original| original.parent().is_some())
            {
                change.take_out(*original)?;
            }
            let pairs = originals.iter().copied().zip(self.nodes.iter().copied());
            tree.adopt_objects(there, &gather(pairs.map(Ok))?)
        })
    }
}

/// The nodes that `node` stands for: those of a fragment, or the node itself.
fn list_of<'t>(node: Borrowed<'t, Node>) -> Result<Nodes<'t>> {
    match node.is_fragment() {
        true => gather(node.get().steps().map(Ok)).map(Nodes::All),
        false => Ok(Nodes::One([node])),
    }
}

#[methods(unsafe)]
impl crate::document::Document {
    /// Move a node of another document to this document, with all nodes in it. Return the node, which is in no tree
    /// until it is put somewhere. A node of this document is taken out of its tree.
    ///
    /// The Python objects of the nodes stay the same. An XPathContext that refers to a node goes on referring to the
    /// original in the former document, not to the moved node.
    ///
    /// Raises ValueError for a document, and a DTD and what it declares; for a reference to an entity that
    /// `create_entity_ref` of this document refuses; and on free-threaded Python for any node of another document.
    #[foreign(node)]
    fn adopt_node(&mut self, node: &mut Node) -> Result<Borrowed<'_, Node>> {
        let tree = Tree::of(self);
        if let Some(node) = Borrowed::from(&*node).with_owner(tree.owner()) {
            crate::change::remove(&tree, node)?;
            return Ok(node);
        }
        if !node.is_content() && !node.is_fragment() && !node.is_attribute() {
            return Err(Error::Value(format!(
                "a node of the type {:?} cannot be moved to another document",
                node.type_name()
            )));
        }
        let (there, original) = Tree::around(node)?;
        let original = Nodes::One([original]);
        let arrivals = Arrivals::from(&tree, there, original)?;
        let copy = arrivals.nodes[0];
        arrivals.leave(&tree)?;
        Ok(copy)
    }
}
