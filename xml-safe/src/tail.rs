//! The texts between elements, as strings: `head` and `tail`.
//!
//! ElementTree has no text nodes: an element has the text before its first child, and the text behind itself. Each text
//! of a document is in one `head` or `tail`, since other nodes than elements have tails, too.

use leakproof::prelude::*;

use crate::change::{no_place, replace_run};
use crate::ffi;
use crate::moves::{Place, begin};
use crate::node::{Node, gather};
use crate::valid;

impl Node {
    fn is_character_data(&self) -> bool {
        matches!(
            self.type_number(),
            ffi::XML_TEXT_NODE | ffi::XML_CDATA_SECTION_NODE
        )
    }

    fn has_head(&self) -> bool {
        self.is_element() || self.is_fragment()
    }

    /// The first text in this node, if the node begins with a text.
    fn head_start(&self) -> Option<Borrowed<'_, Node>> {
        self.first_child().filter(|_| self.has_head())
    }

    /// The node behind this one, if that may be a text.
    fn tail_start(&self) -> Option<Borrowed<'_, Node>> {
        self.next_sibling().filter(|_| !self.is_attribute())
    }
}

/// The texts and CDATA sections from a node on that follow each other directly.
fn run(first: Option<Borrowed<'_, Node>>) -> impl Iterator<Item = Borrowed<'_, Node>> {
    Successors::new(first, Node::next_sibling).take_while(|node| node.is_character_data())
}

fn text_of(first: Option<Borrowed<'_, Node>>) -> Result<String> {
    let mut gathered = String::new();
    for text in run(first).filter_map(|node| node.own_text()) {
        gathered.try_reserve(text.len())?;
        gathered.push_str(&text);
    }
    Ok(gathered)
}

#[methods(unsafe)]
impl crate::node::Node {
    /// The text before the first child that is no text: ElementTree's `text`. CDATA sections count as text. Empty if
    /// there is none, and for a node that is no element or fragment.
    ///
    /// A new value replaces these texts by one text node, or by none if it is empty. Nodes that Python has stay usable.
    /// Raises ValueError for a character that XML does not allow, and for a node that is no element or fragment.
    #[getter]
    fn head(&self) -> Result<String> {
        text_of(self.head_start())
    }

    #[setter]
    fn set_head(&mut self, text: &CStr) -> Result<()> {
        if !self.has_head() {
            return Err(Error::Value(format!(
                "a node of the type {:?} has no head",
                self.type_name()
            )));
        }
        let (tree, parent) = begin(self)?;
        valid::text(text, "a head")?;
        let former = gather(run(parent.get().head_start()).map(Ok))?;
        let next = match former.last() {
            Some(last) => last.get().next_sibling(),
            None => parent.get().first_child(),
        };
        replace_run(&tree, &former, Place { parent, next }, text)
    }

    /// The text between this node and the next one that is no text: ElementTree's `tail`. CDATA sections count as text.
    /// Empty if there is none.
    ///
    /// A new value replaces these texts by one text node, or by none if it is empty. Nodes that Python has stay usable.
    /// Raises ValueError for a character that XML does not allow, for a node without a parent, and for a node beside
    /// which no text can be, such as the root element.
    #[getter]
    fn tail(&self) -> Result<String> {
        text_of(self.tail_start())
    }

    #[setter]
    fn set_tail(&mut self, text: &CStr) -> Result<()> {
        let (tree, this) = begin(self)?;
        let place = Place::of(this).ok_or_else(no_place)?;
        valid::text(text, "a tail")?;
        let parent = place.parent;
        if !text.is_empty() && !parent.has_head() {
            return Err(Error::Value(format!(
                "a node in a node of the type {:?} has no tail",
                parent.type_name()
            )));
        }
        let former = gather(run(place.next).map(Ok))?;
        let next = match former.last() {
            Some(last) => last.get().next_sibling(),
            None => place.next,
        };
        replace_run(&tree, &former, Place { next, ..place }, text)
    }
}
