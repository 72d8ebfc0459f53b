//! Namespaces of nodes that were moved: each name refers to a declaration that is in scope where the node is now.
//!
//! xmlDOMWrapReconcileNamespaces does so, too, but lets elements without a namespace come into the default namespace of
//! the new place, gives attributes a declaration without a prefix, lets a declaration that it adds hide another one
//! that is in use, and frees what it has just put into the tree if it finds no memory. So it is not used.

use std::collections::{HashMap, HashSet};

use leakproof::prelude::*;

use crate::attributes::namespace_for;
use crate::document::Document;
use crate::node::{Namespace, Node};
use crate::order::{behind, following};
use crate::redeclare::{Redeclared, declaration, declared_at};
use crate::serialize::uris::note_uri;

/// Makes a node, and all below it, refer to declarations of namespaces that are in scope where the node is now.
/// Declarations that are missing are added, and those that repeat one are taken away.
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
    let mut moved = Moved {
        tree,
        top: node,
        scope: Scope::default(),
        resolved: HashMap::new(),
        used: HashSet::new(),
        last: None,
    };
    let declaring = moved.mend_all()?;
    drop_all_repeated(tree, node, declaring, &moved.used)
}

/// The elements with declarations, in a tree that was moved.
enum Declaring {
    None,
    /// The topmost one alone.
    Top,
    Others,
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
        for namespace in declared_at(above) {
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
    elements.flat_map(declared_at)
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

/// The declarations at a node and at the elements above it, up to the node where a search began; the nearest are the
/// last.
#[derive(Default)]
pub(crate) struct Scope<'t> {
    open: Vec<(Borrowed<'t, Node>, Borrowed<'t, Namespace>)>,
    by_prefix: HashMap<Option<CString>, Vec<Borrowed<'t, Namespace>>>,
    /// A declaration that does not count.
    lost: Option<Borrowed<'t, Namespace>>,
    /// The number of declarations that came or went.
    changes: usize,
}

impl<'t> Scope<'t> {
    pub(crate) fn without(lost: Borrowed<'t, Namespace>) -> Self {
        Scope {
            lost: Some(lost),
            ..Scope::default()
        }
    }

    pub(crate) fn enter(&mut self, element: Borrowed<'t, Node>) -> Result<()> {
        let lost = self.lost;
        let mut namespaces = declared_at(element).filter(|namespace| Some(*namespace) != lost);
        namespaces.try_for_each(|namespace| self.add(element, namespace))
    }

    /// Adds a declaration of the innermost element.
    fn add(
        &mut self,
        element: Borrowed<'t, Node>,
        namespace: Borrowed<'t, Namespace>,
    ) -> Result<()> {
        self.open.try_reserve(1)?;
        self.by_prefix.try_reserve(1)?;
        let same = self.by_prefix.entry(namespace.prefix_bytes()).or_default();
        same.try_reserve(1)?;
        same.push(namespace);
        self.open.push((element, namespace));
        self.changes += 1;
        Ok(())
    }

    /// Adds a declaration of the outermost element, which has a prefix that no other one has.
    fn add_first(
        &mut self,
        element: Borrowed<'t, Node>,
        namespace: Borrowed<'t, Namespace>,
    ) -> Result<()> {
        self.add(element, namespace)?;
        self.open.rotate_right(1);
        Ok(())
    }

    pub(crate) fn leave(&mut self, element: Borrowed<'t, Node>) {
        while let Some((_, namespace)) = self.open.pop_if(|(other, _)| *other == element) {
            self.changes += 1;
            if let Some(same) = self.by_prefix.get_mut(&namespace.prefix_bytes()) {
                same.pop();
            }
        }
    }

    /// Returns the nearest declaration of this prefix.
    fn nearest(&self, prefix: &Option<CString>) -> Option<Borrowed<'t, Namespace>> {
        self.by_prefix.get(prefix)?.last().copied()
    }

