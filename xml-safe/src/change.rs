//! Changes of the tree: nodes that are put somewhere, moved, and removed.
//!
//! libxml2 frees nodes behind a caller's back in two cases, which do not occur here. A text that is put beside another
//! one is merged with it: [`link`] puts a comment there and replaces the comment, which merges nothing. New content
//! frees the old one: the old nodes are unlinked first.
//!
//! A node refers to declarations of namespaces at its ancestors. After a move, it refers to those at the new place
//! ([`reconcile`]).

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::copy::following;
use crate::create::within;
use crate::document::Document;
use crate::ffi;
use crate::ids;
use crate::node::{Namespace, Node, gather};
use crate::valid;

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[calls(ffi::xmlUnlinkNode, fails = when(|_| false))]
    fn unlink(&mut self) -> Result<()>;

    /// Puts `node` behind the children.
    #[calls(ffi::xmlAddChild, fails = null)]
    pub(crate) fn link_last(&mut self, node: &mut Node) -> Result<()>;

    /// Puts `node` before this one.
    #[calls(ffi::xmlAddPrevSibling, fails = null)]
    pub(crate) fn link_before(&mut self, node: &mut Node) -> Result<()>;

    /// Puts `node` at the place of this one, which is unlinked.
    #[calls(ffi::xmlReplaceNode, fails = null)]
    fn link_instead(&mut self, node: &mut Node) -> Result<()>;

    #[calls(ffi::xmlDOMWrapReconcileNamespaces, args = (null, self, options), fails = nonzero)]
    fn reconcile_namespaces(&mut self, options: c_int) -> Result<()>;

    #[calls(ffi::xmlNodeSetName, fails = when(|_| false))]
    fn write_name(&mut self, name: &CStr) -> Result<()>;

    /// Sets the text of a text node, a comment or a processing instruction.
    #[calls(ffi::xmlNodeSetContent, fails = when(|_| false))]
    fn write_content(&mut self, text: &CStr) -> Result<()>;

    #[field(prev)]
    pub(crate) fn previous_sibling(&self) -> Option<Borrowed<Node>>;

    #[field(last, when(type_, ffi::XML_ELEMENT_NODE | ffi::XML_ATTRIBUTE_NODE | ffi::XML_DOCUMENT_NODE
        | ffi::XML_HTML_DOCUMENT_NODE | ffi::XML_DOCUMENT_FRAG_NODE))]
    pub(crate) fn last_child(&self) -> Option<Borrowed<Node>>;

    fn is_text(&self) -> bool {
        self.type_number() == ffi::XML_TEXT_NODE
    }

    /// Returns `true` for a comment or a processing instruction.
    fn is_misc(&self) -> bool {
        matches!(self.type_number(), ffi::XML_PI_NODE | ffi::XML_COMMENT_NODE)
    }

    pub(crate) fn is_attribute(&self) -> bool {
        self.type_number() == ffi::XML_ATTRIBUTE_NODE
    }

    pub(crate) fn is_fragment(&self) -> bool {
        self.type_number() == ffi::XML_DOCUMENT_FRAG_NODE
    }

    /// Returns `true` for a node that can be a child of an element.
    pub(crate) fn is_content(&self) -> bool {
        matches!(
            self.type_number(),
            ffi::XML_ELEMENT_NODE
                | ffi::XML_TEXT_NODE
                | ffi::XML_CDATA_SECTION_NODE
                | ffi::XML_ENTITY_REF_NODE
                | ffi::XML_PI_NODE
                | ffi::XML_COMMENT_NODE
        )
    }
}

/// The place of a node: the last one below `parent`, or the one before `next`.
#[derive(Clone, Copy)]
struct Place<'t> {
    parent: Borrowed<'t, Node>,
    next: Option<Borrowed<'t, Node>>,
}

impl<'t> Place<'t> {
    /// Returns the present place of a node among the children of its parent; `None` for a node without a parent, and
    /// for an attribute.
    fn of(node: Borrowed<'t, Node>) -> Option<Self> {
        let node = node.get();
        if node.is_attribute() {
            return None;
        }
        let (parent, next) = (node.parent()?, node.next_sibling());
        Some(Place { parent, next })
    }

