//! Declarations of namespaces that elements lose.
//!
//! libxml2 frees a declaration with its element, and no name may refer to it then. So nothing is freed here: an element
//! that loses declarations exchanges all of its declarations with a spare element, which has copies of those that
//! stay. The spare element is in no tree. It is released after the call, with the former declarations.
//!
//! All memory is taken before the first exchange, so a change that fails has changed nothing.

use std::collections::{HashMap, HashSet};

use leakproof::prelude::*;

use crate::create::within;
use crate::document::Document;
use crate::node::{Namespace, Node};
use crate::order::{behind, following};
use crate::reconcile::{Scope, Visit, in_scope, is_below_default_namespace, visit};

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    /// Sets the first declaration of an element; all others follow it.
    #[field(nsDef)]
    fn set_declared(&mut self, first: Option<&Namespace>);
}

/// Returns the declarations at an element, in their order.
pub(crate) fn declared_at(element: Borrowed<'_, Node>) -> Successors<'_, Namespace> {
    Successors::new(element.get().declared(), Namespace::next)
}

/// Returns the declaration of a prefix at this element.
pub(crate) fn declaration<'t>(
    element: Borrowed<'t, Node>,
    prefix: Option<&CStr>,
) -> Option<Borrowed<'t, Namespace>> {
    declared_at(element).find(|namespace| namespace.has_prefix(prefix))
}

/// The elements that get other declarations, and what the names refer to then.
#[derive(Default)]
pub(crate) struct Redeclared<'t> {
    /// Each element, with the spare element that has the new declarations.
    elements: Vec<(Borrowed<'t, Node>, Borrowed<'t, Node>)>,
    /// The declarations that names get instead of their present ones.
    instead: HashMap<Borrowed<'t, Namespace>, Borrowed<'t, Namespace>>,
    /// Elements and attributes that get these namespaces.
    names: Vec<(Borrowed<'t, Node>, Option<Borrowed<'t, Namespace>>)>,
}

impl<'t> Redeclared<'t> {
    pub(crate) fn is_empty(&self) -> bool {
        self.elements.is_empty()
    }

    /// Lets an element lose those of its declarations for which `is_kept` returns `false`.
    pub(crate) fn keep(
        &mut self,
        tree: &Tree<'t, Document>,
        element: Borrowed<'t, Node>,
        is_kept: impl Fn(Borrowed<'t, Namespace>) -> bool,
    ) -> Result<()> {
        let mut owner = tree.edit_owner();
        let spare = within(tree, owner.new_element(c"spare")?)?;
        self.elements.try_reserve(1)?;
        self.elements.push((element, spare));
        for namespace in declared_at(element).filter(|namespace| is_kept(*namespace)) {
            let (uri, prefix) = (namespace.uri_bytes(), namespace.prefix_bytes());
            let copy = self.declare(tree, prefix.as_deref(), &uri.unwrap_or_default())?;
            self.replace(namespace, copy)?;
        }
        Ok(())
    }

    /// Adds a declaration to the element that came last.
    pub(crate) fn declare(
        &self,
        tree: &Tree<'t, Document>,
        prefix: Option<&CStr>,
        uri: &CStr,
    ) -> Result<Borrowed<'t, Namespace>> {
        let Some((_, spare)) = self.elements.last() else {
            unreachable!("a declaration is added to an element")
        };
        tree.edit(*spare)?.declare(uri, prefix)?;
        declaration(*spare, prefix).ok_or(Error::Failed("xmlNewNs"))
    }

    /// Lets the names with one declaration refer to another.
    pub(crate) fn replace(
        &mut self,
        former: Borrowed<'t, Namespace>,
        instead: Borrowed<'t, Namespace>,
    ) -> Result<()> {
        self.instead.try_reserve(1)?;
        self.instead.insert(former, instead);
        Ok(())
    }

    /// Lets an element or attribute refer to another declaration, or to none.
    pub(crate) fn refer(
        &mut self,
        node: Borrowed<'t, Node>,
        namespace: Option<Borrowed<'t, Namespace>>,
    ) -> Result<()> {
        self.names.try_reserve(1)?;
        self.names.push((node, namespace));
        Ok(())
    }

