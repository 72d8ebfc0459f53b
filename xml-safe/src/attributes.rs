//! The attributes of an element, as a mapping of values by name.

use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyKeyError, PyTypeError};
use leakproof::pyo3::types::{
    PyAnyMethods, PyDict, PyDictMethods, PyIterator, PyList, PyMapping, PyTuple, PyTupleMethods,
};
use leakproof::pyo3::{Bound, Py, PyAny, PyResult, Python};

use crate::change::{remove, replace_content};
use crate::create::{XML, XMLNS};
use crate::document::Document;
use crate::ffi;
use crate::node::{Attribute, Either, Namespace, Node, gather};
use crate::valid::{self, QualifiedName};

/// The attributes of an element: a mapping of values by name. A name in a namespace is written "{uri}name".
///
/// The mapping shows the attributes as they are at present, and changes them. Default values that a DTD declares are
/// not included. Raises OverflowError as `Node.text` does.
#[handle(raw = ffi::xmlNode, part_of = Node, owner_field = self)]
pub(crate) struct Attributes;

#[methods(unsafe, rust_only)]
impl Attributes {
    #[field(self)]
    fn node(&self) -> Option<Borrowed<Node>>;
}

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    #[field(self)]
    pub(crate) fn as_attributes(&self) -> Option<Borrowed<Attributes>>;

    /// Makes an attribute that is not there yet.
    #[calls(ffi::xmlNewNsProp, fails = null)]
    fn new_attribute(
        &mut self,
        namespace: Option<&Namespace>,
        name: &CStr,
        value: &CStr,
    ) -> Result<()>;

    #[calls(ffi::xmlSearchNs, args = (document, self, prefix))]
    fn namespace_of_prefix(
        &self,
        document: &Document,
        prefix: &CStr,
    ) -> Option<Borrowed<Namespace>>;
}

impl Node {
    /// Iterates over the attributes.
    pub(crate) fn attribute_list(&self) -> Successors<'_, Attribute> {
        Successors::new(self.first_attribute(), Attribute::next)
    }

    /// Returns the attribute with this name, written as `{uri}local`.
    pub(crate) fn attribute(&self, name: &CStr) -> Option<Borrowed<'_, Attribute>> {
        let mut attributes = self.attribute_list();
        attributes.find(|attribute| attribute.qualified_name().as_bytes() == name.to_bytes())
    }
}

/// Refuses a node that can have no attributes.
fn check_element(node: Borrowed<'_, Node>) -> Result<()> {
    match node.is_element() {
        true => Ok(()),
        false => Err(Error::Value(format!(
            "a node of the type {:?} has no attributes",
            node.type_name()
        ))),
    }
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Set the value of an attribute, as `attributes[name] = value` does.
    ///
    /// Raises ValueError for a name or a character that XML does not allow, and for a node that is not an element. A
    /// namespace that is not declared gets a prefix such as "ns0".
    fn set(&mut self, name: &CStr, value: &CStr) -> Result<()> {
        let (tree, node) = Tree::around(self)?;
        check_element(node)?;
        set(&tree, node, name, value)
    }
}

/// Sets the value of an attribute, which is made if it is not there.
pub(crate) fn set<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    written: &CStr,
    value: &CStr,
) -> Result<()> {
    valid::text(value, "the value of an attribute")?;
    let found = node.get().attribute(written);
    if let Some(attribute) = found.and_then(|attribute| attribute.get().as_node()) {
        return replace_content(tree, attribute, value);
    }
    let name = QualifiedName::parse(written, "the name of an attribute")?;
    let namespace = match &name.uri {
        None if name.local == c"xmlns" => {
            return Err(Error::Value(
                "\"xmlns\" declares a namespace, and is not an attribute".into(),
            ));
        }
        None => None,
        Some(uri) => Some(namespace_for(tree, node, uri)?),
    };
    let namespace = namespace.as_ref().map(|namespace| namespace.get());
    tree.edit(node)?.new_attribute(namespace, name.local, value)
}

/// Returns a namespace with a prefix, for an attribute of `node`. It is declared at `node` if it is not in scope.
pub(crate) fn namespace_for<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    uri: &CStr,
) -> Result<Borrowed<'t, Namespace>> {
    let missing = || Error::Value("the namespace cannot be declared".into());
    if uri == XMLNS {
        return Err(Error::Value(
            "the namespace of \"xmlns\" is that of declarations alone".into(),
        ));
    }
    if uri == XML {
        return node
            .get()
            .namespace_of_prefix(tree.owner(), c"xml")
            .ok_or_else(missing);
    }
    let mut prefixes: Vec<CString> = Vec::new();
    let mut above = Some(node);
    while let Some(element) = above {
        for namespace in Successors::new(element.get().declared(), Namespace::next) {
            let Some(prefix) = namespace.prefix_bytes() else {
                continue;
            };
            // A declaration of the same prefix further down hides this one.
            if prefixes.contains(&prefix) {
                continue;
            }
            if namespace.uri_bytes().as_deref() == Some(uri) {
                return Ok(namespace);
            }
            prefixes.try_reserve(1)?;
            prefixes.push(prefix);
        }
        above = element.get().parent();
    }
    let names = (0..).filter_map(|n: c_int| CString::new(format!("ns{n}")).ok());
    let mut free = names.filter(|prefix| !prefixes.contains(prefix));
    let prefix = free.next().ok_or_else(missing)?;
    tree.edit(node)?.declare(uri, Some(&prefix))?;
    let declared = Successors::new(node.get().declared(), Namespace::next);
    let mut declared =
        declared.filter(|namespace| namespace.prefix_bytes().as_deref() == Some(&*prefix));
    declared.next().ok_or_else(missing)
}