    /// Returns the node that is or would be before this place.
    fn previous(&self) -> Option<Borrowed<'t, Node>> {
        match self.next {
            Some(next) => next.get().previous_sibling(),
            None => self.parent.get().last_child(),
        }
    }

    /// Refuses a node that cannot be here.
    fn check(&self, node: Borrowed<'_, Node>) -> Result<()> {
        let parent = self.parent.get();
        let is_parent = parent.is_element() || parent.is_fragment() || parent.is_document();
        if !is_parent {
            return Err(Error::Value(format!(
                "a node of the type {:?} has no children that can be changed",
                parent.type_name()
            )));
        }
        if !node.is_content() {
            return Err(Error::Value(format!(
                "a node of the type {:?} cannot be a child",
                node.type_name()
            )));
        }
        // Nothing is below a node without children.
        let mut above = node.first_child().map(|_| self.parent);
        while let Some(ancestor) = above {
            if ancestor == node {
                return Err(Error::Value("a node cannot be put below itself".into()));
            }
            above = ancestor.get().parent();
        }
        if self.parent == node {
            return Err(Error::Value("a node cannot be put below itself".into()));
        }
        if !parent.is_document() || node.is_element() || node.is_misc() {
            return Ok(());
        }
        Err(Error::Value(format!(
            "a node of the type {:?} cannot be outside of the root element",
            node.type_name()
        )))
    }

    /// Refuses nodes that cannot be here. `leaving` is a node that will have left.
    fn check_all(
        &self,
        nodes: &[Borrowed<'_, Node>],
        leaving: Option<Borrowed<'_, Node>>,
    ) -> Result<()> {
        for node in nodes {
            self.check(*node)?;
        }
        if !self.parent.is_document() {
            return Ok(());
        }
        let others = self.parent.get().steps();
        let others = others.filter(|other| !nodes.contains(other) && leaving != Some(*other));
        let elements = others.filter(|other| other.is_element()).count();
        let elements = elements + nodes.iter().filter(|node| node.is_element()).count();
        match elements {
            0 | 1 => Ok(()),
            _ => Err(Error::Value(
                "a document has one root element: replace that".into(),
            )),
        }
    }
}

/// Puts nodes at a place, in their order. All are checked before the first is moved.
fn put<'t>(
    tree: &Tree<'t, Document>,
    nodes: &[Borrowed<'t, Node>],
    mut place: Place<'t>,
) -> Result<()> {
    place.check_all(nodes, None)?;
    // The place is before a node that stays where it is.
    while let Some(next) = place.next
        && nodes.contains(&next)
    {
        place.next = next.get().next_sibling();
    }
    for node in nodes {
        move_to(tree, *node, place)?;
    }
    Ok(())
}

/// Puts nodes at the place of a node, which is taken out.
pub(crate) fn replace<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    nodes: &[Borrowed<'t, Node>],
) -> Result<()> {
    let place = Place::of(node).ok_or_else(no_place)?;
    place.check_all(nodes, Some(node))?;
    take_out(tree, node)?;
    put(tree, nodes, place).inspect_err(|_| {
        let _ = link(tree, node, place);
    })
}

/// Refuses nodes that cannot be at the place of a node. A root element is replaced by one.
pub(crate) fn check_replacement(
    node: Borrowed<'_, Node>,
    nodes: &[Borrowed<'_, Node>],
) -> Result<()> {
    let place = Place::of(node).ok_or_else(no_place)?;
    place.check_all(nodes, Some(node))?;
    match place.parent.is_document() && !nodes.iter().any(|node| node.is_element()) {
        true => Err(Error::Value(
            "the document would have no root element".into(),
        )),
        false => Ok(()),
    }
}

/// Moves a node. If that fails, the node is back at its place.
fn move_to<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    place: Place<'t>,
) -> Result<()> {
    let former = Place::of(node);
    if former.is_none() || former.is_some_and(|former| former.parent.is_attribute()) {
        // A new node, or the text of an attribute, which may be an ID.
        take_out(tree, node)?;
    }
    link(tree, node, place)?;
    ids::add_all(tree, node)?;
    reconcile(tree, node).inspect_err(|_| {
        // Linking needs no memory, unless texts are in the way: then the node is left unlinked, and nothing is lost.
        let _ = match former {
            Some(former) => link(tree, node, former),
            None => tree.edit(node).and_then(|mut node| node.unlink()),
        };
    })
}

/// Links a node at a place. Texts stay nodes of their own.
fn link<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>, place: Place<'t>) -> Result<()> {
    let is_beside_text = node.is_text()
        && [place.previous(), place.next]
            .into_iter()
            .flatten()
            .any(|other| other.is_text());
    if !is_beside_text {
        return link_alone(tree, node, place);
    }
    let mut owner = tree.edit_owner();
    let stand_in = owner.new_comment(c"")?;
    let stand_in = within(tree, stand_in)?;
    link_alone(tree, stand_in, place)?;
    tree.edit(stand_in)?.link_instead(&mut *tree.edit(node)?)
}

/// Links a node at a place where libxml2 merges it with nothing.
fn link_alone<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    place: Place<'t>,
) -> Result<()> {
    let mut node = tree.edit(node)?;
    match place.next {
        Some(next) => tree.edit(next)?.link_before(&mut node),
        None => {
            // Before version 2.13, libxml2 leaves it in the list that it is in, too.
            node.unlink()?;
            tree.edit(place.parent)?.link_last(&mut node)
        }
    }
}

