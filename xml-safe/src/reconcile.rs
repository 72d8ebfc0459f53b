//! Namespaces of nodes that were moved: each name refers to a declaration that is in scope where the node is now.
//!
//! xmlDOMWrapReconcileNamespaces does most of it, and gets three things wrong, which are mended here: elements without
//! a namespace come into the default namespace of the new place; attributes get a declaration without a prefix; and a
//! declaration that is added, or stays, hides the one that another name was given.

use std::collections::HashSet;
use std::ffi::c_int;

use leakproof::prelude::*;

use crate::attributes::namespace_for;
use crate::document::Document;
use crate::ffi;
use crate::node::{Namespace, Node};
use crate::order::following;

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[calls(ffi::xmlDOMWrapReconcileNamespaces, args = (null, self, options), fails = nonzero)]
    fn reconcile_namespaces(&mut self, options: c_int) -> Result<()>;
}

/// The option of xmlDOMWrapReconcileNamespaces by which it removes declarations that repeat one; the headers have no
/// name for it.
const REMOVE_REDUNDANT: c_int = 1;

/// Makes a node, and all below it, refer to declarations of namespaces that are in scope where the node is now
/// (xmlDOMWrapReconcileNamespaces). Declarations that are missing are added, and those that repeat one are removed.
pub(crate) fn reconcile<'t>(tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
    if !node.is_element() {
        return Ok(());
    }
    // First, so that a declaration of the same namespace further down is none that repeats one.
    undeclare_default(tree, node)?;
    // Most new elements have nothing that could refer to a namespace.
    let has_names = node.ns().is_some() || node.attribute_list().next().is_some();
    if !has_names && node.declared().is_none() && node.first_child().is_none() {
        return Ok(());
    }
    tree.edit(node)?.reconcile_namespaces(REMOVE_REDUNDANT)?;
    mend_all(tree, node)
}

/// Returns the declarations that are in scope at an element, the nearest first. `xmlns=""` does not count.
pub(crate) fn in_scope(element: Borrowed<'_, Node>) -> Result<Vec<Borrowed<'_, Namespace>>> {
    visible(element, false)
}

/// Returns the declarations further up that are in scope at an element.
pub(crate) fn inherited(element: Borrowed<'_, Node>) -> Result<Vec<Borrowed<'_, Namespace>>> {
    visible(element, true)
}

fn visible(
    element: Borrowed<'_, Node>,
    leaves_out_own: bool,
) -> Result<Vec<Borrowed<'_, Namespace>>> {
    let mut found = Vec::new();
    let mut prefixes = HashSet::new();
    for above in Successors::new(Some(element), Node::parent) {
        for namespace in Successors::new(above.get().declared(), Namespace::next) {
            prefixes.try_reserve(1)?;
            let is_nearest = prefixes.insert(namespace.prefix_bytes());
            let is_left_out = leaves_out_own && above == element;
            if is_nearest && !is_left_out && namespace.has_uri() {
                found.try_reserve(1)?;
                found.push(namespace);
            }
        }
    }
    Ok(found)
}

/// Iterates over the declarations at an element and above it, the nearest first.
pub(crate) fn declarations<'t>(
    element: Borrowed<'t, Node>,
) -> impl Iterator<Item = Borrowed<'t, Namespace>> {
    let elements = Successors::new(Some(element), Node::parent);
    elements.flat_map(|element| Successors::new(element.get().declared(), Namespace::next))
}

/// Returns the nearest declaration of a namespace that is in scope at an element; with `has_prefix`, the nearest one
/// that has a prefix.
pub(crate) fn nearest<'t>(
    element: Borrowed<'t, Node>,
    uri: &CStr,
    has_prefix: bool,
) -> Option<Borrowed<'t, Namespace>> {
    declarations(element).find(|namespace| {
        let is_wanted = namespace.stands_for(uri) && !(has_prefix && namespace.has_no_prefix());
        // A declaration of the same prefix further down hides this one.
        is_wanted && {
            let mut nearer = declarations(element);
            nearer.find(|other| other.shares_prefix(namespace.get())) == Some(*namespace)
        }
    })
}

/// Returns the declaration of a prefix that is in scope at an element, which may be `xmlns=""`.
pub(crate) fn of_prefix<'t>(
    element: Borrowed<'t, Node>,
    prefix: Option<&CStr>,
) -> Option<Borrowed<'t, Namespace>> {
    declarations(element).find(|namespace| namespace.has_prefix(prefix))
}

/// The declarations at a node and at the elements above it, up to the node that was moved; the nearest are the last.
#[derive(Default)]
struct Scope<'t>(Vec<(Borrowed<'t, Node>, Borrowed<'t, Namespace>)>);