    /// Returns the nearest declaration without a prefix.
    pub(crate) fn default_namespace(&self) -> Option<Borrowed<'t, Namespace>> {
        self.nearest(&None)
    }

    /// Iterates over the declarations, the nearest first.
    pub(crate) fn nearest_first(&self) -> impl Iterator<Item = Borrowed<'t, Namespace>> {
        self.open.iter().rev().map(|(_, namespace)| *namespace)
    }

    /// Returns `true` if a nearer declaration has the prefix of this one, which is in scope further up.
    pub(crate) fn hides(&self, namespace: Borrowed<'_, Namespace>) -> bool {
        if self.open.is_empty() {
            return false;
        }
        let nearest = self.nearest(&namespace.prefix_bytes());
        nearest.is_some_and(|nearest| nearest != namespace)
    }
}

/// A step of a walk through a tree.
pub(crate) enum Visit<'t> {
    Enter(Borrowed<'t, Node>),
    Leave(Borrowed<'t, Node>),
}

/// Walks through the tree at `top`, into each node and out of it again.
pub(crate) fn visit<'t>(
    top: Borrowed<'t, Node>,
    mut step: impl FnMut(Visit<'t>) -> Result<()>,
) -> Result<()> {
    let mut here = top;
    loop {
        step(Visit::Enter(here))?;
        here = match here.get().first_shown() {
            Some(child) => child,
            None => loop {
                step(Visit::Leave(here))?;
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

/// A node that was moved, with all below it.
struct Moved<'c, 't> {
    tree: &'c Tree<'t, Document>,
    top: Borrowed<'t, Node>,
    /// The declarations from the node to the element that is looked at.
    scope: Scope<'t>,
    /// The declarations that names get instead of their former ones: the former one itself if it is in scope further
    /// up.
    resolved: HashMap<Borrowed<'t, Namespace>, Borrowed<'t, Namespace>>,
    /// The declarations that names refer to.
    used: HashSet<Borrowed<'t, Namespace>>,
    /// The declaration of the name that came last, if the name stayed as it was, and the changes of the scope then.
    last: Option<(Borrowed<'t, Namespace>, usize)>,
}

impl<'t> Moved<'_, 't> {
    /// Mends all names. Returns which elements had declarations.
    fn mend_all(&mut self) -> Result<Declaring> {
        let mut declaring = Declaring::None;
        let top = self.top;
        visit(top, |step| match step {
            Visit::Enter(node) if node.is_element() => {
                if node.declared().is_some() {
                    declaring = match node == top {
                        true => Declaring::Top,
                        false => Declaring::Others,
                    };
                    self.scope.enter(node)?;
                }
                self.mend_names_at(node)
            }
            Visit::Enter(_) => Ok(()),
            Visit::Leave(node) => {
                self.scope.leave(node);
                Ok(())
            }
        })?;
        Ok(declaring)
    }

    fn mend_names_at(&mut self, element: Borrowed<'t, Node>) -> Result<()> {
        if let Some(namespace) = element.get().ns() {
            self.mend(element, element, namespace)?;
        }
        for attribute in element.get().attribute_list() {
            if let Some(namespace) = attribute.get().namespace()
                && let Some(attribute) = attribute.get().as_node()
            {
                self.mend(element, attribute, namespace)?;
            }
        }
        Ok(())
    }

    /// Lets a name, of an element or of its attribute, refer to a declaration that is in scope.
    fn mend(
        &mut self,
        element: Borrowed<'t, Node>,
        name: Borrowed<'t, Node>,
        former: Borrowed<'t, Namespace>,
    ) -> Result<()> {
        let is_fit =
            |other: Borrowed<'_, Namespace>| !(name.is_attribute() && other.has_no_prefix());
        let here = Some((former, self.scope.changes));
        if self.last == here && is_fit(former) {
            return Ok(());
        }
        let is_present = match self.scope.nearest(&former.prefix_bytes()) {
            Some(nearest) => nearest == former,
            None => self.is_further_up(former)?,
        };
        if is_present && is_fit(former) {
            self.last = here;
            return self.note_used(former);
        }
        let Some(uri) = uri_of(former) else {
            self.tree.edit(name)?.set_ns(None);
            return Ok(());
        };
        // libxml2 reads an element that has an attribute twice, by two prefixes, and reports an error.
        let is_free = |other: Borrowed<'t, Namespace>| {
            let mut attributes = element.get().attribute_list();
            is_fit(other)
                && !(name.is_attribute()
                    && attributes.any(|attribute| {
                        attribute.namespace() == Some(other) && attribute.name() == name.name()
                    }))
        };
        let resolved = self.resolved.get(&former).copied();
        let resolved = resolved.filter(|other| is_free(*other) && !self.scope.hides(*other));
        let namespace = match resolved {
            Some(namespace) => namespace,
            None => match self.find(former, is_free)? {
                Some(namespace) => namespace,
                None => self.declare(element, former, &uri, is_fit(former))?,
            },
        };
        self.resolve(former, namespace)?;
        self.note_used(namespace)?;
        self.tree.edit(name)?.set_ns(Some(namespace.get()));
        Ok(())
    }

    fn note_used(&mut self, namespace: Borrowed<'t, Namespace>) -> Result<()> {
        self.used.try_reserve(1)?;
        self.used.insert(namespace);
        Ok(())
    }

    fn resolve(
        &mut self,
        former: Borrowed<'t, Namespace>,
        namespace: Borrowed<'t, Namespace>,
    ) -> Result<()> {
        self.resolved.try_reserve(1)?;
        self.resolved.insert(former, namespace);
        Ok(())
    }

    /// Returns whether a declaration is in scope above the node that was moved.
    fn is_further_up(&mut self, namespace: Borrowed<'t, Namespace>) -> Result<bool> {
        if self.resolved.get(&namespace) == Some(&namespace) {
            return Ok(true);
        }
        let above = self.top.get().parent();
        let found = above.and_then(|above| of_prefix(above, namespace.prefix_bytes().as_deref()));
        // That of the prefix "xml" belongs to the document.
        if found != Some(namespace) && !namespace.has_prefix(Some(c"xml")) {
            return Ok(false);
        }
        self.resolve(namespace, namespace)?;
        Ok(true)
    }

    /// Returns a declaration of the same namespace that is in scope: with the same prefix, or the nearest one.
    fn find(
        &self,
        former: Borrowed<'t, Namespace>,
        is_fit: impl Fn(Borrowed<'t, Namespace>) -> bool,
    ) -> Result<Option<Borrowed<'t, Namespace>>> {
        let is_wanted = |other: &Borrowed<'t, Namespace>| {
            other.shares_uri(former.get()) && is_fit(*other) && !self.scope.hides(*other)
        };
        let above = self.top.get().parent();
        let prefix = former.prefix_bytes();
        let same = self.scope.nearest(&prefix);
        let same = same.or_else(|| of_prefix(above?, prefix.as_deref()));
        let mut inside = same.into_iter().chain(self.scope.nearest_first());
        match (inside.find(is_wanted), above) {
            (None, Some(above)) => Ok(in_scope(above)?.into_iter().find(is_wanted)),
            (found, _) => Ok(found),
        }
    }

    /// Declares a namespace: with its former prefix at the node that was moved, or at the element that needs it; where
    /// that would change other names, with a new prefix at this element.
    fn declare(
        &mut self,
        element: Borrowed<'t, Node>,
        former: Borrowed<'t, Namespace>,
        uri: &CStr,
        with_former_prefix: bool,
    ) -> Result<Borrowed<'t, Namespace>> {
        let (tree, prefix) = (self.tree, former.prefix_bytes());
        let is_hidden = self.scope.nearest(&prefix).is_some();
        let prefix = prefix.as_deref();
        let may_be_at = |place: Borrowed<'t, Node>| {
            with_former_prefix
                && declaration(place, prefix).is_none()
                && !would_change(place, prefix, uri, true)
        };
        let declare = |place: Borrowed<'t, Node>| {
            note_uri(tree.owner(), uri);
            tree.edit(place)?.declare(uri, prefix)?;
            declaration(place, prefix).ok_or(Error::Failed("xmlNewNs"))
        };
        if !is_hidden && may_be_at(self.top) {
            let made = declare(self.top)?;
            self.scope.add_first(self.top, made)?;
            return Ok(made);
        }
        let made = match may_be_at(element) {
            true => declare(element)?,
            false => namespace_for(tree, element, uri)?,
        };
        self.scope.add(element, made)?;
        Ok(made)
    }
}

