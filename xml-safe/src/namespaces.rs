//! Namespaces of elements and attributes, and the declarations that are in scope.

use leakproof::Dict;
use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::prelude::{Bound, PyAny, PyAnyMethods, PyErr, PyStringMethods};
use leakproof::pyo3::types::PyString;

use crate::attributes::{declares, namespace_for};
use crate::create::{XMLNS, reserved};
use crate::document::Document;
use crate::ids;
use crate::moves::{Change, begin};
use crate::node::{Namespace, Node, gather};
use crate::reconcile::{in_scope, nearest, reconcile, would_change};
use crate::redeclare::{change_default, clean_up, declaration, undeclare};
use crate::serialize::uris::note_uri;
use crate::undo::Former;
use crate::valid::{self, XML};

/// Returns the element at which the declarations are in scope for `node`.
fn scope_of(node: &Node) -> Option<Borrowed<'_, Node>> {
    let here = Some(Borrowed::from(node)).filter(|node| !node.is_document());
    let mut upwards = Successors::new(here, Node::parent);
    upwards.find(|node| node.is_element())
}

/// Checks the prefix and the URI of a new declaration.
fn check(prefix: Option<&CStr>, uri: &CStr) -> Result<()> {
    if let Some(prefix) = prefix {
        valid::check_name(prefix, "a prefix")?;
    }
    valid::text(uri, "the URI of a namespace")?;
    if uri.is_empty() {
        return Err(Error::Value("the URI of a namespace is empty".into()));
    }
    let is_reserved = prefix.is_some_and(|prefix| prefix == c"xml" || prefix == c"xmlns");
    if is_reserved || uri == XML || uri == XMLNS {
        return Err(reserved());
    }
    Ok(())
}

/// Puts an element into a namespace: by the nearest declaration, or by a new one of the default namespace or, if that
/// would change other elements, of a new prefix.
fn put_element<'t>(
    tree: &Tree<'t, Document>,
    element: Borrowed<'t, Node>,
    uri: &CStr,
) -> Result<()> {
    check(None, uri)?;
    let namespace = match nearest(element, uri, false) {
        Some(namespace) => namespace,
        None if !would_change(element, None, uri, false) => {
            note_uri(tree.owner(), uri);
            return change_default(tree, element, Some(uri));
        }
        None => namespace_for(tree, element, uri)?,
    };
    set(tree, element, Some(namespace))
}

/// Sets the namespace of an element or attribute.
fn set<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    namespace: Option<Borrowed<'t, Namespace>>,
) -> Result<()> {
    let namespace = namespace.as_ref().map(|namespace| namespace.get());
    tree.edit(node)?.set_ns(namespace);
    Ok(())
}

/// Takes an element out of its namespace.
fn take_element<'t>(tree: &Tree<'t, Document>, element: Borrowed<'t, Node>) -> Result<()> {
    if declaration(element, None).is_some_and(|namespace| namespace.has_uri()) {
        return change_default(tree, element, None);
    }
    Change::run(tree, &[], false, |change| {
        change.note(element, Former::namespace_of(element))?;
        tree.edit(element)?.set_ns(None);
        reconcile(tree, element)
    })
}

/// Puts an attribute into a namespace, or into none.
fn put_attribute<'t>(
    tree: &Tree<'t, Document>,
    attribute: Borrowed<'t, Node>,
    uri: Option<&CStr>,
) -> Result<()> {
    let Some(element) = attribute.get().parent() else {
        return Err(Error::Value(
            "an attribute without an element has no namespace".into(),
        ));
    };
    let uri_of = |namespace: Option<Borrowed<'_, Namespace>>| namespace?.uri_bytes();
    let name = attribute.name();
    let is_taken = element.get().attribute_list().any(|other| {
        other.as_node() != Some(attribute)
            && other.name() == name
            && uri_of(other.namespace()).as_deref() == uri
    });
    if uri.is_none() && name.as_deref() == Some("xmlns") {
        return Err(declares());
    }
    if is_taken {
        return Err(Error::Value(format!(
            "the element cannot have another attribute {:?}",
            name.unwrap_or_default()
        )));
    }
    if let Some(uri) = uri.filter(|uri| *uri != XML) {
        check(None, uri)?;
    }
    // An ID is one by its name.
    ids::forget_all(tree, attribute)?;
    // Nothing can fail behind the declaration of a namespace, which cannot be taken back.
    let namespace = uri.map(|uri| namespace_for(tree, element, uri)).transpose();
    let put = namespace.and_then(|namespace| set(tree, attribute, namespace));
    let added = match attribute.as_id() {
        Some(attribute) => ids::add_new(tree, element, attribute),
        None => Ok(()),
    };
    put.and(added)
}

/// Returns the prefixes of an argument; `None` is the default namespace.
fn prefixes_in(prefixes: &Bound<'_, PyAny>) -> Result<Vec<Option<CString>>> {
    if prefixes.is_instance_of::<PyString>() {
        let message = "keep_prefixes is several prefixes, not a str";
        return Err(PyTypeError::new_err(message).into());
    }
    let mut found = Vec::new();
    for prefix in prefixes.try_iter()? {
        let prefix = prefix?;
        found.try_reserve(1)?;
        if prefix.is_none() {
            found.push(None);
            continue;
        }
        let prefix = prefix.cast::<PyString>().map_err(PyErr::from)?.to_cow()?;
        let prefix = CString::new(prefix.as_bytes());
        found.push(Some(
            prefix.map_err(|_| Error::Value("a NUL in a prefix".into()))?,
        ));
    }
    Ok(found)
}

