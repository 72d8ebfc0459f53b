//! Nodes of all types, and what hangs on elements.
//!
//! libxml2 has a C struct for each type of node; all begin with the same fields, up to `doc`. What lies behind is read
//! only where the type says that it is there.

use std::ffi::{c_int, c_long};

use leakproof::prelude::*;

use crate::document::Document;
use crate::errors::TreeErrors;
use crate::expansion::Expansion;
use crate::ffi;
use crate::xpath::XPathValue;

/// A node of a document, of any type. It keeps its document alive, and can't be used once that is closed.
///
/// Two nodes are equal if they are the same node of the same document. Iterating over a node gives the elements in it.
#[handle(
    raw = ffi::xmlNode,
    part_of = Document,
    owner = doc,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError)
)]
pub(crate) struct Node;

/// A namespace declaration.
#[handle(raw = ffi::xmlNs, part_of = Document)]
pub(crate) struct Namespace;

#[methods(unsafe, private, utf8 = lossy)]
impl Namespace {
    /// The prefix; none for the default namespace.
    #[field(prefix)]
    pub(crate) fn prefix(&self) -> Option<String>;

    #[field(href)]
    pub(crate) fn href(&self) -> Option<String>;
}

/// An attribute, as its own struct.
#[handle(raw = ffi::xmlAttr, part_of = Document)]
pub(crate) struct Attribute;

#[methods(unsafe, private, utf8 = lossy)]
impl Attribute {
    #[field(name)]
    fn name(&self) -> Option<String>;

    #[field(ns)]
    fn namespace(&self) -> Option<Borrowed<Namespace>>;

    #[field(next)]
    fn next(&self) -> Option<Borrowed<Attribute>>;

    #[field(self)]
    fn as_node(&self) -> Option<Borrowed<Node>>;

    /// The value, with entities replaced.
    fn value(&self) -> Result<String> {
        self.as_node()
            .map_or(Ok(String::new()), |node| node.content())
    }

    /// The name as `{uri}local`, or `local` alone.
    fn qualified_name(&self) -> String {
        let name = self.name().unwrap_or_default();
        match self.namespace().and_then(|namespace| namespace.href()) {
            Some(uri) => format!("{{{uri}}}{name}"),
            None => name,
        }
    }
}

/// A DTD: what the document itself declares, or the file that it names.
#[handle(raw = ffi::xmlDtd, part_of = Document)]
pub(crate) struct Dtd;

#[methods(unsafe, private, utf8 = lossy)]
impl Dtd {
    #[field(self)]
    pub(crate) fn as_node(&self) -> Option<Borrowed<Node>>;

    /// Where the external subset is.
    #[field(SystemID)]
    pub(crate) fn address(&self) -> Option<String>;

    /// The entities that are declared here.
    pub(crate) fn entities(&self) -> Vec<Borrowed<'_, Entity>> {
        let declarations = self
            .as_node()
            .map(|node| node.get().members())
            .unwrap_or_default();
        declarations
            .into_iter()
            .filter_map(|node| node.get().as_entity())
            .collect()
    }
}

/// The declaration of an entity.
#[handle(raw = ffi::xmlEntity, part_of = Document)]
pub(crate) struct Entity;

#[methods(unsafe, private, utf8 = lossy)]
impl Entity {
    #[field(name)]
    pub(crate) fn name(&self) -> Option<String>;

    #[field(etype)]
    fn entity_type(&self) -> u32;

    /// Where it is, if it is external.
    #[field(SystemID)]
    pub(crate) fn address(&self) -> Option<String>;

    #[field(self)]
    pub(crate) fn as_node(&self) -> Option<Borrowed<Node>>;

    /// How many bytes its declaration has.
    #[field(length)]
    pub(crate) fn length(&self) -> c_int;

    /// The text that it stands for, if it is not.
    #[field(content)]
    pub(crate) fn replacement(&self) -> Option<String>;

    pub(crate) fn is_external_text(&self) -> bool {
        self.entity_type() == ffi::XML_EXTERNAL_GENERAL_PARSED_ENTITY
    }

    pub(crate) fn is_external_parameter(&self) -> bool {
        self.entity_type() == ffi::XML_EXTERNAL_PARAMETER_ENTITY
    }
}

/// What serialised nodes are written to.
#[handle(
    raw = ffi::xmlBuffer,
    release = ffi::xmlBufferFree,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    fork_safe
)]
pub(crate) struct Output;

#[methods(unsafe, private, utf8 = lossy)]
impl Output {
    #[calls(ffi::xmlBufferCreate, fails = null)]
    fn new() -> Result<Owned<Output>>;

