//! Changes of the tree: nodes that are put somewhere, moved, and removed, and new text and names.
//!
//! Setting content in libxml2 frees the old nodes, so they are unlinked first.

use leakproof::prelude::*;

use crate::adopt::Arrivals;
use crate::attributes::declares;
use crate::create::within;
use crate::document::Document;
use crate::ffi;
use crate::ids;
use crate::moves::{Change, Place, begin, below_itself, has_text, has_text_beside_text};
use crate::node::{Node, gather};
use crate::numbers::Index;
use crate::undo::Former;
use crate::valid;

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[calls(ffi::xmlNodeSetName, fails = sticky)]
    fn write_name(&mut self, name: &CStr) -> Result<()>;

    #[field(name)]
    fn raw_name(&self) -> Option<CString>;

    /// Sets the text of a text node, a comment or a processing instruction.
    #[calls(ffi::xmlNodeSetContent, fails = sticky)]
    pub(crate) fn write_content(&mut self, text: &CStr) -> Result<()>;

    /// Adds a text behind the children of an element or a fragment.
    #[calls(ffi::xmlNodeAddContent, fails = sticky)]
    fn add_text(&mut self, text: &CStr) -> Result<()>;

    #[field(content, when(type_, ffi::XML_TEXT_NODE | ffi::XML_CDATA_SECTION_NODE | ffi::XML_COMMENT_NODE | ffi::XML_PI_NODE))]
    pub(crate) fn raw_text(&self) -> Option<CString>;
}