#[methods(unsafe)]
impl crate::node::Node {
    /// The URI of the namespace of an element or attribute. None if it is in no namespace, and for other nodes.
    ///
    /// A new value keeps the local name. The nearest declaration of the namespace is used, so `declare_namespace`
    /// chooses the prefix. A namespace that is not in scope is declared: as the default namespace of an element, with a
    /// prefix such as "ns0" where that would change other elements, and for an attribute. The declaration of a default
    /// namespace that an element had for itself goes. With None, the elements below that are in it declare it
    /// themselves.
    ///
    /// Raises ValueError for another node, and for an attribute whose element has one of the new name.
    #[getter]
    fn namespace(&self) -> Option<String> {
        self.ns()?.href().filter(|uri| !uri.is_empty())
    }

    #[setter]
    fn set_namespace(&mut self, uri: Option<&CStr>) -> Result<()> {
        let (tree, this) = begin(self)?;
        if this.is_attribute() {
            return put_attribute(&tree, this, uri);
        }
        if !this.is_element() {
            return Err(Error::Value(format!(
                "a node of the type {:?} has no namespace",
                this.type_name()
            )));
        }
        let put = match uri {
            Some(uri) => put_element(&tree, this, uri),
            None => take_element(&tree, this),
        };
        // A DTD declares an ID by the prefixes, too.
        put.and(ids::update_all(&tree, this))
    }

    /// The prefix of the name of an element or attribute. None if it has none, and for other nodes.
    #[getter]
    fn prefix(&self) -> Option<String> {
        self.ns()?.prefix()
    }

    /// The namespaces that are in scope, by prefix; the default namespace has the prefix None. The prefix "xml", which
    /// is always in scope, is left out. For a node that is no element, those of the element that it is in.
    #[getter]
    fn namespaces(&self) -> Result<Dict<Option<String>, String>> {
        let Some(element) = scope_of(self) else {
            return Ok(Dict(Vec::new()));
        };
        let declared = in_scope(element)?.into_iter();
        gather(declared.map(|it| Ok((it.prefix(), it.href().unwrap_or_default())))).map(Dict)
    }

    /// Declare a namespace at this element (xmlNewNs). Without a prefix, that is the default namespace.
    ///
    /// Nothing happens if the element declares that already. The namespaces of elements and attributes stay as they
    /// are. Raises ValueError where the declaration would change them: the element declares the prefix for another
    /// namespace (`undeclare_namespace` takes that away), or something here uses the prefix for another namespace, or,
    /// for the default namespace, an element here is in none. Also raises ValueError for a prefix that XML does not
    /// allow, for the namespaces of "xml" and "xmlns", and for a node that is no element.
    fn declare_namespace(&mut self, prefix: Option<&CStr>, uri: &CStr) -> Result<()> {
        let (tree, this) = begin(self)?;
        if !this.is_element() {
            return Err(Error::Value(format!(
                "a node of the type {:?} cannot declare a namespace",
                this.type_name()
            )));
        }
        check(prefix, uri)?;
        match declaration(this, prefix) {
            Some(found) if found.stands_for(uri) => return Ok(()),
            None if !would_change(this, prefix, uri, true) => {}
            _ => {
                return Err(Error::Value(match prefix {
                    Some(prefix) => format!(
                        "the prefix {:?} stands for another namespace here",
                        prefix.to_string_lossy()
                    ),
                    None => {
                        "a default namespace other than this one, or none, is in use here".into()
                    }
                }));
            }
        }
        note_uri(tree.owner(), uri);
        tree.edit(this)?.declare(uri, prefix).map(drop)
    }

    /// Take away the declaration of a prefix at this element; without a prefix, that of the default namespace.
    ///
    /// The namespaces of elements and attributes stay as they are: names that use the declaration get the prefix of
    /// another one in scope. So, to change a prefix, declare the new one first. Texts and values may have names with
    /// prefixes, too, of which libxml2 does not know.
    ///
    /// Raises ValueError, and changes nothing, if this element does not declare the prefix, and if the declaration is
    /// in use and nothing else in scope stands for its namespace.
    #[pyo3(signature = (prefix = None))]
    fn undeclare_namespace(&mut self, prefix: Option<&CStr>) -> Result<()> {
        let (tree, this) = begin(self)?;
        let found = declaration(this, prefix).ok_or_else(|| {
            Error::Value(match prefix {
                Some(prefix) => {
                    format!(
                        "this node does not declare the prefix {:?}",
                        prefix.to_string_lossy()
                    )
                }
                None => "this node does not declare a default namespace".into(),
            })
        })?;
        undeclare(&tree, this, found)?;
        // A DTD declares an ID by the prefixes, too.
        ids::update_all(&tree, this)
    }

    /// Take away the declarations of namespaces, at this node and below it, that no element and no attribute uses.
    ///
    /// Texts and values may have names with prefixes, too, as in XML Schema: `keep_prefixes` names the prefixes whose
    /// declarations stay, None for the default namespace.
    #[pyo3(signature = (*, keep_prefixes: "abc.Iterable[str | None] | None" = None))]
    fn cleanup_namespaces(&mut self, keep_prefixes: Option<Bound<'_, PyAny>>) -> Result<()> {
        let kept = keep_prefixes.map_or(Ok(Vec::new()), |prefixes| prefixes_in(&prefixes))?;
        let (tree, this) = begin(self)?;
        clean_up(&tree, this, |namespace| {
            kept.iter()
                .any(|prefix| namespace.has_prefix(prefix.as_deref()))
        })
    }
}