    #[calls(ffi::xmlSaveToBuffer, args = (self, c"UTF-8".as_ptr(), AS_THEY_ARE), fails = null)]
    fn writer(&self) -> Result<Owned<Writer>>;

    #[calls(ffi::xmlBufferContent, fails = sticky)]
    fn content(&self) -> Result<Option<String>>;
}

/// Nodes are written as XML, whatever the document type is.
const AS_THEY_ARE: c_int = (ffi::XML_SAVE_AS_XML | ffi::XML_SAVE_NO_XHTML).cast_signed();

/// Writes nodes to an output. Unlike xmlNodeDump, it leaves the output valid where it finds no memory.
#[handle(
    raw = ffi::xmlSaveCtxt,
    release = ffi::xmlSaveClose,
    parent = Output,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError)
)]
pub(crate) struct Writer;

#[methods(unsafe, private)]
impl Writer {
    #[calls(ffi::xmlSaveTree, fails = negative)]
    fn write(&mut self, node: &Node) -> Result<()>;

    #[calls(ffi::xmlSaveFlush, fails = negative)]
    fn flush(&mut self) -> Result<()>;
}

#[methods(unsafe, utf8 = lossy)]
impl Node {
    #[private]
    #[field(type_)]
    pub(crate) fn type_number(&self) -> u32;

    /// The type: "element", "attribute", "text", "cdata", "entity_ref", "pi", "comment", "document", "dtd" …
    #[getter]
    #[pyo3(name = "type")]
    fn type_name(&self) -> &'static str {
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

    /// The local name: of an element or attribute, the target of a processing instruction, "text" and "comment" for
    /// these. None for what has no name.
    #[getter]
    #[field(name)]
    pub(crate) fn name(&self) -> Option<String>;

    #[private]
    #[calls(ffi::xmlNodeGetContent, free = ffi::xmlFree.expect("libxml2 always has one"), fails = sticky)]
    fn read_content(&self) -> Result<Option<String>>;

    /// The text, and nothing for what has none.
    #[private]
    fn content(&self) -> Result<String> {
        let document = self.owner();
        let document = document.as_ref().map(|document| document.get());
        let _alone = document.and_then(Document::expanding);
        if let Some(document) = document
            && document.internal_subset().is_some()
        {
            Expansion::of(document).check(self)?;
        }
        Ok(self.read_content()?.unwrap_or_default())
    }

    /// The text in this node and all below it, with entities replaced (xmlNodeGetContent). Empty for what can have no
    /// text, such as a DTD.
    ///
    /// A document may repeat a long entity many times, so the text can be much longer than the document.
    ///
    /// Raises OverflowError if the entities come to more than 10,000,000 bytes, unless the document was parsed with `huge`.
    #[getter]
    fn text(&self) -> Result<String> {
        // Of a document, libxml2 2.13 and newer also read the entities that the DTD declares.
        if matches!(
            self.type_number(),
            ffi::XML_DOCUMENT_NODE | ffi::XML_HTML_DOCUMENT_NODE
        ) {
            let mut text = String::new();
            for element in self.members().iter().filter(|node| node.is_element()) {
                let content = element.content()?;
                text.try_reserve(content.len())?;
                text.push_str(&content);
            }
            return Ok(text);
        }
        self.content()
    }

    /// The line in the source on which the node starts, -1 or 0 if it is not known (xmlGetLineNo).
    #[getter]
    #[calls(ffi::xmlGetLineNo)]
    fn line(&self) -> c_long;

    /// An XPath expression that leads to this node (xmlGetNodePath). None for nodes that XPath does not reach.
    #[getter]
    #[calls(ffi::xmlGetNodePath, free = ffi::xmlFree.expect("libxml2 always has one"), fails = sticky)]
    fn path(&self) -> Result<Option<String>>;

    /// The node that this one is in; of an attribute, its element. None for a document.
    #[getter]
    #[field(parent)]
    pub(crate) fn parent(&self) -> Option<Borrowed<Node>>;

    #[private]
    #[field(doc)]
    pub(crate) fn owner(&self) -> Option<Borrowed<Document>>;

    /// The document: the object that the node was got from.
    #[getter]
    fn document(&self) -> Result<Borrowed<Document>> {
        self.owner()
            .ok_or_else(|| Error::Value("the node belongs to no document".into()))
    }

