//! The attributes of an element, as a mapping of values by name.

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyKeyError, PyTypeError, PyUnicodeEncodeError};
use leakproof::pyo3::types::{
    PyAnyMethods, PyDict, PyDictMethods, PyIterator, PyList, PyMapping, PyString, PyStringMethods,
    PyTuple, PyTupleMethods,
};
use leakproof::pyo3::{Bound, Py, PyAny, PyResult, Python};

use crate::change::{remove, replace_content};
use crate::create::{AttributeValues, XMLNS, within};
use crate::document::Document;
use crate::ffi;
use crate::ids::{self, is_in_table, is_in_tree};
use crate::moves::{Change, Place, begin, begin_owner_of, has_text_beside_text};
use crate::node::{Attribute, Either, Namespace, Node, gather};
use crate::reconcile::{declarations, nearest};
use crate::serialize::uris::note_uri;
use crate::undo::Former;
use crate::valid::{self, QualifiedName, XML};

/// The attributes of an element: a mapping of values by name. A name in a namespace is written "{uri}name".
///
/// The mapping shows the attributes as they are at present, and changes them. Default values that a DTD declares are
/// not included. Raises OverflowError as `Node.text` does.
#[handle(raw = ffi::xmlNode, part_of = Node, owner_field = self)]
pub(crate) struct Attributes;

#[methods(unsafe, rust_only)]
impl Attributes {
    #[field(self)]
    fn element(&self) -> Option<Borrowed<Node>>;
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
    ) -> Result<Borrowed<Attribute>>;

    /// Looks for an attribute, or the declaration of one that has a default value.
    #[calls(ffi::xmlHasNsProp, pure)]
    fn declared_attribute(&self, name: &CStr, uri: Option<&CStr>) -> Option<Borrowed<Attribute>>;

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
        let (uri, local) = valid::split(name);
        let found = match uri.filter(|uri| !uri.is_empty()) {
            None => self.declared_attribute(local, None),
            Some(uri) => self.declared_attribute(local, Some(&CString::new(uri).ok()?)),
        };
        found.filter(|found| found.is_attribute())
    }
}

/// Refuses a node that can have no attributes.
pub(crate) fn check_element(node: Borrowed<'_, Node>) -> Result<()> {
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
    ///
    /// The value is set as it is, also where the DTD declares a type other than CDATA. A parser reads the values of
    /// such attributes without the spaces at their ends, and with one space between words.
    fn set(&mut self, name: &CStr, value: &CStr) -> Result<()> {
        let (tree, node) = begin(self)?;
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
    let name = new_name(written)?;
    Change::run(tree, &[], false, |change| {
        make(tree, change, node, &name, value)
    })
}

/// The error for an attribute with the name of a declaration.
pub(crate) fn declares() -> Error {
    Error::Value("\"xmlns\" declares a namespace, and is not an attribute".into())
}

/// Checks the name of an attribute that is not there yet.
fn new_name(written: &CStr) -> Result<QualifiedName<'_>> {
    let name = QualifiedName::parse(written, "the name of an attribute")?;
    match &name.uri {
        None if name.local == c"xmlns" => Err(declares()),
        Some(uri) if **uri == *XMLNS => Err(Error::Value(
            "the namespace of \"xmlns\" is that of declarations alone".into(),
        )),
        _ => Ok(name),
    }
}

/// Makes an attribute that is not there yet. Nothing can fail behind the declaration of a namespace, which cannot be
/// taken back.
fn make<'t>(
    tree: &Tree<'t, Document>,
    change: &mut Change<'_, 't>,
    node: Borrowed<'t, Node>,
    name: &QualifiedName<'_>,
    value: &CStr,
) -> Result<()> {
    let found = match &name.uri {
        Some(uri) => Some((uri, find_namespace(tree, node, uri)?)),
        None => None,
    };
    let namespace = match &found {
        Some((_, Found::There(namespace))) => Some(namespace.get()),
        _ => None,
    };
    change.note(node, Former::last_attribute_of(node))?;
    let made = {
        let mut element = tree.edit(node)?;
        let made = element.new_attribute(namespace, name.local, value)?;
        let made = made.get().as_node().ok_or(Error::Failed("xmlNewNsProp"))?;
        within(tree, made)?
    };
    if let Some((uri, Found::Missing(prefix))) = &found {
        ids::forget_all(tree, made)?;
        let namespace = declare(tree, node, uri, prefix)?;
        tree.edit(made)?.set_ns(Some(namespace.get()));
    }
    // libxml2 has entered an ID, also of an element that is in no tree.
    match made.as_id() {
        Some(attribute) if !is_in_table(attribute) => ids::add_new(tree, node, attribute),
        Some(attribute) if !is_in_tree(node) => ids::forget(tree, attribute),
        _ => Ok(()),
    }
}

/// A namespace with a prefix, for an attribute.
enum Found<'t> {
    There(Borrowed<'t, Namespace>),
    /// The namespace is not in scope, and can be declared with this prefix.
    Missing(CString),
}

