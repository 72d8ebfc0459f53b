//! Equality of trees. Both are read in document order, item by item, without recursion: documents can be deep.

use leakproof::prelude::*;

use crate::document::Document;
use crate::ffi;
use crate::node::{Attribute, Namespace, Node};

/// The differences that count.
#[derive(Clone, Copy)]
struct Rules {
    comments: bool,
    whitespace: bool,
    cdata: bool,
    prefixes: bool,
}

/// A part of a tree that is compared as one. Texts beside each other are one item.
enum Item<'t> {
    Start(Borrowed<'t, Node>),
    End,
    Text(String),
    /// A CDATA section, where these differ from texts.
    Cdata(String),
    Other(Borrowed<'t, Node>),
}

/// The way through a tree.
#[derive(Clone, Copy)]
enum Step<'t> {
    Enter(Borrowed<'t, Node>),
    Leave(Borrowed<'t, Node>),
}

/// The items of a tree.
struct Items<'t> {
    top: Borrowed<'t, Node>,
    rules: Rules,
    next: Option<Step<'t>>,
}

impl<'t> Items<'t> {
    fn of(top: Borrowed<'t, Node>, rules: Rules) -> Self {
        Items {
            top,
            rules,
            next: Some(Step::Enter(top)),
        }
    }

    /// Returns the step after `step`.
    fn after(&self, step: Step<'t>) -> Option<Step<'t>> {
        let node = match step {
            Step::Enter(node) if has_children(node.get()) => {
                return Some(match node.get().first_child() {
                    Some(child) => Step::Enter(child),
                    None => Step::Leave(node),
                });
            }
            Step::Enter(node) | Step::Leave(node) => node,
        };
        if node == self.top {
            return None;
        }
        match node.get().next_sibling() {
            Some(next) => Some(Step::Enter(next)),
            None => node.get().parent().map(Step::Leave),
        }
    }

    /// Returns the next item; `None` at the end.
    fn next(&mut self) -> Result<Option<Item<'t>>> {
        let mut text = String::new();
        while let Some(step) = self.next {
            let item = match step {
                Step::Leave(_) => Some(Item::End),
                Step::Enter(node) => match node.type_number() {
                    ffi::XML_TEXT_NODE => {
                        add(&mut text, node)?;
                        None
                    }
                    ffi::XML_CDATA_SECTION_NODE if !self.rules.cdata => {
                        add(&mut text, node)?;
                        None
                    }
                    ffi::XML_CDATA_SECTION_NODE => {
                        Some(Item::Cdata(node.own_text().unwrap_or_default()))
                    }
                    ffi::XML_COMMENT_NODE if !self.rules.comments => None,
                    ffi::XML_DTD_NODE => None,
                    _ if has_children(node.get()) => Some(Item::Start(node)),
                    _ => Some(Item::Other(node)),
                },
            };
            // The text before an item is an item of its own.
            if item.is_some() && self.counts(&text) {
                return Ok(Some(Item::Text(text)));
            }
            self.next = self.after(step);
            if let Some(item) = item {
                return Ok(Some(item));
            }
            if self.next.is_none() {
                break;
            }
        }
        Ok(self.counts(&text).then_some(Item::Text(text)))
    }

    fn counts(&self, text: &str) -> bool {
        match self.rules.whitespace {
            true => !text.is_empty(),
            false => text.contains(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')),
        }
    }
}

fn add(text: &mut String, node: Borrowed<'_, Node>) -> Result<()> {
    if let Some(more) = node.own_text() {
        text.try_reserve(more.len())?;
        text.push_str(&more);
    }
    Ok(())
}

/// Returns `true` for a node whose children are compared.
fn has_children(node: &Node) -> bool {
    node.is_element() || node.is_document() || node.is_fragment()
}

/// The name of an element or attribute: URI, local name, and the prefix if it counts.
type QName = (Option<CString>, Option<String>, Option<CString>);

fn name_of(
    local: Option<String>,
    namespace: Option<Borrowed<'_, Namespace>>,
    rules: Rules,
) -> QName {
    let uri = namespace.and_then(|namespace| namespace.uri_bytes());
    let prefix = namespace.and_then(|namespace| namespace.prefix_bytes());
    (
        uri.filter(|uri| !uri.is_empty()),
        local,
        prefix.filter(|_| rules.prefixes),
    )
}

/// The attributes of an element, in an order of their own.
fn attributes(element: &Node, rules: Rules) -> Result<Vec<(QName, String)>> {
    let mut found = Vec::new();
    for attribute in element.attribute_list() {
        found.try_reserve(1)?;
        found.push(attribute_of(attribute.get(), rules)?);
    }
    found.sort();
    Ok(found)
}

fn attribute_of(attribute: &Attribute, rules: Rules) -> Result<(QName, String)> {
    let name = name_of(attribute.name(), attribute.namespace(), rules);
    Ok((name, attribute.value()?))
}

/// Compares two nodes, without what is below them.
fn is_alike(one: &Node, other: &Node, rules: Rules) -> Result<bool> {
    if one.type_number() != other.type_number() {
        return Ok(one.is_document() && other.is_document());
    }
    Ok(match one.type_number() {
        ffi::XML_ELEMENT_NODE => {
            name_of(one.name(), one.ns(), rules) == name_of(other.name(), other.ns(), rules)
                && attributes(one, rules)? == attributes(other, rules)?
        }
        ffi::XML_ATTRIBUTE_NODE => match (one.as_attribute(), other.as_attribute()) {
            (Some(one), Some(other)) => {
                attribute_of(one.get(), rules)? == attribute_of(other.get(), rules)?
            }
            _ => false,
        },
        ffi::XML_PI_NODE => {
            let text = |node: &Node| node.own_text().unwrap_or_default();
            one.name() == other.name() && text(one) == text(other)
        }
        ffi::XML_COMMENT_NODE => {
            one.own_text().unwrap_or_default() == other.own_text().unwrap_or_default()
        }
        ffi::XML_ENTITY_REF_NODE => one.entity_name() == other.entity_name(),
        _ => true,
    })
}

fn check(node: &Node) -> Result<()> {
    let is_compared = node.is_content() || has_children(node) || node.is_attribute();
    match is_compared {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "a node of the type {:?} cannot be compared",
            node.type_name()
        ))),
    }
}