/// Returns `true` if a declaration at `top` would change the namespace of an element or attribute: one that uses the
/// prefix in another sense, or, for the default namespace, an element in none. `with_top` includes the element at
/// `top` itself.
pub(crate) fn would_change(
    top: Borrowed<'_, Node>,
    prefix: Option<&CStr>,
    uri: &CStr,
    with_top: bool,
) -> bool {
    let is_other = |namespace: Borrowed<'_, Namespace>| {
        namespace.has_prefix(prefix) && !namespace.stands_for(uri)
    };
    let mut here = Some(top);
    while let Some(node) = here {
        let is_top = node == top;
        if !node.is_element() || (!is_top && declaration(node, prefix).is_some()) {
            here = behind(node, top);
            continue;
        }
        let is_changed = node.ns().map_or(prefix.is_none(), is_other);
        let mut attributes = node.get().attribute_list();
        if (is_changed && (with_top || !is_top))
            || attributes.any(|attribute| attribute.namespace().is_some_and(is_other))
        {
            return true;
        }
        here = following(node, top);
    }
    false
}

/// Takes away the declarations that repeat one further up. `used` has those that names refer to.
fn drop_all_repeated<'t>(
    tree: &Tree<'t, Document>,
    top: Borrowed<'t, Node>,
    declaring: Declaring,
    used: &HashSet<Borrowed<'t, Namespace>>,
) -> Result<()> {
    let mut scope = Scope::default();
    let mut redeclared = Redeclared::default();
    match declaring {
        Declaring::None => return Ok(()),
        Declaring::Top => drop_repeated(tree, (top, top), &scope, &mut redeclared)?,
        Declaring::Others => visit(top, |step| match step {
            Visit::Enter(node) => {
                drop_repeated(tree, (node, top), &scope, &mut redeclared)?;
                scope.enter(node)
            }
            Visit::Leave(node) => {
                scope.leave(node);
                Ok(())
            }
        })?,
    }
    match redeclared.is_empty() {
        true => Ok(()),
        false => redeclared.finish_for(tree, top, used),
    }
}

/// Lets a node lose the declarations that repeat one further up: its names, and those below it, refer to that one.
fn drop_repeated<'t>(
    tree: &Tree<'t, Document>,
    (node, top): (Borrowed<'t, Node>, Borrowed<'t, Node>),
    scope: &Scope<'t>,
    redeclared: &mut Redeclared<'t>,
) -> Result<()> {
    let above = top.get().parent();
    let repeated = |namespace: Borrowed<'t, Namespace>| {
        let prefix = namespace.prefix_bytes();
        let nearest = scope.nearest(&prefix);
        let further_up = nearest.or_else(|| of_prefix(above?, prefix.as_deref()));
        further_up.filter(|other| namespace.has_uri() && other.shares_uri(namespace.get()))
    };
    let mut found = false;
    for namespace in declared_at(node) {
        if let Some(other) = repeated(namespace) {
            redeclared.replace(namespace, other)?;
            found = true;
        }
    }
    match found {
        true => redeclared.keep(tree, node, |namespace| repeated(namespace).is_none()),
        false => Ok(()),
    }
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
pub(crate) fn is_below_default_namespace(node: Borrowed<'_, Node>) -> bool {
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
    declaration(element, None).map(|default| default.has_uri())
}