/// Looks for a namespace with a prefix, for an attribute of `node`.
fn find_namespace<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    uri: &CStr,
) -> Result<Found<'t>> {
    let missing = || Error::Value("the namespace cannot be declared".into());
    if uri == XMLNS {
        return Err(Error::Value(
            "the namespace of \"xmlns\" is that of declarations alone".into(),
        ));
    }
    if uri == XML {
        let namespace = node.get().namespace_of_prefix(tree.owner(), c"xml");
        return namespace.map(Found::There).ok_or_else(missing);
    }
    if let Some(namespace) = nearest(node, uri, true) {
        return Ok(Found::There(namespace));
    }
    let prefix = CString::new(format!("ns{}", free_number(node)?));
    prefix.map(Found::Missing).map_err(|_| missing())
}

/// Returns the first number that no prefix "ns0", "ns1" … has that is declared at `node` or above it.
fn free_number(node: Borrowed<'_, Node>) -> Result<usize> {
    let numbers = declarations(node).filter_map(|namespace| {
        let prefix = namespace.prefix_in_place()?;
        prefix.begins_with(c"ns").then_some(())?;
        namespace
            .prefix()?
            .strip_prefix("ns")?
            .parse::<usize>()
            .ok()
    });
    let mut numbers = gather(numbers.map(Ok))?;
    numbers.sort_unstable();
    let first = numbers
        .into_iter()
        .fold(0, |first, number| first + usize::from(number == first));
    Ok(first)
}

/// Declares a namespace with a prefix at `node`.
fn declare<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    uri: &CStr,
    prefix: &CStr,
) -> Result<Borrowed<'t, Namespace>> {
    note_uri(tree.owner(), uri);
    tree.edit(node)?.declare(uri, Some(prefix))?;
    let mut declared = Successors::new(node.get().declared(), Namespace::next);
    let made = declared.find(|namespace| namespace.has_prefix(Some(prefix)));
    made.ok_or(Error::Failed("xmlNewNs"))
}

/// Returns a namespace with a prefix, for an attribute of `node`. It is declared at `node` if it is not in scope.
pub(crate) fn namespace_for<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    uri: &CStr,
) -> Result<Borrowed<'t, Namespace>> {
    match find_namespace(tree, node, uri)? {
        Found::There(namespace) => Ok(namespace),
        Found::Missing(prefix) => declare(tree, node, uri, &prefix),
    }
}

/// A value that an attribute gets: the attribute with its former parts and the new text, or the name of a new one.
enum Step<'t, 'w> {
    Replace(
        Borrowed<'t, Node>,
        Vec<Borrowed<'t, Node>>,
        Option<Borrowed<'t, Node>>,
    ),
    Make(QualifiedName<'w>, &'w CStr),
}

/// Sets the values of several attributes: all, or none. No name is in `pairs` twice.
fn set_all<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'t, Node>,
    pairs: &[(CString, CString)],
) -> Result<()> {
    for (name, value) in pairs {
        valid::text(value, "the value of an attribute")?;
        if node.get().attribute(name).is_none() {
            new_name(name)?;
        }
    }
    let steps = gather(pairs.iter().map(|(name, value)| {
        let found = node.get().attribute(name);
        let Some(attribute) = found.and_then(|attribute| attribute.get().as_node()) else {
            return Ok(Step::Make(new_name(name)?, value.as_c_str()));
        };
        let former = gather(attribute.get().steps().map(Ok))?;
        let made = match value.is_empty() {
            true => None,
            false => Some(within(tree, tree.edit_owner().new_text(value)?)?),
        };
        Ok(Step::Replace(attribute, former, made))
    }))?;
    let moved = gather(steps.iter().flat_map(|step| match step {
        Step::Replace(_, former, made) => former.iter().chain(made).copied().map(Ok).collect(),
        Step::Make(..) => Vec::new(),
    }))?;
    let mut changing = Vec::new();
    changing.try_reserve(steps.len())?;
    let run = Change::run(tree, &moved, has_text_beside_text(&moved), |change| {
        for step in &steps {
            match step {
                Step::Make(name, value) => make(tree, change, node, name, value)?,
                Step::Replace(attribute, former, made) => {
                    changing.push(ids::Changing::of(tree, *attribute)?);
                    former.iter().try_for_each(|part| change.take_out(*part))?;
                    let (parent, next) = (*attribute, None);
                    made.iter()
                        .try_for_each(|made| change.move_to(*made, Place { parent, next }))?;
                }
            }
        }
        Ok(())
    });
    changing
        .into_iter()
        .try_fold((), |(), attribute| attribute.end(tree))
        .and(run)
}

fn key_error(name: &CStr) -> Error {
    PyKeyError::new_err(name.to_string_lossy().into_owned()).into()
}

#[methods(unsafe)]
impl Attributes {
    fn __len__(&self) -> usize {
        self.list().count()
    }

