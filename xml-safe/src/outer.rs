//! The nodes that a document has itself: the root element, and comments and processing instructions beside it.

use leakproof::prelude::*;

use crate::change::{Placing, put};
use crate::create::{AttributeValues, NewElement};
use crate::document::Document;
use crate::node::Node;

/// Returns the node of the document.
fn whole<'t>(tree: &Tree<'t, Document>) -> Result<Borrowed<'t, Node>> {
    let whole = tree.owner().as_node();
    whole.ok_or_else(|| Error::Value("the document has no node".into()))
}

#[methods(unsafe)]
impl crate::document::Document {
    /// Put `node` behind the last node of this document, as `Node.append` does: the root element, or a comment or a
    /// processing instruction beside it. A fragment puts its nodes there.
    ///
    /// Raises ValueError, and changes nothing, for a second root element, and for a node that cannot be outside of the
    /// root element, such as a text.
    #[foreign(node)]
    fn append(&mut self, node: &mut Node) -> Result<()> {
        let tree = Tree::of(self);
        let parent = whole(&tree)?;
        put(&tree, node, Placing::Last(parent))
    }

    /// Make the root element, put it behind the last node of this document, and return it. The arguments are those of
    /// `Node.append_element`.
    ///
    /// Raises ValueError, and changes nothing, if there is a root element, and as `Node.append_element` does.
    #[pyo3(
        signature = (
            name,
            text = None,
            attributes: "abc.Mapping[str, str] | None" = None,
            *,
            prefix = None
        )
    )]
    fn append_element(
        &mut self,
        name: &CStr,
        text: Option<&CStr>,
        attributes: Option<AttributeValues>,
        prefix: Option<&CStr>,
    ) -> Result<Borrowed<'_, Node>> {
        let element = NewElement::check(name, text, attributes, prefix)?;
        let tree = Tree::of(self);
        element.append_to(&tree, whole(&tree)?)
    }

    /// Puts an element at the place of the root element, which is taken out. Without a root element, the element is
    /// put behind the last node of the document.
    #[setter]
    #[foreign(node)]
    fn set_root(&mut self, node: &mut Node) -> Result<()> {
        if !node.is_element() {
            return Err(Error::Value(format!(
                "a node of the type {:?} cannot be the root element",
                node.type_name()
            )));
        }
        let tree = Tree::of(self);
        match tree.owner().root() {
            Some(root) if root == Borrowed::from(&*node) => Ok(()),
            Some(root) => put(&tree, node, Placing::Instead(root)),
            None => put(&tree, node, Placing::Last(whole(&tree)?)),
        }
    }
}