    /// Does what `finish` does. `used` has the declarations that names refer to: where none of them goes, no name is
    /// looked at.
    pub(crate) fn finish_for(
        mut self,
        tree: &Tree<'t, Document>,
        top: Borrowed<'t, Node>,
        used: &HashSet<Borrowed<'t, Namespace>>,
    ) -> Result<()> {
        if !self.instead.keys().any(|former| used.contains(former)) {
            self.instead.clear();
        }
        self.finish(tree, top)
    }

    /// Makes the changes to the tree at `top`, which has all of the elements. Nothing in it can fail.
    pub(crate) fn finish(self, tree: &Tree<'t, Document>, top: Borrowed<'t, Node>) -> Result<()> {
        for (element, spare) in &self.elements {
            let (former, new) = (element.get().declared(), spare.get().declared());
            tree.edit(*element)?
                .set_declared(new.as_ref().map(|first| first.get()));
            tree.edit(*spare)?
                .set_declared(former.as_ref().map(|first| first.get()));
        }
        for (node, namespace) in &self.names {
            let namespace = namespace.as_ref().map(|namespace| namespace.get());
            tree.edit(*node)?.set_ns(namespace);
        }
        if self.instead.is_empty() {
            return Ok(());
        }
        let mut here = Some(top);
        while let Some(node) = here {
            self.mend(tree, node)?;
            for attribute in node.get().attribute_list() {
                let attribute = attribute.get().as_node();
                attribute.map_or(Ok(()), |attribute| self.mend(tree, attribute))?;
            }
            here = following(node, top);
        }
        Ok(())
    }

    /// Lets a name refer to the declaration that it has now.
    fn mend(&self, tree: &Tree<'t, Document>, node: Borrowed<'t, Node>) -> Result<()> {
        let former = node.get().ns();
        let next = |namespace: &Borrowed<'t, Namespace>| self.instead.get(namespace).copied();
        if let Some(namespace) = std::iter::successors(former.as_ref().and_then(next), next).last()
        {
            tree.edit(node)?.set_ns(Some(namespace.get()));
        }
        Ok(())
    }
}

/// Returns the elements and attributes with names at this node: itself and its attributes.
fn names_at<'t>(node: Borrowed<'t, Node>) -> impl Iterator<Item = Borrowed<'t, Node>> {
    let attributes = node.get().attribute_list();
    let attributes = attributes.filter_map(|attribute| attribute.get().as_node());
    std::iter::once(node).chain(attributes)
}

/// Takes away a declaration at an element. The names that refer to it get another declaration of their namespace.
pub(crate) fn undeclare<'t>(
    tree: &Tree<'t, Document>,
    element: Borrowed<'t, Node>,
    lost: Borrowed<'t, Namespace>,
) -> Result<()> {
    let mut redeclared = Redeclared::default();
    let outer = element.get().parent().map_or(Ok(Vec::new()), in_scope)?;
    let hides_default = !lost.has_uri() && is_below_default_namespace(element);
    let mut scope = Scope::without(lost);
    visit(element, |step| {
        let node = match step {
            Visit::Enter(node) => node,
            Visit::Leave(node) => {
                scope.leave(node);
                return Ok(());
            }
        };
        scope.enter(node)?;
        for name in names_at(node) {
            if name.get().ns() == Some(lost) {
                let inside = scope.nearest_first();
                let mut others = inside.chain(outer.iter().copied());
                let other = others.find(|other| {
                    other.shares_uri(lost.get())
                        && !(name.is_attribute() && other.has_no_prefix())
                        && !scope.hides(*other)
                });
                redeclared.refer(name, Some(other.ok_or_else(|| in_use(lost))?))?;
            }
        }
        let is_plain = node.is_element() && node.ns().is_none();
        match hides_default && is_plain && scope.default_namespace().is_none() {
            true => Err(in_use(lost)),
            false => Ok(()),
        }
    })?;
    redeclared.keep(tree, element, |namespace| namespace != lost)?;
    redeclared.finish(tree, element)
}

fn in_use(namespace: Borrowed<'_, Namespace>) -> Error {
    Error::Value(match namespace.prefix() {
        Some(prefix) => format!(
            "the prefix {prefix:?} is in use, and no other one in scope stands for its namespace"
        ),
        None => "the default namespace is in use, and no prefix in scope stands for it".into(),
    })
}

