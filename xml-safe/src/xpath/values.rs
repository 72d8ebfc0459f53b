//! Values: XPath's to Python, and Python's to XPath.

use std::sync::atomic::{AtomicU64, Ordering};

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::prelude::{
    Bound, Py, PyAny, PyAnyMethods, PyDictMethods, PyStringMethods, PyTypeMethods,
};
use leakproof::pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PySequence, PyString,
};
use leakproof::{IdleHandles, Reusable, with_handle};

use crate::document::{Document, DocumentClass};
use crate::errors::TreeErrors;
use crate::ffi;
use crate::node::{Namespace, Node, NodeClass, gather};
use crate::xpath::context::{XPathContext, check_node};
use crate::xpath::functions::Evaluation;
use crate::xpath::options::Key;

/// A value of XPath: the result of an evaluation, a variable, or an argument of a function. It owns its namespace
/// nodes; all other nodes belong to the document.
#[handle(
    raw = ffi::xmlXPathObject,
    release = ffi::xmlXPathFreeObject,
    parent = Document
)]
pub(crate) struct XPathObject;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl XPathObject {
    #[field(type_)]
    fn type_number(&self) -> u32;

    /// Returns `true` for a node set, which some operations need.
    pub(crate) fn is_node_set(&self) -> bool {
        [ffi::XPATH_NODESET, ffi::XPATH_XSLT_TREE].contains(&self.type_number())
    }

    #[field(nodesetval, when(type_, ffi::XPATH_NODESET | ffi::XPATH_XSLT_TREE))]
    fn node_set(&self) -> Option<Borrowed<NodeSet>>;

    #[field(boolval)]
    fn boolean(&self) -> bool;

    #[field(floatval)]
    fn number(&self) -> f64;

    #[field(stringval, when(type_, ffi::XPATH_STRING))]
    fn string(&self) -> Option<String>;

    pub(crate) fn value_in<'d>(&self, document: &'d Document) -> Result<XPathValue<'d>> {
        Ok(match self.type_number() {
            ffi::XPATH_NODESET | ffi::XPATH_XSLT_TREE => XPathValue::Nodes(self.items(document)?),
            ffi::XPATH_BOOLEAN => XPathValue::Boolean(self.boolean()),
            ffi::XPATH_NUMBER => XPathValue::Number(self.number()),
            ffi::XPATH_STRING => XPathValue::String(self.string().unwrap_or_default()),
            other => {
                return Err(Error::Value(format!(
                    "libxml2 gave a result of the unknown type {other}"
                )));
            }
        })
    }

    fn members(&self) -> Vec<Borrowed<'_, Member>> {
        let set = self.node_set();
        set.map(|set| set.get().members()).unwrap_or_default()
    }

    fn items<'d>(&self, document: &'d Document) -> Result<Vec<XPathItem<'d>>> {
        let members = self.members().into_iter();
        let items = members.map(|member| member.get().item(document));
        gather(items.filter_map(Result::transpose))
    }

    /// Checks the nodes of the value, which belong to a document.
    pub(crate) fn check_nodes(&self) -> Result<()> {
        let members = self.members().into_iter();
        let nodes = members.filter(|member| member.as_namespace().is_none());
        nodes
            .filter_map(|member| member.get().as_node())
            .try_for_each(|node| check_node(&node))
    }
}

/// A value that C takes over: a variable's, or the result of a function.
///
/// The nodes of the value belong to a document, which ends later than what C keeps the value in. The type has no parent
/// all the same: otherwise each call of the package would look whether C keeps such values in its handles. So no value
/// of the type leaves this module, and each goes to C right after it was made, while the document is in use.
#[handle(raw = ffi::xmlXPathObject, release = ffi::xmlXPathFreeObject)]
struct PassedValue;

/// The node set of a value.
#[handle(
    raw = ffi::xmlNodeSet,
    part_of = XPathObject,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError)
)]
pub(crate) struct NodeSet;

#[methods(unsafe, rust_only)]
impl NodeSet {
    #[field(nodeTab, len = nodeNr)]
    fn members(&self) -> Vec<Borrowed<Member>>;

    /// Adds a node that is not in the set. Takes `&NodeSet`, because the set is borrowed from its value: who calls this
    /// uses the value exclusively.
    #[calls(ffi::xmlXPathNodeSetAddUnique, fails = nonzero)]
    fn add(set: &NodeSet, node: &Node) -> Result<()>;

    /// Puts the nodes into document order. Takes `&NodeSet` as `add` does.
    #[calls(ffi::xmlXPathNodeSetSort)]
    fn sort(set: &NodeSet);
}

/// A member of a node set: a node of the document, or a namespace that the value owns. The type distinguishes them.
#[handle(raw = ffi::xmlNode, part_of = XPathObject)]
pub(crate) struct Member;

#[methods(unsafe, rust_only)]
impl Member {
    #[field(self, when(type_, ffi::XML_NAMESPACE_DECL))]
    fn as_namespace(&self) -> Option<Borrowed<Namespace>>;

