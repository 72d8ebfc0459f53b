//! Nodes of all types, and the structs of elements: attributes and namespaces.
//!
//! libxml2 has a C struct for each type of node. All begin with the same fields, up to `doc`. Later fields are read
//! only if the node's type has them.

use std::ffi::{c_int, c_long};

use leakproof::prelude::*;
use leakproof::pyo3::types::PyString;
use leakproof::pyo3::{Bound, Python};

use crate::attributes::Attributes;
use crate::children::Children;
use crate::document::Document;
use crate::errors::TreeErrors;
use crate::ffi;
use crate::numbers::Count;
use crate::references::may_have_references;
use crate::text;
use crate::xpath::evaluate::{Answer, Arguments};
use crate::xpath::options::Limits;

/// A node of a document, of any type. The node keeps its document alive, and can't be used after the document was
/// closed.
///
/// Two nodes are equal if they are the same node of the same document. Iterating over a node gives the elements in it.
#[handle(
    raw = ffi::xmlNode,
    part_of = Document,
    owner_field = doc,
    tree(
        parent = parent,
        children(children, when(type_, ffi::XML_ELEMENT_NODE | ffi::XML_ATTRIBUTE_NODE | ffi::XML_DOCUMENT_FRAG_NODE
            | ffi::XML_DTD_NODE | ffi::XML_ENTITY_DECL)),
        children(properties, when(type_, ffi::XML_ELEMENT_NODE)),
        next = next,
        object = _private,
        release = ffi::xmlFreeNode
    ),
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    thread_locals(ffi::__xmlRegisterNodeDefaultValue = None, ffi::__xmlDeregisterNodeDefaultValue = None)
)]
pub(crate) struct Node;

/// A namespace declaration.
#[handle(raw = ffi::xmlNs, part_of = Document)]
pub(crate) struct Namespace;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl Namespace {
    /// The prefix; `None` for the default namespace.
    #[field(prefix)]
    pub(crate) fn prefix(&self) -> Option<String>;

    #[field(href)]
    pub(crate) fn href(&self) -> Option<String>;

    #[field(prefix)]
    pub(crate) fn prefix_bytes(&self) -> Option<CString>;

    #[field(href)]
    pub(crate) fn uri_bytes(&self) -> Option<CString>;

    #[field(next)]
    pub(crate) fn next(&self) -> Option<Borrowed<Namespace>>;

    #[field(prefix)]
    pub(crate) fn prefix_in_place(&self) -> Option<Borrowed<Chars>>;

    #[field(href)]
    fn uri_in_place(&self) -> Option<Borrowed<Chars>>;

    /// Returns `true` for a declaration of the default namespace.
    pub(crate) fn has_no_prefix(&self) -> bool {
        self.prefix_in_place().is_none()
    }

    pub(crate) fn has_prefix(&self, prefix: Option<&CStr>) -> bool {
        match (self.prefix_in_place(), prefix) {
            (Some(own), Some(prefix)) => own.equals(prefix) != 0,
            (own, prefix) => own.is_none() && prefix.is_none(),
        }
    }

    pub(crate) fn shares_prefix(&self, other: &Namespace) -> bool {
        match (self.prefix_in_place(), other.prefix_in_place()) {
            (Some(own), Some(other)) => own.same(other.get()) != 0,
            (own, other) => own.is_none() && other.is_none(),
        }
    }

    pub(crate) fn shares_uri(&self, other: &Namespace) -> bool {
        match (self.uri_in_place(), other.uri_in_place()) {
            (Some(own), Some(other)) => own.same(other.get()) != 0,
            (own, other) => own.is_none() && other.is_none(),
        }
    }

    /// Returns `true` for a declaration of this namespace.
    pub(crate) fn stands_for(&self, uri: &CStr) -> bool {
        self.uri_in_place().is_some_and(|own| own.equals(uri) != 0)
    }

    /// Returns `false` for the declaration that there is no default namespace.
    pub(crate) fn has_uri(&self) -> bool {
        self.uri_in_place().is_some() && !self.stands_for(c"")
    }
}

/// Text in libxml2's memory, which is compared without a copy.
#[handle(raw = ffi::xmlChar, part_of = Document)]
pub(crate) struct Chars;

