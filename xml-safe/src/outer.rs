//! The nodes that a document has itself: the root element, and comments and processing instructions beside it.

use leakproof::CallContext;
use leakproof::prelude::*;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::intern;
use leakproof::pyo3::prelude::{Bound, PyAny, PyAnyMethods, PyResult};

use crate::change::{Placing, put};
use crate::children::Children;
use crate::create::{AttributeValues, NewElement};
use crate::document::Document;
use crate::node::Node;
use crate::walk::Walk;

/// Returns the node of the document.
fn whole(document: &Document) -> Result<Borrowed<'_, Node>> {
    let whole = document.as_node();
    whole.ok_or_else(|| Error::Value("the document has no node".into()))
}

/// The children of a document's node, which Python gets as those of a node.
struct ChildrenOf<'d>(Borrowed<'d, Node>);

impl IntoPython for ChildrenOf<'_> {
    const TYPE: PyStaticExpr = <Borrowed<'static, Children> as IntoPython>::TYPE;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        let node = self.0.into_python(context)?;
        node.getattr(intern!(context.py(), "children"))
    }
}

#[methods(unsafe)]
impl crate::document::Document {
    /// The nodes of the document outside of any element: the DTD, comments, processing instructions and the root
    /// element, as a sequence that can be changed.
    #[getter]
    fn children(&self) -> Result<ChildrenOf<'_>> {
        whole(self).map(ChildrenOf)
    }

    /// The first of the `children`.
    #[getter]
    fn first_child(&self) -> Option<Borrowed<'_, Node>> {
        self.as_node()?.get().first_shown()
    }

    /// The last of the `children`.
    #[getter]
    fn last_child(&self) -> Option<Borrowed<'_, Node>> {
        self.as_node()?.get().last_child()
    }

    /// Iterates over the elements among the `children`: the root.
    fn __iter__(&self) -> Successors<'_, Node> {
        match self.as_node() {
            Some(node) => node.get().elements(),
            None => Successors::new(None, Node::next_sibling),
        }
    }

    /// Iterate over all nodes of the document, in document order, as `Node.iter` does: by default over all elements.
    #[pyo3(signature = (
        name = None,
        *,
        r#type: "str | abc.Iterable[str] | None" = None
    ))]
    fn iter(&self, name: Option<&CStr>, r#type: Option<Bound<'_, PyAny>>) -> Result<Walk<'_>> {
        Walk::new(whole(self)?, name, r#type)
    }

    /// Put `node` behind the last node of this document, as `Node.append` does: the root element, or a comment or a
    /// processing instruction beside it. A fragment puts its nodes there.
    ///
    /// Raises ValueError, and changes nothing, for a second root element, and for a node that cannot be outside of the
    /// root element, such as a text.
    #[foreign(node)]
    fn append(&mut self, node: &mut Node) -> Result<()> {
        let tree = Tree::of(self);
        let parent = whole(tree.owner())?;
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
        element.append_to(&tree, whole(tree.owner())?)
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
            None => put(&tree, node, Placing::Last(whole(tree.owner())?)),
        }
    }
}