    #[field(self)]
    fn as_node(&self) -> Option<Borrowed<Node>>;

    /// Returns the member for Python; `None` for what stands in for a document
    /// ([`Above`](crate::xpath::evaluate::Above)).
    fn item<'d>(&self, document: &'d Document) -> Result<Option<XPathItem<'d>>> {
        if let Some(namespace) = self.as_namespace() {
            let uri = namespace.href().unwrap_or_default();
            let namespace = Box::new((namespace.prefix(), uri));
            return Ok(Some(XPathItem::Namespace(namespace)));
        }
        let node = self.as_node();
        match node.and_then(|node| node.with_owner(document)) {
            Some(node) => Ok(Some(XPathItem::Node(node))),
            None if node.is_some_and(|node| node.is_document()) => Ok(None),
            None => Err(Error::Value(
                "libxml2 gave a node of another document".into(),
            )),
        }
    }
}

/// The value of an XPath expression.
#[derive(IntoPython)]
pub(crate) enum XPathValue<'d> {
    Nodes(Vec<XPathItem<'d>>),
    String(String),
    Number(f64),
    Boolean(bool),
}

/// A member of the list that a node set becomes.
#[derive(IntoPython)]
pub(crate) enum XPathItem<'d> {
    Node(Borrowed<'d, Node>),
    /// The prefix and the URI. There are few, and a list has many items.
    Namespace(Box<(Option<String>, String)>),
}

// Values that C makes

#[methods(unsafe, rust_only)]
impl crate::document::Document {
    #[calls(ffi::xmlXPathNewString, args = (text), fails = null)]
    fn new_string(&self, text: &CStr) -> Result<Owned<PassedValue>>;

    #[calls(ffi::xmlXPathNewFloat, args = (number), fails = null)]
    fn new_number(&self, number: f64) -> Result<Owned<PassedValue>>;

    #[calls(ffi::xmlXPathNewBoolean, args = (truth), fails = null)]
    fn new_boolean(&self, truth: bool) -> Result<Owned<PassedValue>>;

    #[calls(ffi::xmlXPathNewNodeSet, args = (null), fails = null)]
    fn new_node_set(&self) -> Result<Owned<XPathObject>>;

    #[calls(ffi::xmlXPathObjectCopy, args = (value), fails = null)]
    fn copy_of(&self, value: &XPathObject) -> Result<Owned<XPathObject>>;

    #[calls(ffi::xmlXPathObjectCopy, args = (value), fails = null)]
    fn passed_copy_of(&self, value: &XPathObject) -> Result<Owned<PassedValue>>;
}

#[methods(unsafe, rust_only)]
impl crate::xpath::context::XPathContext {
    /// Takes `&XPathContext`, because the document of a context is borrowed from it: who calls this uses the context
    /// exclusively. Has no receiver: a receiver would be remembered as the place of what C has freed in the meantime.
    #[calls(ffi::xmlXPathRegisterVariableNS, fails = nonzero, consumes = on_success)]
    fn take_variable(
        context: &XPathContext,
        name: &CStr,
        uri: Option<&CStr>,
        value: Owned<PassedValue>,
    ) -> Result<()>;

    /// Gives the context the value of a variable.
    pub(crate) fn bind_variable(
        &self,
        document: &Document,
        key: &Key,
        value: &Bound<'_, PyAny>,
    ) -> Result<()> {
        let value = passed_value_of(document, value, || format!("the variable {key}"))?;
        XPathContext::take_variable(self, &key.local, key.uri.as_deref(), value)
    }

    /// Gives another context a variable of this one.
    pub(crate) fn copy_variable(
        &self,
        other: &XPathContext,
        document: &Document,
        name: &CStr,
        uri: Option<&CStr>,
    ) -> Result<()> {
        let Some(value) = self.variable(name, uri) else {
            return Ok(());
        };
        let value = document.passed_copy_of(&value)?;
        XPathContext::take_variable(other, name, uri, value)
    }
}

#[cfg(frees_unpushed)]
#[methods(unsafe, rust_only)]
impl crate::xpath::functions::Evaluation {
    #[calls(ffi::valuePush, fails = negative, consumes = always)]
    fn push(evaluation: &Evaluation, value: Owned<PassedValue>) -> Result<()>;
}

#[cfg(not(frees_unpushed))]
#[methods(unsafe, rust_only)]
impl crate::xpath::functions::Evaluation {
    #[calls(ffi::valuePush, fails = negative, consumes = on_success)]
    fn push(evaluation: &Evaluation, value: Owned<PassedValue>) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl crate::xpath::functions::Evaluation {
    /// Gives libxml2 the result of a function.
    pub(crate) fn return_value(
        &self,
        document: &Document,
        value: &Bound<'_, PyAny>,
        what: impl Fn() -> String,
    ) -> Result<()> {
        Evaluation::push(self, passed_value_of(document, value, what)?)
    }
}

/// Hands values over between this module and methods that Python calls: only these convert nodes.
#[methods(unsafe)]
impl crate::document::Document {
    /// Return the value that was kept under this key.
    fn _take(&self, key: u64) -> Result<Option<XPathValue<'_>>> {
        let kept = IdleHandles::of(self).take::<XPathObject>(&key.to_ne_bytes());
        kept.map(|value| value.value_in(self)).transpose()
    }
}