#[methods(unsafe, rust_only)]
impl Chars {
    #[calls(ffi::xmlStrEqual, pure)]
    fn equals(&self, other: &CStr) -> c_int;

    #[calls(ffi::xmlStrEqual, pure)]
    fn same(&self, other: &Chars) -> c_int;

    /// 0 for text that begins with `start`, of this length.
    #[calls(ffi::xmlStrncmp, pure)]
    fn compare_start(&self, start: &CStr, length: c_int) -> c_int;

    pub(crate) fn begins_with(&self, start: &CStr) -> bool {
        let length = c_int::try_from(start.count_bytes()).unwrap_or(c_int::MAX);
        self.compare_start(start, length) == 0
    }
}

/// An attribute, as a struct of its own.
#[handle(raw = ffi::xmlAttr, part_of = Document)]
pub(crate) struct Attribute;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl Attribute {
    #[field(name)]
    pub(crate) fn name(&self) -> Option<String>;

    #[field(type_)]
    fn type_number(&self) -> u32;

    /// Returns `false` for the declaration of an attribute.
    pub(crate) fn is_attribute(&self) -> bool {
        self.type_number() == ffi::XML_ATTRIBUTE_NODE
    }

    #[field(ns)]
    pub(crate) fn namespace(&self) -> Option<Borrowed<Namespace>>;

    #[field(next)]
    pub(crate) fn next(&self) -> Option<Borrowed<Attribute>>;

    #[field(self)]
    pub(crate) fn as_node(&self) -> Option<Borrowed<Node>>;

    #[field(children)]
    fn first_child(&self) -> Option<Borrowed<Node>>;

    pub(crate) fn value(&self) -> Result<String> {
        match self.first_child().and_then(only_text) {
            Some(text) => Ok(text),
            None => self
                .as_node()
                .map_or_else(|| Ok(String::new()), |node| node.content()),
        }
    }

    /// The value, as Python gets it.
    pub(crate) fn value_object<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyString>> {
        let text = self.first_child().map(|first| only_object(first, py));
        match text.transpose()?.flatten() {
            Some(text) => Ok(text),
            None => Ok(PyString::from_bytes(py, self.value()?.as_bytes())?),
        }
    }

    /// The name as `{uri}local`, or `local` without a namespace.
    pub(crate) fn qualified_name(&self) -> String {
        let name = self.name().unwrap_or_default();
        match self.namespace().and_then(|namespace| namespace.href()) {
            Some(uri) => format!("{{{uri}}}{name}"),
            None => name,
        }
    }
}

#[methods(unsafe, utf8 = lossy)]
impl Node {
    #[rust_only]
    #[field(type_)]
    pub(crate) fn type_number(&self) -> u32;