/// The end of a move.
#[derive(Clone, Copy)]
pub(crate) enum Placing<'t> {
    /// Behind the last child of a node.
    Last(Borrowed<'t, Node>),
    At(Place<'t>),
    /// At the place of a node, which is taken out before.
    Instead(Borrowed<'t, Node>),
}

/// Puts a node, or those of a fragment, somewhere. All are checked before the first is moved.
pub(crate) fn put<'t>(
    tree: &Tree<'t, Document>,
    node: &mut Node,
    placing: Placing<'t>,
) -> Result<()> {
    let next = None;
    let (place, leaving) = match placing {
        Placing::Last(parent) => (Place { parent, next }, None),
        Placing::At(place) => (place, None),
        Placing::Instead(leaving) => (Place::of(leaving).ok_or_else(no_place)?, Some(leaving)),
    };
    let mut around = Successors::new(Some(place.parent), Node::parent);
    if node.is_fragment() && around.any(|above| above == Borrowed::from(&*node)) {
        return Err(below_itself());
    }
    let arrivals = Arrivals::of(tree, node, |nodes| place.check_all(nodes, leaving))?;
    let nodes = arrivals.nodes();
    let with_leaving = match leaving {
        Some(_) => gather(nodes.iter().copied().chain(leaving).map(Ok))?,
        None => Vec::new(),
    };
    let moved = leaving.map_or(nodes, |_| &with_leaving);
    Change::run(tree, moved, has_text(moved), |change| {
        if let Some(leaving) = leaving {
            change.take_out(leaving)?;
        }
        change.put(nodes, place)?;
        arrivals.leave(tree)
    })
}

/// A node that is taken out, and the nodes that are put at its place.
pub(crate) type Replacement<'t> = (Borrowed<'t, Node>, Vec<Borrowed<'t, Node>>);

/// Replaces nodes by others of the same document: all, or none. They were checked ([`check_replacement`]).
pub(crate) fn replace_all<'t>(
    tree: &Tree<'t, Document>,
    replaced: &[Replacement<'t>],
) -> Result<()> {
    let moved = replaced
        .iter()
        .flat_map(|(leaving, nodes)| std::iter::once(leaving).chain(nodes));
    let moved = gather(moved.copied().map(Ok))?;
    Change::run(tree, &moved, has_text(&moved), |change| {
        replaced.iter().try_for_each(|(leaving, nodes)| {
            let place = Place::of(*leaving).ok_or_else(no_place)?;
            change.take_out(*leaving)?;
            change.put(nodes, place)
        })
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

/// Takes a node out of its tree, if it is in one and may leave it.
pub(crate) fn remove<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    check_removable(node)?;
    match node.get().parent() {
        Some(_) => Change::run(tree, &[node], has_text_beside_text(&[node]), |change| {
            change.take_out(node)
        }),
        None => Ok(()),
    }
}

/// Takes all children out of a node that can be changed.
pub(crate) fn clear<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    check_content(node)?;
    take_out_all(tree, &gather(node.get().steps().map(Ok))?)
}

/// Takes nodes out of their tree: all, or none.
pub(crate) fn remove_all<'t>(
    tree: &Tree<'t, Document>,
    nodes: &[Borrowed<'t, Node>],
) -> Result<()> {
    nodes.iter().try_for_each(|node| check_removable(*node))?;
    take_out_all(tree, nodes)
}

fn take_out_all<'t>(tree: &Tree<'t, Document>, nodes: &[Borrowed<'t, Node>]) -> Result<()> {
    Change::run(tree, nodes, has_text_beside_text(nodes), |change| {
        nodes.iter().try_for_each(|node| change.take_out(*node))
    })
}

/// Returns the child that `list.insert` would insert before; `None` for the end.
pub(crate) fn child_before(parent: Borrowed<'_, Node>, index: isize) -> Option<Borrowed<'_, Node>> {
    let parent = parent.get();
    match usize::try_from(index) {
        Ok(index) => parent.steps().nth(index),
        Err(_) => {
            let mut from_end = Successors::new(parent.last_child(), Node::previous_sibling);
            let found = from_end.nth(index.unsigned_abs() - 1);
            found.or_else(|| parent.first_child())
        }
    }
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Put `node` behind the last child of this element. A fragment puts its nodes there.
    ///
    /// The node is moved from where it is, also from another document (`Document.adopt_node`). Texts that come beside
    /// each other stay nodes of their own.
    ///
    /// Raises ValueError, and changes nothing, if the node cannot be there: it is an ancestor of this one, or it has a
    /// type that is no child of an element.
    #[foreign(node)]
    fn append(&mut self, node: &mut Node) -> Result<()> {
        let (tree, parent) = begin(self)?;
        put(&tree, node, Placing::Last(parent))
    }

    /// Put `node` before the first child of this element, as `append` does.
    #[foreign(node)]
    fn prepend(&mut self, node: &mut Node) -> Result<()> {
        let (tree, parent) = begin(self)?;
        let next = parent.get().first_child();
        put(&tree, node, Placing::At(Place { parent, next }))
    }

    /// Put `node` before the child at `index`, as `append` does.
    ///
    /// The index counts all children, as `children` has them before `node` is moved. As with `list.insert`, a negative
    /// index counts from the end, and an index beyond an end stands for that end, however large it is.
    #[foreign(node)]
    fn insert(&mut self, index: Index, node: &mut Node) -> Result<()> {
        let (tree, parent) = begin(self)?;
        let next = child_before(parent, index.0);
        put(&tree, node, Placing::At(Place { parent, next }))
    }

    /// Return the position of a child among all children: `node.children[node.index(child)]` is `child`.
    ///
    /// Raises ValueError if `child` is no child of this node.
    pub(crate) fn index(&self, child: &Node) -> Result<usize> {
        let is_child = child.parent() == Some(Borrowed::from(self)) && !child.is_attribute();
        match is_child && self.first_shown().is_some() {
            true => {
                let before = Successors::new(child.previous_sibling(), Node::previous_sibling);
                Ok(before.count())
            }
            false => Err(Error::Value("the node is no child of this one".into())),
        }
    }

    /// Put `node` before this one, as `append` does. Raises ValueError if this node has no parent.
    #[foreign(node)]
    fn before(&mut self, node: &mut Node) -> Result<()> {
        let (tree, this) = begin(self)?;
        let place = Place::of(this).ok_or_else(no_place)?;
        let next = Some(this);
        put(&tree, node, Placing::At(Place { next, ..place }))
    }

    /// Put `node` behind this one, as `append` does. Raises ValueError if this node has no parent.
    #[foreign(node)]
    fn after(&mut self, node: &mut Node) -> Result<()> {
        let (tree, this) = begin(self)?;
        let place = Place::of(this).ok_or_else(no_place)?;
        put(&tree, node, Placing::At(place))
    }

    /// Put `node` at the place of this one, and take this one out of its tree.
    ///
    /// Raises ValueError as `append` does, and if this node has no parent.
    #[foreign(node)]
    fn replace_with(&mut self, node: &mut Node) -> Result<()> {
        let (tree, this) = begin(self)?;
        Place::of(this).ok_or_else(no_place)?;
        check_removable(this)?;
        match this == Borrowed::from(&*node) {
            true => Ok(()),
            false => put(&tree, node, Placing::Instead(this)),
        }
    }

    /// Take this node out of its tree. It stays usable as long as Python refers to it, or to a node in it.
    ///
    /// An attribute loses its namespace. Nothing happens to a node without a parent.
    ///
    /// Raises ValueError for a document, and for a DTD and what it declares.
    fn remove(&mut self) -> Result<()> {
        let (tree, this) = begin(self)?;
        remove(&tree, this)
    }

    /// Take all children out of this element.
    ///
    /// Raises ValueError if this node is no element, fragment or attribute.
    fn clear(&mut self) -> Result<()> {
        let (tree, this) = begin(self)?;
        clear(&tree, this)
    }

    /// Replaces the text: of an element and of an attribute all children, of other nodes their own text.
    #[setter]
    fn set_text(&mut self, text: &CStr) -> Result<()> {
        match self.type_number() {
            ffi::XML_TEXT_NODE => valid::text(text, "a text")?,
            ffi::XML_CDATA_SECTION_NODE => valid::cdata(text)?,
            ffi::XML_COMMENT_NODE => valid::comment(text)?,
            ffi::XML_PI_NODE => valid::instruction(text)?,
            _ => {
                let (tree, this) = begin(self)?;
                check_content(this)?;
                return replace_content(&tree, this, text);
            }
        }
        let (tree, this) = begin(self)?;
        let attribute = ids::Changing::of(&tree, this)?;
        rewrite(&tree, this, text).and(attribute.end(&tree))
    }

    /// Replaces the local name of an element or attribute, or the target of a processing instruction.
    #[setter]
    fn set_name(&mut self, name: &CStr) -> Result<()> {
        match self.type_number() {
            ffi::XML_ELEMENT_NODE => valid::check_name(name, "the name of an element")?,
            ffi::XML_ATTRIBUTE_NODE => check_attribute_name(self, name)?,
            ffi::XML_PI_NODE => valid::target(name)?,
            _ => {
                return Err(Error::Value(format!(
                    "a node of the type {:?} has no name that can be changed",
                    self.type_name()
                )));
            }
        }
        let (tree, this) = begin(self)?;
        let Some(attribute) = this.as_id() else {
            let renamed = rename(&tree, this, name);
            return renamed.and(ids::update_renamed(&tree, this));
        };
        // An ID is one by its name, and in a DTD by the name of its element.
        ids::forget_all(&tree, this)?;
        let renamed = rename(&tree, this, name);
        match this.get().parent() {
            Some(element) => renamed.and(ids::add_new(&tree, element, attribute)),
            None => renamed,
        }
    }
}

fn rename<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>, name: &CStr) -> Result<()> {
    let mut node = tree.edit(node)?;
    let former = node.raw_name();
    let written = node.write_name(name);
    if node.raw_name().is_some() {
        return written;
    }
    // libxml2 has no memory for the new name, and reports that for some names only.
    if let Some(former) = former {
        node.write_name(&former)?;
    }
    Err(Error::OutOfMemory("xmlNodeSetName"))
}

/// Replaces the children of an element or attribute by a text.
pub(crate) fn replace_content<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    text: &CStr,
) -> Result<()> {
    valid::text(text, "a text")?;
    let attribute = ids::Changing::of(tree, node)?;
    let (parent, next) = (node, None);
    let replace = |former: &[_]| replace_run(tree, former, Place { parent, next }, text);
    let replaced = match node.get().first_child() {
        None => replace(&[]),
        Some(only) if only.get().next_sibling().is_none() => replace(&[only]),
        Some(_) => gather(node.get().steps().map(Ok)).and_then(|children| replace(&children)),
    };
    replaced.and(attribute.end(tree))
}

/// Gives an element, or a fragment, without children a text.
fn fill<'t>(tree: &Tree<'t, Document>, parent: Borrowed<'t, Node>, text: &CStr) -> Result<()> {
    tree.edit(parent)?.add_text(text)?;
    match parent.get().first_child() {
        Some(_) => Ok(()),
        // Before version 2.13, nothing else says that there was no memory.
        None => Err(Error::OutOfMemory("xmlNodeAddContent")),
    }
}