/// The option of xmlDOMWrapReconcileNamespaces by which it removes declarations that repeat one; the headers have no
/// name for it.
const REMOVE_REDUNDANT: c_int = 1;

/// Makes a node, and all below it, refer to declarations of namespaces that are in scope where the node is now
/// (xmlDOMWrapReconcileNamespaces). Declarations that are missing are added, and those that repeat one are removed.
fn reconcile<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    if !node.is_element() {
        return Ok(());
    }
    // First, so that a declaration of the same namespace further down is none that repeats one.
    undeclare_default(tree, node)?;
    tree.edit(node)?.reconcile_namespaces(REMOVE_REDUNDANT)
}

/// Lets the elements without a namespace that came below a default namespace declare that they have none.
fn undeclare_default<'t>(tree: &Tree<'t, Document>, top: Borrowed<'t, Node>) -> Result<()> {
    let above = top.get().parent().filter(|parent| parent.is_element());
    if !above.is_some_and(has_default_namespace) {
        return Ok(());
    }
    let mut here = Some(top);
    while let Some(node) = here {
        if node.is_element() && node.ns().is_none() && has_default_namespace(node) {
            tree.edit(node)?.declare(c"", None)?;
        }
        here = following(node, top);
    }
    Ok(())
}

/// Returns whether a name without a prefix is in a namespace at this element.
fn has_default_namespace(element: Borrowed<'_, Node>) -> bool {
    let mut here = Some(element);
    while let Some(element) = here {
        let mut declared = Successors::new(element.get().declared(), Namespace::next);
        if let Some(default) = declared.find(|namespace| namespace.get().prefix_bytes().is_none()) {
            let uri = default.get().uri_bytes();
            return uri.is_some_and(|uri| !uri.is_empty());
        }
        here = element.get().parent();
    }
    false
}

/// Takes a node out of its tree. It then declares the namespaces that it uses.
fn take_out<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    let former = Place::of(node);
    let attribute = ids::Changing::of(tree, node)?;
    ids::forget_all(tree, node)?;
    tree.edit(node)?.unlink()?;
    attribute.end(tree)?;
    if node.is_attribute() {
        // The declaration of its namespace is at an element that may go before it.
        return tree.edit(node)?.set_ns(None);
    }
    reconcile(tree, node).inspect_err(|_| {
        if let Some(former) = former {
            let _ = link(tree, node, former);
        }
    })
}

/// Takes a node out of its tree, if it is in one and may leave it.
pub(crate) fn remove<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    check_removable(node)?;
    match node.get().parent() {
        Some(_) => take_out(tree, node),
        None => Ok(()),
    }
}

/// Takes all children out.
fn clear<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    while let Some(child) = node.get().first_child() {
        take_out(tree, child)?;
    }
    Ok(())
}

