//! Moves of nodes, from one place to another, and out of their trees.
//!
//! A text that is put beside another one is merged with it by libxml2, and freed. [`Change`] puts a comment there and
//! replaces the comment, which merges nothing.
//!
//! A node refers to declarations of namespaces at its ancestors. After a move, it refers to those at the new place
//! ([`reconcile`]).

use leakproof::prelude::*;
use leakproof::{HasOwnerField, Part};

use crate::create::within;
use crate::document::Document;
use crate::ffi;
use crate::ids;
use crate::node::Node;
use crate::reconcile::reconcile;
use crate::undo::Former;

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[calls(ffi::xmlUnlinkNode, fails = when(|_| false))]
    pub(crate) fn unlink(&mut self) -> Result<()>;

    /// Puts `node` behind the children.
    #[calls(ffi::xmlAddChild, fails = null)]
    pub(crate) fn link_last(&mut self, node: &mut Node) -> Result<()>;

    /// Puts `node` before this one.
    #[calls(ffi::xmlAddPrevSibling, fails = null)]
    pub(crate) fn link_before(&mut self, node: &mut Node) -> Result<()>;

    /// Puts `node` behind this one. It leaves the place where it is.
    #[calls(ffi::xmlAddNextSibling, fails = null)]
    fn link_after(&mut self, node: &mut Node) -> Result<()>;

    /// Puts `node` at the place of this one, which is unlinked.
    #[calls(ffi::xmlReplaceNode, fails = null)]
    pub(crate) fn link_instead(&mut self, node: &mut Node) -> Result<()>;

    #[field(prev)]
    pub(crate) fn previous_sibling(&self) -> Option<Borrowed<Node>>;

    #[field(last, when(type_, ffi::XML_ELEMENT_NODE | ffi::XML_ATTRIBUTE_NODE | ffi::XML_DOCUMENT_NODE
        | ffi::XML_HTML_DOCUMENT_NODE | ffi::XML_DOCUMENT_FRAG_NODE))]
    pub(crate) fn last_child(&self) -> Option<Borrowed<Node>>;

    pub(crate) fn is_text(&self) -> bool {
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
pub(crate) struct Place<'t> {
    pub(crate) parent: Borrowed<'t, Node>,
    pub(crate) next: Option<Borrowed<'t, Node>>,
}

impl<'t> Place<'t> {
    /// Returns the present place of a node among the children of its parent; `None` for a node without a parent, and
    /// for an attribute.
    pub(crate) fn of(node: Borrowed<'t, Node>) -> Option<Self> {
        let node = node.get();
        if node.is_attribute() {
            return None;
        }
        let (parent, next) = (node.parent()?, node.next_sibling());
        Some(Place { parent, next })
    }