/// Writes the text of a node.
fn rewrite<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>, text: &CStr) -> Result<()> {
    Change::run(tree, &[], false, |change| {
        // libxml2 frees the former text, also if it finds no memory for the new one.
        change.note(node, Former::text_of(node))?;
        tree.edit(node)?.write_content(text)
    })
}

/// Replaces nodes that follow each other by a text, or by nothing. `place` is that behind them.
pub(crate) fn replace_run<'t>(
    tree: &Tree<'t, Document>,
    former: &[Borrowed<'t, Node>],
    place: Place<'t>,
    text: &CStr,
) -> Result<()> {
    // Another text in the place of one that nobody has would look the same.
    if let [only] = *former
        && only.is_text()
        && !text.is_empty()
        && !tree.is_held(only)
    {
        return rewrite(tree, only, text);
    }
    let parent = place.parent;
    if former.is_empty()
        && !text.is_empty()
        && !parent.is_attribute()
        && parent.get().first_child().is_none()
    {
        return fill(tree, parent, text);
    }
    let before = match former.first() {
        Some(first) => first.get().previous_sibling(),
        None => place.previous(),
    };
    let mut beside = [before, place.next].into_iter().flatten();
    let merges = has_text_beside_text(former) || beside.any(|other| other.is_text());
    let mut nodes = gather(former.iter().copied().map(Ok))?;
    if !text.is_empty() {
        let made = within(tree, tree.edit_owner().new_text(text)?)?;
        nodes.try_reserve(1)?;
        nodes.push(made);
    }
    Change::run(tree, &nodes, merges, |change| {
        for node in former {
            change.take_out(*node)?;
        }
        nodes[former.len()..]
            .iter()
            .try_for_each(|made| change.move_to(*made, place))
    })
}