impl<'t> Scope<'t> {
    fn enter(&mut self, element: Borrowed<'t, Node>) -> Result<()> {
        for namespace in Successors::new(element.get().declared(), Namespace::next) {
            self.0.try_reserve(1)?;
            self.0.push((element, namespace));
        }
        Ok(())
    }

    fn leave(&mut self, element: Borrowed<'t, Node>) {
        while self.0.pop_if(|(other, _)| *other == element).is_some() {}
    }

    /// Returns `true` if a nearer declaration has the prefix of this one, which is in scope further up.
    fn hides(&self, namespace: Borrowed<'_, Namespace>) -> bool {
        let is_same = |other: Borrowed<'_, Namespace>| {
            other == namespace || other.shares_prefix(namespace.get())
        };
        let nearest = self.0.iter().rev().find(|(_, other)| is_same(*other));
        nearest.is_some_and(|(_, other)| *other != namespace)
    }
}

/// Mends the names of a node, and of all below it.
fn mend_all<'t>(tree: &Tree<'t, Document>, top: Borrowed<'t, Node>) -> Result<()> {
    let mut scope = Scope::default();
    let mut here = top;
    loop {
        scope.enter(here)?;
        mend(tree, here, &scope)?;
        here = match here.get().first_shown() {
            Some(child) => child,
            None => loop {
                scope.leave(here);
                if here == top {
                    return Ok(());
                }
                if let Some(next) = here.get().next_sibling() {
                    break next;
                }
                here = here.get().parent().unwrap_or(top);
            },
        };
    }
}

/// Gives the names of an element and its attributes other declarations of their namespaces, where libxml2 has chosen
/// one that is hidden, or, for an attribute, a default namespace. A declaration that is added has a prefix that nothing
/// in scope has.
fn mend<'t>(
    tree: &Tree<'t, Document>,
    element: Borrowed<'t, Node>,
    scope: &Scope<'t>,
) -> Result<()> {
    if !element.is_element() {
        return Ok(());
    }
    let hidden = element.get().ns().filter(|it| scope.hides(*it));
    if let Some(uri) = hidden.and_then(uri_of) {
        let namespace = match nearest(element, &uri, false) {
            Some(namespace) => namespace,
            None => namespace_for(tree, element, &uri)?,
        };
        tree.edit(element)?.set_ns(Some(namespace.get()))?;
    }
    for attribute in element.get().attribute_list() {
        let namespace = attribute.get().namespace();
        let wrong = namespace.filter(|it| it.has_no_prefix() || scope.hides(*it));
        let uri = wrong.and_then(uri_of);
        if let (Some(uri), Some(attribute)) = (uri, attribute.get().as_node()) {
            let namespace = namespace_for(tree, element, &uri)?;
            tree.edit(attribute)?.set_ns(Some(namespace.get()))?;
        }
    }
    Ok(())
}

/// Returns the URI of a declaration; `None` for `xmlns=""`.
fn uri_of(namespace: Borrowed<'_, Namespace>) -> Option<CString> {
    namespace.uri_bytes().filter(|uri| !uri.is_empty())
}

/// Lets the elements without a namespace that came below a default namespace declare that they have none.
pub(crate) fn undeclare_default<'t>(
    tree: &Tree<'t, Document>,
    top: Borrowed<'t, Node>,
) -> Result<()> {
    if !is_below_default_namespace(top) {
        return Ok(());
    }
    let mut here = Some(top);
    while let Some(node) = here {
        let is_plain = node.is_element() && node.ns().is_none();
        if is_plain && default_at(node).unwrap_or_else(|| is_below_default_namespace(node)) {
            tree.edit(node)?.declare(c"", None)?;
        }
        here = following(node, top);
    }
    Ok(())
}

/// Returns whether a name without a prefix is in a namespace at the parent of `node`.
///
/// The search ends at the first element without a prefix, which is in the default namespace itself. So it takes no
/// time by the depth of the tree, unless all elements have prefixes.
fn is_below_default_namespace(node: Borrowed<'_, Node>) -> bool {
    let above = Successors::new(node.get().parent(), Node::parent);
    let mut elements = above.take_while(|above| above.is_element());
    let answer = elements.find_map(|element| {
        default_at(element).or_else(|| match element.ns() {
            None => Some(false),
            Some(namespace) => namespace.has_no_prefix().then(|| namespace.has_uri()),
        })
    });
    answer.unwrap_or(false)
}

/// Returns whether a name without a prefix is in a namespace by a declaration at this element; `None` without one.
fn default_at(element: Borrowed<'_, Node>) -> Option<bool> {
    let mut declared = Successors::new(element.get().declared(), Namespace::next);
    let default = declared.find(|namespace| namespace.has_no_prefix())?;
    Some(default.has_uri())
}