    /// Returns the node that is or would be before this place.
    pub(crate) fn previous(&self) -> Option<Borrowed<'t, Node>> {
        match self.next {
            Some(next) => next.get().previous_sibling(),
            None => self.parent.get().last_child(),
        }
    }

    /// Refuses a parent that has no children.
    fn check_parent(&self) -> Result<()> {
        let parent = self.parent.get();
        match parent.is_element() || parent.is_fragment() || parent.is_document() {
            true => Ok(()),
            false => Err(Error::Value(format!(
                "a node of the type {:?} has no children that can be changed",
                parent.type_name()
            ))),
        }
    }

    /// Refuses an element that is new, if none can be here.
    pub(crate) fn check_new_element(&self) -> Result<()> {
        self.check_parent()?;
        let parent = self.parent.get();
        match parent.is_document() && parent.steps().any(|other| other.is_element()) {
            true => Err(second_root()),
            false => Ok(()),
        }
    }

    /// Refuses a node that cannot be here.
    fn check(&self, node: Borrowed<'_, Node>) -> Result<()> {
        self.check_parent()?;
        let parent = self.parent.get();
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
                return Err(below_itself());
            }
            above = ancestor.get().parent();
        }
        if self.parent == node {
            return Err(below_itself());
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
    pub(crate) fn check_all(
        &self,
        nodes: &[Borrowed<'_, Node>],
        leaving: Option<Borrowed<'_, Node>>,
    ) -> Result<()> {
        for node in nodes {
            self.check(*node)?;
        }
        let added = nodes.iter().filter(|node| node.is_element()).count();
        if !self.parent.is_document() || added == 0 {
            return Ok(());
        }
        let others = self.parent.get().steps();
        let others = others.filter(|other| !nodes.contains(other) && leaving != Some(*other));
        let elements = others.filter(|other| other.is_element()).count();
        if elements + added != 1 {
            return Err(second_root());
        }
        // The nodes at this place are before all that follow it.
        match Successors::new(self.next, Node::next_sibling).any(|behind| behind.is_dtd()) {
            true => Err(Error::Value(
                "the root element cannot be before the document type: put it behind that".into(),
            )),
            false => Ok(()),
        }
    }
}

/// Returns whether there is a text among the nodes.
pub(crate) fn has_text(nodes: &[Borrowed<'_, Node>]) -> bool {
    nodes.iter().any(|node| node.is_text())
}

/// Returns whether a text among the nodes is beside another text.
pub(crate) fn has_text_beside_text(nodes: &[Borrowed<'_, Node>]) -> bool {
    nodes.iter().any(|node| {
        let node = node.get();
        let is_text =
            |other: Option<Borrowed<'_, Node>>| other.is_some_and(|other| other.is_text());
        node.is_text() && (is_text(node.previous_sibling()) || is_text(node.next_sibling()))
    })
}

pub(crate) fn below_itself() -> Error {
    Error::Value("a node cannot be put below itself".into())
}

fn second_root() -> Error {
    Error::Value("a document has one root element: replace that".into())
}

/// Begins a change of a node, of what is in it, or of what is beside it. Each method by which Python changes a node
/// begins here, so a DTD stays as the parser read it.
pub(crate) fn begin(node: &mut Node) -> Result<(Tree<'_, Document>, Borrowed<'_, Node>)> {
    let (tree, node) = Tree::around(node)?;
    check_outside_of_dtd(&tree, node)?;
    Ok((tree, node))
}

/// Begins a change of a node that `view` is part of, as [`begin`] does.
pub(crate) fn begin_owner_of<P>(view: &mut P) -> Result<(Tree<'_, Document>, Borrowed<'_, Node>)>
where
    P: HasOwnerField + Part<Owner = Node>,
{
    let (tree, node) = Tree::around_owner_of(view)?;
    check_outside_of_dtd(&tree, node)?;
    Ok((tree, node))
}

/// Refuses what is in a DTD: comments, processing instructions and declarations, and the nodes that are the content of
/// an entity. The DTD itself has a parent and siblings that can be changed.
pub(crate) fn check_outside_of_dtd(
    tree: &Tree<'_, Document>,
    node: Borrowed<'_, Node>,
) -> Result<()> {
    let document = tree.owner();
    if document.internal_subset().is_none() && document.external_subset().is_none() {
        return Ok(());
    }
    match Successors::new(node.get().parent(), Node::parent).any(|above| above.is_dtd()) {
        true => Err(Error::Value(format!(
            "a node of the type {:?} cannot be changed in a DTD",
            node.type_name()
        ))),
        false => Ok(()),
    }
}

/// A change of several steps. If a step fails, or panics, all are undone.
pub(crate) struct Change<'c, 't> {
    tree: &'c Tree<'t, Document>,
    /// A comment that is linked where a text will be, so that libxml2 merges nothing. It is made first, so that undoing
    /// needs no memory for it.
    stand_in: Option<Borrowed<'t, Node>>,
    /// The nodes that were moved, or are being moved, with their former places.
    begun: Begun<'t>,
}

/// A node, with its place or its state before a change.
type Step<'t> = (Borrowed<'t, Node>, Former<'t>);

/// The steps of a change. Most changes have one, which needs no memory.
#[derive(Default)]
struct Begun<'t> {
    first: Option<Step<'t>>,
    others: Vec<Step<'t>>,
}

impl<'t> Begun<'t> {
    /// Makes room for so many steps more.
    fn try_reserve(&mut self, more: usize) -> Result<()> {
        let inside = usize::from(self.first.is_none());
        match more.saturating_sub(inside) {
            0 => Ok(()),
            others => Ok(self.others.try_reserve(others)?),
        }
    }

    fn push(&mut self, step: Step<'t>) {
        match self.first {
            None => self.first = Some(step),
            Some(_) => self.others.push(step),
        }
    }

    /// Takes the step that came last.
    fn pop(&mut self) -> Option<Step<'t>> {
        self.others.pop().or_else(|| self.first.take())
    }
}

impl<'c, 't> Change<'c, 't> {
    /// Runs `steps`, which move these nodes, and no others that are there before, each once. `merges` is true if a text
    /// may come beside another one, also where the steps are undone. Refuses nodes in a DTD.
    pub(crate) fn run<R>(
        tree: &'c Tree<'t, Document>,
        nodes: &[Borrowed<'t, Node>],
        merges: bool,
        steps: impl FnOnce(&mut Self) -> Result<R>,
    ) -> Result<R> {
        for node in nodes {
            check_outside_of_dtd(tree, *node)?;
        }
        let mut begun = Begun::default();
        begun.try_reserve(nodes.len())?;
        let stand_in = match merges {
            true => {
                let mut owner = tree.edit_owner();
                Some(within(tree, owner.new_comment(c"")?)?)
            }
            false => None,
        };
        let mut change = Change {
            tree,
            stand_in,
            begun,
        };
        let result = steps(&mut change)?;
        change.begun = Begun::default();
        Ok(result)
    }

    /// Puts a node back. The error that is raised is the one before.
    fn put_back(&self, node: Borrowed<'t, Node>, former: Former<'t>) -> Result<()> {
        let tree = self.tree;
        let Some(former) = former.restore(tree, node)? else {
            return Ok(());
        };
        self.link(node, former)?;
        let reconciled = reconcile(tree, node);
        // The text of an attribute may be an ID.
        let element = former.parent.get().parent();
        let top = element.filter(|_| former.parent.is_attribute());
        ids::update_all(tree, top.unwrap_or(node))?;
        reconciled
    }

    /// Moves a node.
    pub(crate) fn move_to(&mut self, node: Borrowed<'t, Node>, place: Place<'t>) -> Result<()> {
        let former = Place::of(node);
        self.begun.push((node, Former::place_of(node)));
        match former {
            // The text of an attribute, which may be an ID.
            Some(former) if former.parent.is_attribute() => take_out_for_good(self.tree, node)?,
            Some(_) => {}
            // A copy may be in the table of IDs.
            None => ids::forget_all(self.tree, node)?,
        }
        self.link(node, place)?;
        reconcile(self.tree, node)?;
        // A DTD declares an ID by the prefixes, too.
        ids::update_all(self.tree, node)
    }

    /// Makes a node in its place.
    pub(crate) fn make(
        &mut self,
        node: impl FnOnce() -> Result<Borrowed<'t, Node>>,
    ) -> Result<Borrowed<'t, Node>> {
        self.begun.try_reserve(1)?;
        let node = node()?;
        self.begun.push((node, Former::Loose));
        Ok(node)
    }

    /// Notes a state that comes back if the change fails.
    pub(crate) fn note(&mut self, node: Borrowed<'t, Node>, former: Former<'t>) -> Result<()> {
        self.begun.try_reserve(1)?;
        self.begun.push((node, former));
        Ok(())
    }

    /// Makes an attribute the last one of an element. It is in no tree.
    pub(crate) fn link_attribute(
        &mut self,
        attribute: Borrowed<'t, Node>,
        element: Borrowed<'t, Node>,
    ) -> Result<()> {
        self.begun.push((attribute, Former::Loose));
        let tree = self.tree;
        tree.edit(element)?.link_last(&mut *tree.edit(attribute)?)
    }

    /// Takes a node out of its tree.
    pub(crate) fn take_out(&mut self, node: Borrowed<'t, Node>) -> Result<()> {
        self.begun.push((node, Former::place_of(node)));
        take_out_for_good(self.tree, node)
    }

    /// Links a node at a place. Texts stay nodes of their own.
    fn link(&self, node: Borrowed<'t, Node>, place: Place<'t>) -> Result<()> {
        let is_beside_text = node.is_text()
            && [place.previous(), place.next]
                .into_iter()
                .flatten()
                .any(|other| other.is_text());
        let Some(stand_in) = self.stand_in.filter(|_| is_beside_text) else {
            return self.link_unmerged(node, place);
        };
        self.link_unmerged(stand_in, place)?;
        let tree = self.tree;
        tree.edit(stand_in)?.link_instead(&mut *tree.edit(node)?)
    }

    /// Links a node at a place where libxml2 merges it with nothing.
    fn link_unmerged(&self, node: Borrowed<'t, Node>, place: Place<'t>) -> Result<()> {
        let tree = self.tree;
        let mut node = tree.edit(node)?;
        match (place.next, place.parent.get().last_child()) {
            (Some(next), _) => tree.edit(next)?.link_before(&mut node),
            // xmlAddChild leaves a node in the list that it is in, too, before version 2.13.
            (None, Some(last)) if last != Borrowed::from(&*node) => {
                tree.edit(last)?.link_after(&mut node)
            }
            (None, _) => {
                if node.parent().is_some() {
                    node.unlink()?;
                }
                tree.edit(place.parent)?.link_last(&mut node)
            }
        }
    }

    /// Puts nodes at a place, in their order.
    pub(crate) fn put(&mut self, nodes: &[Borrowed<'t, Node>], mut place: Place<'t>) -> Result<()> {
        // The place is before a node that stays where it is.
        while let Some(next) = place.next
            && nodes.contains(&next)
        {
            place.next = next.get().next_sibling();
        }
        nodes.iter().try_for_each(|node| self.move_to(*node, place))
    }
}

impl Drop for Change<'_, '_> {
    fn drop(&mut self) {
        if self.begun.first.is_none() {
            return;
        }
        if let Some(stand_in) = self.stand_in {
            let _ = self.tree.edit(stand_in).and_then(|mut node| node.unlink());
        }
        while let Some((node, former)) = self.begun.pop() {
            // The first error is the one that is raised.
            let _ = self.put_back(node, former);
        }
    }
}

/// Takes a node out of its tree. It then declares the namespaces that it uses.
pub(crate) fn take_out_for_good<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
) -> Result<()> {
    let attribute = ids::Changing::of(tree, node)?;
    let unlinked = ids::forget_all(tree, node)
        .and_then(|()| tree.edit(node))
        .and_then(|mut node| node.unlink());
    unlinked.and(attribute.end(tree))?;
    if node.is_attribute() {
        // The declaration of its namespace is at an element that may go before it.
        tree.edit(node)?.set_ns(None);
        return Ok(());
    }
    reconcile(tree, node)
}