/// Refuses a name that the element has for another attribute, or that declares a namespace.
fn check_attribute_name(attribute: &Node, name: &CStr) -> Result<()> {
    let local = valid::name(name, "the name of an attribute")?;
    let uri = |node: &Node| node.ns().and_then(|namespace| namespace.href());
    let element = attribute.parent();
    let mut others = element
        .iter()
        .flat_map(|element| element.get().attribute_list());
    let is_taken = others.any(|other| {
        let other = other.get().as_node();
        other.is_some_and(|other| {
            other != Borrowed::from(attribute)
                && other.name().as_deref() == Some(local)
                && uri(other.get()) == uri(attribute)
        })
    });
    if local == "xmlns" && uri(attribute).is_none() {
        return Err(declares());
    }
    if is_taken {
        return Err(Error::Value(format!(
            "the element cannot have another attribute {local:?}"
        )));
    }
    Ok(())
}

pub(crate) fn no_place() -> Error {
    Error::Value("the node has no parent, so nothing can be beside it".into())
}

/// Refuses a node that cannot be taken out of its tree.
fn check_removable(node: Borrowed<'_, Node>) -> Result<()> {
    match node.is_content() || node.is_attribute() || node.is_fragment() {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "a node of the type {:?} cannot be taken out of its document",
            node.type_name()
        ))),
    }
}

/// Refuses a node whose type has no replaceable children.
fn check_content(node: Borrowed<'_, Node>) -> Result<()> {
    match node.is_element() || node.is_attribute() || node.is_fragment() {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "a node of the type {:?} has no content that can be changed",
            node.type_name()
        ))),
    }
}