    /// The type: "element", "attribute", "text", "cdata", "entity_ref", "pi", "comment", "document", "dtd" …
    #[getter]
    #[pyo3(name = "type")]
    pub(crate) fn type_name(&self) -> &'static str {
        match self.type_number() {
            ffi::XML_ELEMENT_NODE => "element",
            ffi::XML_ATTRIBUTE_NODE => "attribute",
            ffi::XML_TEXT_NODE => "text",
            ffi::XML_CDATA_SECTION_NODE => "cdata",
            ffi::XML_ENTITY_REF_NODE => "entity_ref",
            ffi::XML_ENTITY_NODE => "entity",
            ffi::XML_PI_NODE => "pi",
            ffi::XML_COMMENT_NODE => "comment",
            ffi::XML_DOCUMENT_NODE => "document",
            ffi::XML_DOCUMENT_TYPE_NODE => "document_type",
            ffi::XML_DOCUMENT_FRAG_NODE => "document_fragment",
            ffi::XML_NOTATION_NODE => "notation",
            ffi::XML_HTML_DOCUMENT_NODE => "html_document",
            ffi::XML_DTD_NODE => "dtd",
            ffi::XML_ELEMENT_DECL => "element_decl",
            ffi::XML_ATTRIBUTE_DECL => "attribute_decl",
            ffi::XML_ENTITY_DECL => "entity_decl",
            ffi::XML_NAMESPACE_DECL => "namespace_decl",
            ffi::XML_XINCLUDE_START => "xinclude_start",
            ffi::XML_XINCLUDE_END => "xinclude_end",
            _ => "unknown",
        }
    }

    /// The local name of an element or attribute, or the target of a processing instruction. "text" or "comment" for a
    /// text or a comment. None for a node without a name.
    #[getter]
    #[field(name, interned)]
    pub(crate) fn name(&self) -> Option<String>;

    #[rust_only]
    #[calls(ffi::xmlNodeGetContent, free = ffi::xmlFree.expect("libxml2 always has one"), fails = sticky)]
    fn read_content(&self) -> Result<Option<String>>;

    /// Returns `true` for a node whose content is never NULL in libxml2.
    #[rust_only]
    fn has_content(&self) -> bool {
        self.is_element() || self.type_number() == ffi::XML_ATTRIBUTE_NODE
    }

    /// The text of a text node, a comment or a processing instruction.
    #[rust_only]
    #[field(content, when(type_, ffi::XML_TEXT_NODE | ffi::XML_CDATA_SECTION_NODE | ffi::XML_COMMENT_NODE | ffi::XML_PI_NODE))]
    pub(crate) fn own_text(&self) -> Option<String>;

    #[rust_only]
    #[field(content, when(type_, ffi::XML_TEXT_NODE | ffi::XML_CDATA_SECTION_NODE))]
    fn character_data(&self) -> Option<String>;

    #[rust_only]
    #[field(content, when(type_, ffi::XML_TEXT_NODE | ffi::XML_CDATA_SECTION_NODE))]
    fn character_object<'py>(&self, py: Python<'py>) -> Result<Option<Bound<'py, PyString>>>;

    /// The name of the entity that a reference refers to.
    #[rust_only]
    #[field(name, when(type_, ffi::XML_ENTITY_REF_NODE))]
    pub(crate) fn entity_name(&self) -> Option<CString>;

    /// Returns the text, which is empty for a node that has none.
    #[rust_only]
    fn content(&self) -> Result<String> {
        if self.has_content()
            && let Some(text) = self.first_child().and_then(only_text)
        {
            return Ok(text);
        }
        match self.owner() {
            Some(document) if may_have_references(document.get()) => text::of(self, document.get()),
            _ => match self.read_content()? {
                Some(text) => Ok(text),
                // Newer versions of libxml2 report no failed allocation here.
                None if self.has_content() => Err(Error::OutOfMemory("xmlNodeGetContent")),
                None => Ok(String::new()),
            },
        }
    }

    /// The text in this node and all nodes below it, with entities replaced (xmlNodeGetContent). Empty for a node that
    /// can have no text, such as a DTD.
    ///
    /// A document may repeat a long entity many times, so the text can be much longer than the document. Raises
    /// OverflowError if entities expand to more than 10,000,000 bytes, unless the document was parsed with `huge`.
    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyString>> {
        let text = match self.first_child() {
            Some(first) if self.has_content() => only_object(first, py)?,
            Some(_) => None,
            None => self.character_object(py)?,
        };
        match text {
            Some(text) => Ok(text),
            None => Ok(PyString::from_bytes(py, self.whole_text()?.as_bytes())?),
        }
    }

    #[rust_only]
    fn whole_text(&self) -> Result<String> {
        // For a document, libxml2 2.13 and newer also read the entities that the DTD declares.
        if self.is_document() {
            let elements = self.members().into_iter().filter(|node| node.is_element());
            return elements.map(|node| node.content()).collect();
        }
        self.content()
    }

    #[rust_only]
    #[calls(ffi::xmlGetLineNo, pure)]
    fn short_line(&self) -> c_long;

    /// The line that the parser recorded because it is too large for `xmlNode.line`.
    #[rust_only]
    #[field(psvi, when(type_, ffi::XML_ELEMENT_NODE | ffi::XML_TEXT_NODE | ffi::XML_COMMENT_NODE | ffi::XML_PI_NODE))]
    pub(crate) fn big_line(&self) -> Option<usize>;

    /// The line in the source, from 1, at which the parser made the node (xmlGetLineNo): where the start tag of an
    /// element ends, and where a text, a comment or a processing instruction ends. A node of another type has the line
    /// of the node before it, or of its parent. 0 or -1 for a node that was not parsed.
    ///
    /// libxml2 records no column and no position in bytes.
    #[getter]
    pub(crate) fn line(&self) -> c_long {
        let mut here = Some(Borrowed::from(self));
        while let Some(node) = here.filter(|node| !node.has_line()) {
            let before = match node.is_document() {
                true => None,
                false => node.get().previous_sibling(),
            };
            let before =
                Successors::new(before, Node::previous_sibling).find(|node| node.has_line());
            here = before.or_else(|| node.get().parent().filter(|parent| parent.is_element()));
        }
        let noted = here.and_then(|node| node.big_line());
        let noted = noted.and_then(|line| c_long::try_from(line).ok());
        let noted = noted.filter(|line| *line > 0);
        noted.unwrap_or_else(|| here.map_or(self.short_line(), |node| node.short_line()))
    }

    /// Returns `true` for a node that has a line of its own in libxml2.
    #[rust_only]
    fn has_line(&self) -> bool {
        matches!(
            self.type_number(),
            ffi::XML_ELEMENT_NODE | ffi::XML_TEXT_NODE | ffi::XML_COMMENT_NODE | ffi::XML_PI_NODE
        )
    }

    /// The parent of this node; for an attribute, its element. None for a document.
    #[getter]
    #[field(parent)]
    pub(crate) fn parent(&self) -> Option<Borrowed<Node>>;

    #[rust_only]
    #[field(doc)]
    pub(crate) fn owner(&self) -> Option<Borrowed<Document>>;

    /// The document that the node belongs to.
    #[getter]
    fn document(&self) -> Result<Borrowed<Document>> {
        self.owner()
            .ok_or_else(|| Error::Value("the node belongs to no document".into()))
    }

    /// The first child. An entity reference has none here: its child in libxml2 is the declaration, which is in the
    /// DTD.
    #[rust_only]
    #[field(children, when(type_, ffi::XML_ELEMENT_NODE | ffi::XML_ATTRIBUTE_NODE | ffi::XML_DOCUMENT_NODE
        | ffi::XML_HTML_DOCUMENT_NODE | ffi::XML_DOCUMENT_FRAG_NODE | ffi::XML_DTD_NODE | ffi::XML_ENTITY_DECL))]
    pub(crate) fn first_child(&self) -> Option<Borrowed<Node>>;

    #[rust_only]
    #[field(next)]
    pub(crate) fn next_sibling(&self) -> Option<Borrowed<Node>>;

    #[rust_only]
    pub(crate) fn steps(&self) -> Successors<'_, Node> {
        Successors::new(self.first_child(), Node::next_sibling)
    }

    /// The children of this node, in document order, without attributes: a sequence that can be changed.
    #[getter]
    fn children(&self) -> Result<Borrowed<'_, Children>> {
        self.as_children()
            .ok_or_else(|| Error::Value("the node has no children".into()))
    }

    /// The first child that Python may have. The content of an entity's declaration stays as the parser read it.
    #[rust_only]
    pub(crate) fn first_shown(&self) -> Option<Borrowed<'_, Node>> {
        match self.type_number() {
            ffi::XML_ENTITY_DECL => None,
            _ => self.first_child(),
        }
    }

    #[rust_only]
    pub(crate) fn members(&self) -> Vec<Borrowed<'_, Node>> {
        self.steps().collect()
    }

    #[rust_only]
    fn next_element(&self) -> Option<Borrowed<'_, Node>> {
        let mut next = self.next_sibling();
        while let Some(node) = next.filter(|node| !node.is_element()) {
            next = node.get().next_sibling();
        }
        next
    }

    #[rust_only]
    pub(crate) fn is_element(&self) -> bool {
        self.type_number() == ffi::XML_ELEMENT_NODE
    }

    #[rust_only]
    pub(crate) fn is_document(&self) -> bool {
        matches!(
            self.type_number(),
            ffi::XML_DOCUMENT_NODE | ffi::XML_HTML_DOCUMENT_NODE
        )
    }

    fn __iter__(&self) -> Successors<'_, Node> {
        self.elements()
    }

    #[rust_only]
    pub(crate) fn elements(&self) -> Successors<'_, Node> {
        let first =
            Successors::new(self.first_shown(), Node::next_sibling).find(|node| node.is_element());
        Successors::new(first, Node::next_element)
    }

    #[rust_only]
    #[field(properties, when(type_, ffi::XML_ELEMENT_NODE))]
    pub(crate) fn first_attribute(&self) -> Option<Borrowed<Attribute>>;

    /// The attributes: a mapping of values by name. Empty for a node that is not an element.
    #[getter]
    fn attributes(&self) -> Result<Borrowed<'_, Attributes>> {
        self.as_attributes()
            .ok_or_else(|| Error::Value("the node has no attributes".into()))
    }

    /// Return the value of an attribute, or `default`. An attribute in a namespace has the name "{uri}name".
    ///
    /// Default values that a DTD declares are not included.
    ///
    /// Raises OverflowError as `text` does.
    #[pyo3(signature = (attribute, default = None))]
    fn get<'py>(
        &self,
        py: Python<'py>,
        attribute: &CStr,
        default: Option<Object>,
    ) -> Result<Either<'py>> {
        match self.attribute(attribute) {
            Some(found) => found.value_object(py).map(Either::Value),
            None => Ok(Either::Default(default)),
        }
    }

    /// Evaluate an XPath expression with this node as context node. The arguments are those of `Document.xpathEval`.
    ///
    /// The result is a list of nodes, a str, a float or a bool. Namespace nodes come as tuples of prefix and URI.
    ///
    /// Nothing is above a tree that is not in the document, such as that of a removed node: ".." finds nothing at its
    /// top. Only the variables and functions of the expression can give nodes of other trees.
    ///
    /// Raises XPathError if the expression is malformed or can't be evaluated, and XPathLimitError beyond a limit.
    /// Raises ValueError for an expression that begins at the document, such as "//a", if this node is not in its tree,
    /// and for an attribute that was removed from its element.
    #[pyo3(
        name = "xpathEval",
        signature = (
            expr,
            *,
            namespaces: "abc.Mapping[str, str] | None" = None,
            variables: "abc.Mapping[Any, str | float | Document | Node | abc.Sequence[Node]] | None" = None,
            functions: "abc.Mapping[Any, abc.Callable[..., object]] | None" = None,
            max_operations = None,
            max_depth = None
        )
    )]
    fn xpath_eval(
        &self,
        expr: &CStr,
        namespaces: Option<Object>,
        variables: Option<Object>,
        functions: Option<Object>,
        max_operations: Option<Count>,
        max_depth: Option<Count>,
    ) -> Result<Answer<'_>> {
        let arguments = Arguments {
            namespaces,
            variables,
            functions,
            limits: Limits::new(max_operations, max_depth)?,
        };
        let document = self.document()?;
        arguments.evaluate(document.get(), Borrowed::from(self), expr)
    }
}

/// Returns the text of an element or an attribute whose only child is this one, a text: most have no other. `first` is
/// its first child.
fn only_text(first: Borrowed<'_, Node>) -> Option<String> {
    match first.next_sibling() {
        None => first.character_data(),
        Some(_) => None,
    }
}

/// Returns the text of `first`, as Python gets it, if it is a text without siblings.
fn only_object<'py>(
    first: Borrowed<'_, Node>,
    py: Python<'py>,
) -> Result<Option<Bound<'py, PyString>>> {
    match first.next_sibling() {
        None => first.character_object(py),
        Some(_) => Ok(None),
    }
}

/// Collects all items, or returns the error that memory for them can't be allocated.
pub(crate) fn gather<T>(items: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let mut gathered = Vec::new();
    for item in items {
        gathered.try_reserve(1)?;
        gathered.push(item?);
    }
    Ok(gathered)
}

type Object = leakproof::pyo3::Py<leakproof::pyo3::PyAny>;

/// The value of an attribute, or the caller's default.
#[derive(IntoPython)]
pub(crate) enum Either<'py> {
    Value(Bound<'py, PyString>),
    Default(Option<Object>),
}