fn key_error(name: &CStr) -> Error {
    PyKeyError::new_err(name.to_string_lossy().into_owned()).into()
}

#[methods(unsafe)]
impl Attributes {
    fn __len__(&self) -> usize {
        self.list().count()
    }

    fn __contains__(&self, name: &CStr) -> bool {
        self.find(name).is_some()
    }

    fn __getitem__(&self, name: &CStr) -> Result<String> {
        self.find(name).ok_or_else(|| key_error(name))?.value()
    }

    /// Raises ValueError for a name or a character that XML does not allow. A namespace that is not declared gets a
    /// prefix such as "ns0".
    fn __setitem__(&mut self, name: &CStr, value: &CStr) -> Result<()> {
        let (tree, node) = Tree::around_owner_of(self)?;
        check_element(node)?;
        set(&tree, node, name, value)
    }

    fn __delitem__(&mut self, name: &CStr) -> Result<()> {
        let (tree, node) = Tree::around_owner_of(self)?;
        let found = node.get().attribute(name);
        match found.and_then(|attribute| attribute.get().as_node()) {
            Some(attribute) => remove(&tree, attribute),
            None => Err(key_error(name)),
        }
    }

    /// Iterates over the names, as they are now.
    fn __iter__(&self, py: Python<'_>) -> PyResult<Py<PyIterator>> {
        Ok(PyList::new(py, self.keys())?.try_iter()?.unbind())
    }

    fn __eq__(&self, py: Python<'_>, other: Bound<'_, PyAny>) -> PyResult<bool> {
        let mine = PyDict::new(py);
        for (name, value) in self.items()? {
            mine.set_item(name, value)?;
        }
        match other.cast::<PyMapping>() {
            Ok(other) => {
                let theirs = PyDict::new(py);
                theirs.update(other)?;
                mine.eq(theirs)
            }
            Err(_) => Ok(false),
        }
    }

    /// Return the names.
    fn keys(&self) -> Vec<String> {
        let names = self.list().map(|attribute| attribute.qualified_name());
        names.collect()
    }

    /// Return the values.
    fn values(&self) -> Result<Vec<String>> {
        gather(self.list().map(|attribute| attribute.value()))
    }

    /// Return the names with their values.
    fn items(&self) -> Result<Vec<(String, String)>> {
        let items = self
            .list()
            .map(|attribute| Ok((attribute.qualified_name(), attribute.value()?)));
        gather(items)
    }

    /// Return the value of an attribute, or `default`.
    #[pyo3(signature = (name, default = None))]
    fn get(&self, name: &CStr, default: Option<Py<PyAny>>) -> Result<Either> {
        self.value_or(name, default)
    }

    /// Remove an attribute, and return its value, or `default` if there is none. Without a default, raises KeyError.
    #[pyo3(signature = (name: "str", *default: "object"))]
    fn pop(&mut self, name: &CStr, default: Bound<'_, PyTuple>) -> Result<Either> {
        if default.len() > 1 {
            return Err(PyTypeError::new_err("pop takes one default").into());
        }
        let default = default.get_item(0).ok().map(Bound::unbind);
        if self.find(name).is_none() {
            return match default {
                Some(default) => Ok(Either::Default(Some(default))),
                None => Err(key_error(name)),
            };
        }
        let value = self.value_or(name, None)?;
        self.__delitem__(name)?;
        Ok(value)
    }

    /// Remove all attributes.
    fn clear(&mut self) -> Result<()> {
        let (tree, node) = Tree::around_owner_of(self)?;
        while let Some(attribute) = node.get().first_attribute() {
            let Some(attribute) = attribute.get().as_node() else {
                break;
            };
            remove(&tree, attribute)?;
        }
        Ok(())
    }

    #[rust_only]
    fn list(&self) -> Successors<'_, Attribute> {
        let first = self.node().and_then(|node| node.get().first_attribute());
        Successors::new(first, Attribute::next)
    }

    #[rust_only]
    fn find(&self, name: &CStr) -> Option<Borrowed<'_, Attribute>> {
        self.node()?.get().attribute(name)
    }

    #[rust_only]
    fn value_or(&self, name: &CStr, default: Option<Py<PyAny>>) -> Result<Either> {
        match self.find(name) {
            Some(found) => found.value().map(Either::Value),
            None => Ok(Either::Default(default)),
        }
    }
}