/// The nodes that `node` stands for: those of a fragment, or the node itself.
fn list_of<'t>(node: Borrowed<'t, Node>) -> Result<Vec<Borrowed<'t, Node>>> {
    match node.is_fragment() {
        true => gather(node.get().steps().map(Ok)),
        false => gather(std::iter::once(Ok(node))),
    }
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Put `node` behind the last child of this element. A fragment puts its nodes there.
    ///
    /// The node is moved from where it is. Texts that come beside each other stay nodes of their own.
    ///
    /// Raises ValueError, and changes nothing, if the node cannot be there: it is an ancestor of this one, it belongs
    /// to another document, or it has a type that is no child of an element.
    fn append(&mut self, node: &mut Node) -> Result<()> {
        let (tree, parent) = Tree::around(self)?;
        let node = within(&tree, Borrowed::from(&*node))?;
        put(&tree, &list_of(node)?, Place { parent, next: None })
    }

    /// Put `node` before the first child of this element, as `append` does.
    fn prepend(&mut self, node: &mut Node) -> Result<()> {
        let (tree, parent) = Tree::around(self)?;
        let node = within(&tree, Borrowed::from(&*node))?;
        let next = parent.get().first_child();
        put(&tree, &list_of(node)?, Place { parent, next })
    }

    /// Put `node` before this one, as `append` does. Raises ValueError if this node has no parent.
    fn before(&mut self, node: &mut Node) -> Result<()> {
        let (tree, this) = Tree::around(self)?;
        let node = within(&tree, Borrowed::from(&*node))?;
        let place = Place::of(this).ok_or_else(no_place)?;
        let next = Some(this);
        put(&tree, &list_of(node)?, Place { next, ..place })
    }

    /// Put `node` behind this one, as `append` does. Raises ValueError if this node has no parent.
    fn after(&mut self, node: &mut Node) -> Result<()> {
        let (tree, this) = Tree::around(self)?;
        let node = within(&tree, Borrowed::from(&*node))?;
        let place = Place::of(this).ok_or_else(no_place)?;
        put(&tree, &list_of(node)?, place)
    }

    /// Put `node` at the place of this one, and take this one out of its tree.
    ///
    /// Raises ValueError as `append` does, and if this node has no parent.
    fn replace_with(&mut self, node: &mut Node) -> Result<()> {
        let (tree, this) = Tree::around(self)?;
        let node = within(&tree, Borrowed::from(&*node))?;
        check_removable(this)?;
        if node == this && Place::of(this).is_some() {
            return Ok(());
        }
        replace(&tree, this, &list_of(node)?)
    }

    /// Take this node out of its tree. It stays usable as long as Python refers to it, or to a node in it.
    ///
    /// An attribute loses its namespace. Nothing happens to a node without a parent.
    ///
    /// Raises ValueError for a document, and for a DTD and what it declares.
    fn remove(&mut self) -> Result<()> {
        let (tree, this) = Tree::around(self)?;
        remove(&tree, this)
    }

    /// Take all children out of this element.
    ///
    /// Raises ValueError if this node is no element, fragment or attribute.
    fn clear(&mut self) -> Result<()> {
        let (tree, this) = Tree::around(self)?;
        check_content(this)?;
        clear(&tree, this)
    }

    /// Replaces the text: of an element and of an attribute all children, of other nodes their own text.
    #[setter]
    fn set_text(&mut self, text: &CStr) -> Result<()> {
        match self.type_number() {
            ffi::XML_TEXT_NODE => valid::text(text, "a text").map(drop)?,
            ffi::XML_CDATA_SECTION_NODE => valid::cdata(text)?,
            ffi::XML_COMMENT_NODE => valid::comment(text)?,
            ffi::XML_PI_NODE => valid::instruction(text)?,
            _ => {
                let (tree, this) = Tree::around(self)?;
                check_content(this)?;
                return replace_content(&tree, this, text);
            }
        }
        let (tree, this) = Tree::around(self)?;
        let attribute = ids::Changing::of(&tree, this)?;
        tree.edit(this)?.write_content(text)?;
        attribute.end(&tree)
    }

    /// Replaces the local name of an element or attribute, or the target of a processing instruction.
    #[setter]
    fn set_name(&mut self, name: &CStr) -> Result<()> {
        match self.type_number() {
            ffi::XML_ELEMENT_NODE => valid::name(name, "the name of an element").map(drop)?,
            ffi::XML_ATTRIBUTE_NODE => check_attribute_name(self, name)?,
            ffi::XML_PI_NODE => valid::target(name)?,
            _ => {
                return Err(Error::Value(format!(
                    "a node of the type {:?} has no name that can be changed",
                    self.type_name()
                )));
            }
        }
        self.write_name(name)
    }
}

/// Replaces the children of an element or attribute by a text.
pub(crate) fn replace_content<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    text: &CStr,
) -> Result<()> {
    valid::text(text, "a text")?;
    let mut owner = tree.edit_owner();
    let made = owner.new_text(text)?;
    let made = within(tree, made)?;
    let attribute = ids::Changing::of(tree, node)?;
    clear(tree, node)?;
    if !text.is_empty() {
        let (parent, next) = (node, None);
        link_alone(tree, made, Place { parent, next })?;
    }
    attribute.end(tree)
}

/// Refuses a name that the element has for another attribute, or that declares a namespace.
fn check_attribute_name(attribute: &Node, name: &CStr) -> Result<()> {
    let local = valid::name(name, "the name of an attribute")?;
    let uri = |node: &Node| node.ns().and_then(|namespace| namespace.href());
    let Some(element) = attribute.parent() else {
        return Ok(());
    };
    let mut others = element.get().attribute_list();
    let is_taken = others.any(|other| {
        let other = other.get().as_node();
        other.is_some_and(|other| {
            other != Borrowed::from(attribute)
                && other.name().as_deref() == Some(local)
                && uri(other.get()) == uri(attribute)
        })
    });
    if is_taken || local == "xmlns" && uri(attribute).is_none() {
        return Err(Error::Value(format!(
            "the element cannot have another attribute {local:?}"
        )));
    }
    Ok(())
}

fn no_place() -> Error {
    Error::Value("the node has no parent, so nothing can be beside it".into())
}

/// Refuses a node that stays where it is.
fn check_removable(node: Borrowed<'_, Node>) -> Result<()> {
    match node.is_content() || node.is_attribute() || node.is_fragment() {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "a node of the type {:?} cannot be taken out of its document",
            node.type_name()
        ))),
    }
}

/// Refuses a node without children that can be replaced.
fn check_content(node: Borrowed<'_, Node>) -> Result<()> {
    match node.is_element() || node.is_attribute() || node.is_fragment() {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "a node of the type {:?} has no content that can be changed",
            node.type_name()
        ))),
    }
}