/// Takes away the declarations at an element and below it that no name refers to, except for those that `keeps` says.
pub(crate) fn clean_up<'t>(
    tree: &Tree<'t, Document>,
    top: Borrowed<'t, Node>,
    keeps: impl Fn(Borrowed<'t, Namespace>) -> bool,
) -> Result<()> {
    let mut used = HashSet::new();
    let mut here = Some(top);
    while let Some(node) = here {
        for namespace in names_at(node).filter_map(|name| name.get().ns()) {
            used.try_reserve(1)?;
            used.insert(namespace);
        }
        here = following(node, top);
    }
    let mut redeclared = Redeclared::default();
    // The elements with a declaration of the default namespace that stays, and whether it has a URI.
    let mut defaults = Vec::new();
    let is_below_default = is_below_default_namespace(top);
    visit(top, |step| {
        let node = match step {
            Visit::Enter(node) => node,
            Visit::Leave(node) => {
                defaults.pop_if(|(element, _)| *element == node);
                return Ok(());
            }
        };
        let hides_default = defaults
            .last()
            .map_or(is_below_default, |(_, has_uri)| *has_uri);
        let stays = |namespace: Borrowed<'t, Namespace>| match namespace.has_uri() {
            true => used.contains(&namespace) || keeps(namespace),
            false => hides_default,
        };
        if declared_at(node).any(|namespace| !stays(namespace)) {
            redeclared.keep(tree, node, stays)?;
        }
        let mut staying = declared_at(node).filter(|namespace| stays(*namespace));
        if let Some(default) = staying.find(|namespace| namespace.has_no_prefix()) {
            defaults.try_reserve(1)?;
            defaults.push((node, default.has_uri()));
        }
        Ok(())
    })?;
    redeclared.finish(tree, top)
}

/// Gives an element another default namespace, or none, by its own declaration. The elements below that are in the
/// former one stay in it, by declarations of their own.
pub(crate) fn change_default<'t>(
    tree: &Tree<'t, Document>,
    element: Borrowed<'t, Node>,
    uri: Option<&CStr>,
) -> Result<()> {
    let mut redeclared = Redeclared::default();
    let former = declaration(element, None);
    if let Some(former) = former {
        let mut attributes = names_at(element).skip(1);
        // The parser puts no attribute into a default namespace.
        if attributes.any(|attribute| attribute.get().ns() == Some(former)) {
            return Err(in_use(former));
        }
        stay_in(tree, &mut redeclared, element, former)?;
    }
    redeclared.keep(tree, element, |namespace| Some(namespace) != former)?;
    let namespace = match uri {
        Some(uri) => Some(redeclared.declare(tree, None, uri)?),
        None if is_below_default_namespace(element) => {
            redeclared.declare(tree, None, c"")?;
            None
        }
        None => None,
    };
    redeclared.refer(element, namespace)?;
    redeclared.finish(tree, element)
}

/// Lets the elements below that refer to the declaration `lost` declare that themselves.
fn stay_in<'t>(
    tree: &Tree<'t, Document>,
    redeclared: &mut Redeclared<'t>,
    top: Borrowed<'t, Node>,
    lost: Borrowed<'t, Namespace>,
) -> Result<()> {
    let mut here = top.get().first_shown();
    while let Some(node) = here {
        if !names_at(node).any(|name| name.get().ns() == Some(lost)) {
            here = following(node, top);
            continue;
        }
        let namespace = match declaration(node, None) {
            Some(own) if own.shares_uri(lost.get()) => own,
            Some(_) => return Err(in_use(lost)),
            None => {
                redeclared.keep(tree, node, |_| true)?;
                redeclared.declare(tree, None, &lost.uri_bytes().unwrap_or_default())?
            }
        };
        let mut below = Some(node);
        while let Some(inside) = below {
            for name in names_at(inside).filter(|name| name.get().ns() == Some(lost)) {
                redeclared.refer(name, Some(namespace))?;
            }
            below = following(inside, node);
        }
        here = behind(node, top);
    }
    Ok(())
}