fn are_equal(one: Borrowed<'_, Node>, other: Borrowed<'_, Node>, rules: Rules) -> Result<bool> {
    check(one.get())?;
    check(other.get())?;
    let (mut ones, mut others) = (Items::of(one, rules), Items::of(other, rules));
    loop {
        let is_equal = match (ones.next()?, others.next()?) {
            (None, None) => return Ok(true),
            (Some(Item::End), Some(Item::End)) => true,
            (Some(Item::Text(one)), Some(Item::Text(other)))
            | (Some(Item::Cdata(one)), Some(Item::Cdata(other))) => one == other,
            (Some(Item::Start(one)), Some(Item::Start(other)))
            | (Some(Item::Other(one)), Some(Item::Other(other))) => {
                is_alike(one.get(), other.get(), rules)?
            }
            _ => false,
        };
        if !is_equal {
            return Ok(false);
        }
    }
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Compare this node, and all below it, with another one, also of another document.
    ///
    /// Elements and attributes are equal if their namespaces, local names and values are; the order of attributes never
    /// counts, nor do declarations of namespaces. Texts beside each other are one text. References to entities are
    /// equal if the names are. Without `comments`, comments are left out. Without `whitespace`, texts are left out that
    /// are only white space. With `cdata`, a CDATA section differs from a text, and with `prefixes`, prefixes count.
    ///
    /// Raises ValueError for a DTD and what it declares, and OverflowError as `text` does.
    #[foreign(other)]
    #[pyo3(signature = (other, *, comments = true, whitespace = true, cdata = false, prefixes = false))]
    fn equals(
        &self,
        other: &Node,
        comments: bool,
        whitespace: bool,
        cdata: bool,
        prefixes: bool,
    ) -> Result<bool> {
        let rules = Rules {
            comments,
            whitespace,
            cdata,
            prefixes,
        };
        are_equal(Borrowed::from(self), Borrowed::from(other), rules)
    }
}

#[methods(unsafe)]
impl crate::document::Document {
    /// Compare the nodes of this document with those of another one, as `Node.equals` does. The XML declaration and the
    /// DTD are not compared.
    #[foreign(other)]
    #[pyo3(signature = (other, *, comments = true, whitespace = true, cdata = false, prefixes = false))]
    fn equals(
        &self,
        other: &Document,
        comments: bool,
        whitespace: bool,
        cdata: bool,
        prefixes: bool,
    ) -> Result<bool> {
        let rules = Rules {
            comments,
            whitespace,
            cdata,
            prefixes,
        };
        match (self.as_node(), other.as_node()) {
            (Some(one), Some(other)) => are_equal(one, other, rules),
            _ => Err(Error::Value("the document has no node".into())),
        }
    }
}