    /// What an entity reference has as its child is the declaration, in the DTD: not in the node.
    #[private]
    #[field(children, when(type_, ffi::XML_ELEMENT_NODE | ffi::XML_ATTRIBUTE_NODE | ffi::XML_DOCUMENT_NODE
        | ffi::XML_HTML_DOCUMENT_NODE | ffi::XML_DOCUMENT_FRAG_NODE | ffi::XML_DTD_NODE | ffi::XML_ENTITY_DECL))]
    pub(crate) fn first_child(&self) -> Option<Borrowed<Node>>;

    #[private]
    #[field(next)]
    pub(crate) fn next_sibling(&self) -> Option<Borrowed<Node>>;

    #[private]
    #[field(self, when(type_, ffi::XML_ENTITY_DECL))]
    pub(crate) fn as_entity(&self) -> Option<Borrowed<Entity>>;

    /// All nodes in this one, in document order; attributes are not among them.
    #[getter]
    fn children(&self) -> Result<Vec<Borrowed<'_, Node>>> {
        gather(Steps::new(self.first_child(), Node::next_sibling).map(Ok))
    }

    #[private]
    pub(crate) fn members(&self) -> Vec<Borrowed<'_, Node>> {
        Steps::new(self.first_child(), Node::next_sibling).collect()
    }

    #[private]
    fn next_element(&self) -> Option<Borrowed<'_, Node>> {
        Steps::new(self.next_sibling(), Node::next_sibling).find(|node| node.is_element())
    }

    #[private]
    pub(crate) fn is_reference_to(&self, entity: &str) -> bool {
        self.type_number() == ffi::XML_ENTITY_REF_NODE && self.name().as_deref() == Some(entity)
    }

    #[private]
    fn is_element(&self) -> bool {
        self.type_number() == ffi::XML_ELEMENT_NODE
    }

    fn __iter__(&self) -> Steps<'_, Node> {
        let first =
            Steps::new(self.first_child(), Node::next_sibling).find(|node| node.is_element());
        Steps::new(first, Node::next_element)
    }

    #[private]
    #[field(properties, when(type_, ffi::XML_ELEMENT_NODE))]
    fn first_attribute(&self) -> Option<Borrowed<Attribute>>;

    /// The attributes: their values by name, where an attribute in a namespace is called "{uri}name". Empty for nodes
    /// that are not elements.
    ///
    /// Raises OverflowError where `text` does.
    #[getter]
    fn attributes(&self) -> Result<Dict<String, String>> {
        let mut attributes = Vec::new();
        for attribute in Steps::new(self.first_attribute(), Attribute::next) {
            attributes.try_reserve(1)?;
            attributes.push((attribute.qualified_name(), attribute.value()?));
        }
        Ok(Dict(attributes))
    }

    /// The value of an attribute, or `default`. In a namespace it is called "{uri}name".
    ///
    /// Only what the element has: the default values of a DTD are not among them.
    ///
    /// Raises OverflowError where `text` does.
    #[pyo3(signature = (attribute, default = None))]
    fn get(&self, attribute: &CStr, default: Option<Object>) -> Result<Either> {
        let mut attributes = Steps::new(self.first_attribute(), Attribute::next);
        let named = |candidate: &Borrowed<'_, Attribute>| {
            candidate.qualified_name().as_bytes() == attribute.to_bytes()
        };
        Ok(match attributes.find(named) {
            Some(found) => Either::Value(found.value()?),
            None => Either::Default(default),
        })
    }

    /// The node as XML (xmlSaveTree).
    #[pyo3(name = "to_string")]
    fn serialise(&self) -> Result<String> {
        let output = Output::new()?;
        let mut writer = output.writer()?;
        writer.write(self)?;
        writer.flush()?;
        drop(writer);
        Ok(output.content()?.unwrap_or_default())
    }

    /// Evaluate an XPath expression with this node as context node.
    ///
    /// The result is a list of nodes, a str, a float or a bool. Namespace nodes come as tuples of prefix and URI.
    ///
    /// Raises XPathError if the expression is malformed or can't be evaluated.
    #[pyo3(name = "xpathEval")]
    fn xpath_eval(&self, expr: &CStr) -> Result<XPathValue<'_>> {
        let document = self.document()?;
        let mut context = document.xpath_new_context()?;
        context.set_node(self)?;
        context.eval_on(document.get(), expr)
    }
}

/// All of them, or the error that there is no memory for so many.
pub(crate) fn gather<T>(items: impl Iterator<Item = Result<T>>) -> Result<Vec<T>> {
    let mut gathered = Vec::new();
    for item in items {
        gathered.try_reserve(1)?;
        gathered.push(item?);
    }
    Ok(gathered)
}

type Object = leakproof::pyo3::Py<leakproof::pyo3::PyAny>;

/// An attribute's value, or what the caller wants instead.
#[derive(IntoPython)]
pub(crate) enum Either {
    Value(String),
    Default(Option<Object>),
}