impl Reusable for XPathObject {
    /// A value is taken at once. So many threads and nested calls may hand values over at the same time.
    const AT_MOST: usize = 10_000;

    fn reset(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The number of attempts to hand a value over. The document does not keep it where another thread has the list of idle
/// handles, without a GIL, and where the runtime knows another handle of C's at the same address. So each failed
/// attempt leaves a value at its address until another one is handed over.
const ATTEMPTS: usize = 1000;

/// Returns a key that nothing else uses.
fn new_key() -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    LAST.fetch_add(1, Ordering::Relaxed)
}

/// Converts a value to a Python object, by the method `_take` of the document's Python object.
pub(crate) fn object_into_python(
    value: &XPathObject,
    document: &Document,
    take: &Callable,
) -> Result<Py<PyAny>> {
    let idle = IdleHandles::of(document);
    let mut failed = Vec::new();
    for _ in 0..ATTEMPTS {
        let key = new_key();
        idle.keep(&key.to_ne_bytes(), document.copy_of(value)?);
        let found = take.call((key,));
        if !matches!(found, Ok(Some(_))) {
            // The value refers to nodes, which may leave the tree after this evaluation.
            drop(idle.take::<XPathObject>(&key.to_ne_bytes()));
        }
        if let Some(found) = found? {
            return Ok(found);
        }
        failed.try_reserve(1)?;
        failed.push(document.copy_of(value)?);
    }
    Err(Error::OutOfMemory("a value for Python"))
}

/// Converts a Python object to a value of `document`. `what` names the object in errors.
fn passed_value_of(
    document: &Document,
    value: &Bound<'_, PyAny>,
    what: impl Fn() -> String,
) -> Result<Owned<'static, PassedValue>> {
    if let Ok(truth) = value.cast::<PyBool>() {
        return document.new_boolean(truth.is_truthy()?);
    }
    if value.is_instance_of::<PyFloat>() || value.is_instance_of::<PyInt>() {
        return document.new_number(value.extract()?);
    }
    if let Ok(text) = value.cast::<PyString>() {
        return document.new_string(&c_string(text, what)?);
    }
    if value.is_instance_of::<NodeClass>() {
        return document.passed_copy_of(&*node_set_of(document, vec![value.clone()], what)?);
    }
    if value.is_instance_of::<DocumentClass>() {
        let nodes = value.call_method1("xpathEval", ("/",))?;
        return passed_value_of(document, &nodes, what);
    }
    let is_bytes = value.is_instance_of::<PyBytes>() || value.is_instance_of::<PyByteArray>();
    if !is_bytes && value.cast::<PySequence>().is_ok() {
        let mut nodes = Vec::new();
        for item in value.try_iter()? {
            nodes.try_reserve(1)?;
            nodes.push(item?);
        }
        return document.passed_copy_of(&*node_set_of(document, nodes, what)?);
    }
    let class = value.get_type().qualname()?;
    let what = what();
    Err(PyTypeError::new_err(format!(
        "{what} is a {class}: a str, a number, a bool, a node or a list of nodes is expected"
    ))
    .into())
}

/// Returns the text for C.
pub(crate) fn c_string(text: &Bound<'_, PyString>, what: impl Fn() -> String) -> Result<CString> {
    let text = text.to_cow()?;
    CString::new(&*text).map_err(|_| {
        let what = what();
        Error::Value(format!("{what} contains a NUL"))
    })
}

/// Makes a node set of Python's nodes, in document order.
fn node_set_of<'d>(
    document: &'d Document,
    nodes: Vec<Bound<'_, PyAny>>,
    what: impl Fn() -> String,
) -> Result<Owned<'d, XPathObject>> {
    let Some(first) = nodes.first() else {
        return document.new_node_set();
    };
    let unique = PyDict::new(first.py());
    for node in &nodes {
        if !node.is_instance_of::<NodeClass>() {
            let class = node.get_type().qualname()?;
            let what = what();
            return Err(PyTypeError::new_err(format!(
                "{what} contains a {class}: only nodes are expected in a list"
            ))
            .into());
        }
        unique.set_item(node, ())?;
    }
    let value = document.new_node_set()?;
    let set = value.node_set().ok_or_else(|| another_document(&what))?;
    for node in unique.keys() {
        let added = with_handle(&node, |node: &Node| match node.owner() {
            Some(owner) if owner == Borrowed::from(document) => {
                check_node(node)?;
                NodeSet::add(&set, node)
            }
            _ => Err(another_document(&what)),
        });
        added??;
    }
    NodeSet::sort(&set);
    Ok(value)
}

fn another_document(what: impl Fn() -> String) -> Error {
    let what = what();
    Error::Value(format!("{what} is or contains a node of another document"))
}