    /// What is no name is in no element, as with a dict.
    fn __contains__(&self, name: Bound<'_, PyAny>) -> Result<bool> {
        let Ok(text) = name.cast::<PyString>() else {
            name.hash()?;
            return Ok(false);
        };
        let text = match text.to_str() {
            Ok(text) => text,
            Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(name.py()) => {
                return Ok(false);
            }
            Err(error) => return Err(error.into()),
        };
        Ok(CString::new(text).is_ok_and(|name| self.find(&name).is_some()))
    }

    fn __getitem__<'py>(&self, py: Python<'py>, name: &CStr) -> Result<Bound<'py, PyString>> {
        let found = self.find(name).ok_or_else(|| key_error(name))?;
        found.value_object(py)
    }

    /// Raises ValueError for a name or a character that XML does not allow. A namespace that is not declared gets a
    /// prefix such as "ns0".
    fn __setitem__(&mut self, name: &CStr, value: &CStr) -> Result<()> {
        let (tree, node) = begin_owner_of(self)?;
        check_element(node)?;
        set(&tree, node, name, value)
    }

    fn __delitem__(&mut self, name: &CStr) -> Result<()> {
        let (tree, node) = begin_owner_of(self)?;
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
    fn get<'py>(
        &self,
        py: Python<'py>,
        name: &CStr,
        default: Option<Py<PyAny>>,
    ) -> Result<Either<'py>> {
        self.value_or(py, name, default)
    }

    /// Remove an attribute, and return its value, or `default` if there is none. Without a default, raises KeyError.
    #[pyo3(signature = (name: "str", *default: "object"))]
    fn pop<'py>(
        &mut self,
        py: Python<'py>,
        name: &CStr,
        default: Bound<'_, PyTuple>,
    ) -> Result<Either<'py>> {
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
        let value = self.value_or(py, name, None)?;
        self.__delitem__(name)?;
        Ok(value)
    }

    /// Remove all attributes.
    fn clear(&mut self) -> Result<()> {
        let (tree, node) = begin_owner_of(self)?;
        let attributes = node.get().attribute_list();
        let attributes = gather(attributes.filter_map(|it| it.get().as_node()).map(Ok))?;
        Change::run(&tree, &attributes, false, |change| {
            attributes
                .iter()
                .try_for_each(|attribute| change.take_out(*attribute))
        })
    }

    /// Set the values of several attributes: of a mapping or of pairs, and of keyword arguments. All are set, or none.
    #[pyo3(signature = (*other: "abc.Mapping[str, str] | abc.Iterable[tuple[str, str]]", **values: "str"))]
    fn update(
        &mut self,
        other: Bound<'_, PyTuple>,
        values: Option<Bound<'_, PyDict>>,
    ) -> Result<()> {
        let all = other
            .py()
            .get_type::<PyDict>()
            .call(other, values.as_ref())?;
        let pairs = AttributeValues::read(&all).get()?;
        let (tree, node) = begin_owner_of(self)?;
        check_element(node)?;
        set_all(&tree, node, &pairs)
    }

    /// Return the value of an attribute. If there is none, it is made with the value `default`.
    fn setdefault<'py>(
        &mut self,
        py: Python<'py>,
        name: &CStr,
        default: &CStr,
    ) -> Result<Bound<'py, PyString>> {
        if let Some(found) = self.find(name) {
            return found.value_object(py);
        }
        self.__setitem__(name, default)?;
        self.__getitem__(py, name)
    }

    /// Remove the last attribute, and return its name and its value. Raises KeyError if there is none.
    fn popitem(&mut self) -> Result<(String, String)> {
        let (tree, node) = begin_owner_of(self)?;
        let last = node.get().attribute_list().last();
        let Some((last, attribute)) = last.and_then(|last| Some((last, last.get().as_node()?)))
        else {
            return Err(PyKeyError::new_err("the element has no attributes").into());
        };
        let item = (last.qualified_name(), last.value()?);
        remove(&tree, attribute)?;
        Ok(item)
    }

    /// Return the attribute with this name as a node, or None.
    fn node(&self, name: &CStr) -> Option<Borrowed<'_, Node>> {
        self.find(name)?.get().as_node()
    }

    /// Return the attributes as nodes.
    fn nodes(&self) -> Result<Vec<Borrowed<'_, Node>>> {
        gather(self.list().filter_map(|it| it.get().as_node()).map(Ok))
    }

    #[rust_only]
    fn list(&self) -> Successors<'_, Attribute> {
        let first = self.element().and_then(|node| node.get().first_attribute());
        Successors::new(first, Attribute::next)
    }

    #[rust_only]
    fn find(&self, name: &CStr) -> Option<Borrowed<'_, Attribute>> {
        self.element()?.get().attribute(name)
    }

    #[rust_only]
    fn value_or<'py>(
        &self,
        py: Python<'py>,
        name: &CStr,
        default: Option<Py<PyAny>>,
    ) -> Result<Either<'py>> {
        match self.find(name) {
            Some(found) => found.value_object(py).map(Either::Value),
            None => Ok(Either::Default(default)),
        }
    }
}
