//! New nodes. A new node belongs to its document and is in no tree, until it is put somewhere.

use std::convert::Infallible;
use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::prelude::{Bound, FromPyObject, PyAny, PyStringMethods};
use leakproof::pyo3::{self};

use crate::attributes;
use crate::copy::clear_link;
use crate::document::Document;
use crate::ffi;
use crate::moves::{Change, Place, begin};
use crate::node::{Namespace, Node, gather};
use crate::parser::Parser;
use crate::reconcile::{of_prefix, undeclare_default};
use crate::references;
use crate::serialize::python::string;
use crate::serialize::uris::note_uri;
use crate::valid::{self, QualifiedName, XML};
use crate::xpath::options::items;

#[methods(unsafe, rust_only)]
impl crate::document::Document {
    #[calls(ffi::xmlNewDoc, fails = null)]
    pub(crate) fn with_version(version: &CStr) -> Result<Owned<Document>>;

    #[calls(ffi::xmlNewDocRawNode, args = (self, null, name, null), fails = null)]
    pub(crate) fn new_element(&mut self, name: &CStr) -> Result<Borrowed<Node>>;

    #[calls(ffi::xmlNewDocText, fails = null)]
    pub(crate) fn new_text(&mut self, text: &CStr) -> Result<Borrowed<Node>>;

    #[calls(ffi::xmlNewCDataBlock, args = (self, text, length), fails = null)]
    fn new_cdata(&mut self, text: &CStr, length: c_int) -> Result<Borrowed<Node>>;

    #[calls(ffi::xmlNewDocComment, fails = null)]
    pub(crate) fn new_comment(&mut self, text: &CStr) -> Result<Borrowed<Node>>;

    #[calls(ffi::xmlNewDocPI, fails = null)]
    fn new_instruction(&mut self, target: &CStr, text: Option<&CStr>) -> Result<Borrowed<Node>>;

    #[calls(ffi::xmlNewReference, fails = null)]
    fn new_reference(&mut self, name: &CStr) -> Result<Borrowed<Node>>;

    #[calls(ffi::xmlNewDocFragment, fails = null)]
    fn new_fragment(&mut self) -> Result<Borrowed<Node>>;
}

/// The text of a new document. The element is taken out.
const BLANK: &[u8] = b"<?xml version=\"1.0\"?><blank/>";

#[methods(unsafe, rust_only)]
impl Parser {
    #[calls(ffi::xmlCtxtReadMemory, args = (self, text.ptr, text.len, null, null, options), fails = null)]
    fn read_new(&mut self, text: &[u8], options: c_int) -> Result<Owned<Document>>;
}

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    /// Makes an element, with a text if there is one, behind the last child. It is in the namespace of this element.
    #[calls(ffi::xmlNewTextChild, args = (self, null, name, text), fails = null)]
    fn new_child(&mut self, name: &CStr, text: Option<&CStr>) -> Result<Borrowed<Node>>;

    /// Declares a namespace at this element.
    #[calls(ffi::xmlNewNs, fails = null)]
    pub(crate) fn declare(
        &mut self,
        uri: &CStr,
        prefix: Option<&CStr>,
    ) -> Result<Borrowed<Namespace>>;

    /// Sets the namespace of an element or attribute, as xmlSetNs does. Nothing can fail.
    #[field(ns)]
    pub(crate) fn set_ns(&mut self, namespace: Option<&Namespace>);

    /// The first namespace that is declared at this element.
    #[field(nsDef, when(type_, ffi::XML_ELEMENT_NODE))]
    pub(crate) fn declared(&self) -> Option<Borrowed<Namespace>>;

    /// The namespace of an element or attribute.
    #[field(ns, when(type_, ffi::XML_ELEMENT_NODE | ffi::XML_ATTRIBUTE_NODE))]
    pub(crate) fn ns(&self) -> Option<Borrowed<Namespace>>;
}

#[methods(unsafe)]
impl crate::document::Document {
    /// Make a document without nodes.
    ///
    /// libxml2 reads it from a text (xmlCtxtReadMemory): only such a document has a dictionary, which holds each name
    /// of its nodes once.
    #[new]
    fn new() -> Result<Owned<'static, Document>> {
        let mut document = Parser::new()?.read_new(BLANK, ffi::XML_PARSE_NONET.cast_signed())?;
        let tree = Tree::of(&mut *document);
        if let Some(root) = tree.owner().root() {
            tree.edit(root)?.unlink()?;
        }
        document.release_unlinked();
        Ok(document)
    }

    /// Make an element (xmlNewDocRawNode), which is in no tree until it is put somewhere.
    ///
    /// A name in a namespace is written "{uri}name". `prefix` is the prefix that stands for the namespace; by default
    /// it is the default namespace.
    ///
    /// Raises ValueError for a name that XML does not allow.
    #[pyo3(signature = (name, *, prefix = None))]
    fn create_element(&mut self, name: &CStr, prefix: Option<&CStr>) -> Result<Borrowed<'_, Node>> {
        let name = QualifiedName::parse(name, "the name of an element")?;
        check_namespace(name.uri.as_deref(), prefix)?;
        let tree = Tree::of(self);
        let mut owner = tree.edit_owner();
        let element = within(&tree, owner.new_element(name.local)?)?;
        put_in_namespace(&tree, element, name.uri.as_deref(), prefix)?;
        Ok(element)
    }

    /// Make a text node (xmlNewDocText).
    ///
    /// Raises ValueError for a character that XML does not allow.
    fn create_text(&mut self, text: &CStr) -> Result<Borrowed<'_, Node>> {
        valid::text(text, "a text")?;
        self.new_text(text)
    }

    /// Make a CDATA section (xmlNewCDataBlock).
    ///
    /// Raises ValueError for "]]>", for a carriage return, which is read as a line feed, and for a character that XML
    /// does not allow.
    fn create_cdata(&mut self, text: &CStr) -> Result<Borrowed<'_, Node>> {
        valid::cdata(text)?;
        let length = c_int::try_from(text.to_bytes().len())
            .map_err(|_| Error::Value("a CDATA section can have 2 GB at most".into()))?;
        self.new_cdata(text, length)
    }

    /// Make a comment (xmlNewDocComment).
    ///
    /// Raises ValueError for "--", "-" at the end, a carriage return, which is read as a line feed, and a character
    /// that XML does not allow.
    fn create_comment(&mut self, text: &CStr) -> Result<Borrowed<'_, Node>> {
        valid::comment(text)?;
        self.new_comment(text)
    }

    /// Make a processing instruction (xmlNewDocPI).
    ///
    /// Raises ValueError for a target that is no name, for "?>" and a carriage return in the text and white space at
    /// its start, and for a character that XML does not allow.
    #[pyo3(signature = (target, text = None))]
    fn create_pi(&mut self, target: &CStr, text: Option<&CStr>) -> Result<Borrowed<'_, Node>> {
        valid::target(target)?;
        text.map_or(Ok(()), valid::instruction)?;
        self.new_instruction(target, text)
    }

    /// Make a reference to the entity `name` (xmlNewReference).
    ///
    /// The entity is one that the DTD declares. If an external DTD was not read, it may declare the entity.
    ///
    /// Raises ValueError for other names, since the document could not be read again, for an unparsed entity, and for a
    /// predefined one such as "lt", which is a text.
    fn create_entity_ref(&mut self, name: &CStr) -> Result<Borrowed<'_, Node>> {
        valid::check_name(name, "the name of an entity")?;
        references::check(self, name)?;
        let tree = Tree::of(self);
        let mut owner = tree.edit_owner();
        let reference = within(&tree, owner.new_reference(name)?)?;
        clear_link(&tree, reference)?;
        Ok(reference)
    }

    /// Make a document fragment: a list of nodes that are put somewhere together (xmlNewDocFragment).
    fn create_fragment(&mut self) -> Result<Borrowed<'_, Node>> {
        self.new_fragment()
    }
}

/// The namespace of declarations, which has a prefix of its own.
pub(crate) const XMLNS: &CStr = c"http://www.w3.org/2000/xmlns/";

/// The error for a reserved prefix with another namespace, and for another prefix with a reserved namespace.
pub(crate) fn reserved() -> Error {
    Error::Value("the prefixes \"xml\" and \"xmlns\" are reserved for their own namespaces".into())
}

/// Checks the namespace of a new element.
fn check_namespace(uri: Option<&CStr>, prefix: Option<&CStr>) -> Result<()> {
    let Some(uri) = uri else {
        return match prefix {
            None => Ok(()),
            Some(_) => Err(Error::Value(
                "a prefix stands for a namespace: write the name as \"{uri}name\"".into(),
            )),
        };
    };
    let name = prefix.map_or(Ok(""), |prefix| valid::name(prefix, "a prefix"))?;
    let is_xml = uri == XML;
    if name == "xmlns" || uri == XMLNS || (name == "xml") != is_xml {
        return Err(reserved());
    }
    match is_xml {
        true => Err(Error::Value(
            "no element is in the namespace of \"xml\"".into(),
        )),
        false => Ok(()),
    }
}

/// Puts a new element into a namespace, or into none.
fn put_in_namespace<'t>(
    tree: &Tree<'t, Document>,
    element: Borrowed<'t, Node>,
    uri: Option<&CStr>,
    prefix: Option<&CStr>,
) -> Result<()> {
    let Some(uri) = uri else {
        tree.edit(element)?.set_ns(None);
        return Ok(());
    };
    note_uri(tree.owner(), uri);
    tree.edit(element)?.declare(uri, prefix)?;
    let namespace = element.get().declared();
    tree.edit(element)?
        .set_ns(namespace.as_ref().map(|namespace| namespace.get()));
    Ok(())
}

/// Returns the declaration that is in scope at `parent`, if it has this prefix and stands for `uri`.
///
/// The search goes up to the root, unless `parent` is in the namespace itself: what an element uses is in scope.
fn declared_above<'t>(
    parent: Borrowed<'t, Node>,
    prefix: Option<&CStr>,
    uri: &CStr,
) -> Option<Borrowed<'t, Namespace>> {
    let own = parent.get().ns().filter(|own| own.has_prefix(prefix));
    let found = own.or_else(|| of_prefix(parent, prefix));
    found.filter(|found| found.stands_for(uri))
}

/// The values of attributes by name, or the error of reading them: PyO3 cannot pass on an error without memory.
pub(crate) struct AttributeValues(Result<Vec<(CString, CString)>>);

impl FromPyObject<'_, '_> for AttributeValues {
    type Error = Infallible;

    fn extract(mapping: pyo3::Borrowed<'_, '_, PyAny>) -> Result<Self, Infallible> {
        Ok(AttributeValues::read(&mapping))
    }
}

impl AttributeValues {
    pub(crate) fn read(mapping: &Bound<'_, PyAny>) -> Self {
        let text = |text: &Bound<'_, PyAny>| -> Result<CString> {
            let text = string("an attribute", text)?.to_str()?;
            CString::new(text).map_err(|_| Error::Value("an attribute cannot contain a NUL".into()))
        };
        let pairs = || {
            let items = items(mapping, "attributes")?.into_iter();
            gather(items.map(|(name, value)| Ok((text(&name)?, text(&value)?))))
        };
        AttributeValues(pairs())
    }

    pub(crate) fn get(self) -> Result<Vec<(CString, CString)>> {
        self.0
    }
}

/// An element that is made in its place. Its name and its text were checked.
pub(crate) struct NewElement<'w> {
    name: QualifiedName<'w>,
    text: Option<&'w CStr>,
    attributes: Vec<(CString, CString)>,
    prefix: Option<&'w CStr>,
}

impl<'w> NewElement<'w> {
    pub(crate) fn check(
        name: &'w CStr,
        text: Option<&'w CStr>,
        attributes: Option<AttributeValues>,
        prefix: Option<&'w CStr>,
    ) -> Result<Self> {
        let name = QualifiedName::parse(name, "the name of an element")?;
        check_namespace(name.uri.as_deref(), prefix)?;
        text.map_or(Ok(()), |text| valid::text(text, "a text"))?;
        let attributes = attributes.map_or(Ok(Vec::new()), AttributeValues::get)?;
        Ok(NewElement {
            name,
            text: text.filter(|text| !text.is_empty()),
            attributes,
            prefix,
        })
    }

    /// Makes the element behind the last child of `parent`.
    pub(crate) fn append_to<'t>(
        &self,
        tree: &Tree<'t, Document>,
        parent: Borrowed<'t, Node>,
    ) -> Result<Borrowed<'t, Node>> {
        Place { parent, next: None }.check_new_element()?;
        Change::run(tree, &[], false, |change| {
            let element = change.make(|| {
                let mut parent = tree.edit(parent)?;
                within(tree, parent.new_child(self.name.local, self.text)?)
            })?;
            if self.text.is_some() && element.get().first_child().is_none() {
                // libxml2 does not report this.
                return Err(Error::OutOfMemory("xmlNewTextChild"));
            }
            let uri = self.name.uri.as_deref();
            let there = uri.and_then(|uri| declared_above(parent, self.prefix, uri));
            match there {
                Some(there) => tree.edit(element)?.set_ns(Some(there.get())),
                None => put_in_namespace(tree, element, uri, self.prefix)?,
            }
            if uri.is_none() {
                undeclare_default(tree, element)?;
            }
            for (name, value) in &self.attributes {
                attributes::set(tree, element, name, value)?;
            }
            Ok(element)
        })
    }
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Make an element, put it behind the last child of this node, and return it (xmlNewTextChild).
    ///
    /// `text` is its text, and `attributes` is a mapping of values by name. `name` and `prefix` are those of
    /// `Document.create_element`, which makes an element that is in no tree.
    ///
    /// Raises ValueError, and changes nothing, for a name or a character that XML does not allow, and if this node can
    /// have no element there.
    #[pyo3(
        signature = (
            name,
            text = None,
            attributes: "abc.Mapping[str, str] | None" = None,
            *,
            prefix = None
        )
    )]
    fn append_element(
        &mut self,
        name: &CStr,
        text: Option<&CStr>,
        attributes: Option<AttributeValues>,
        prefix: Option<&CStr>,
    ) -> Result<Borrowed<'_, Node>> {
        let element = NewElement::check(name, text, attributes, prefix)?;
        let (tree, parent) = begin(self)?;
        element.append_to(&tree, parent)
    }
}

/// Returns a node for as long as the tree.
pub(crate) fn within<'t>(
    tree: &Tree<'t, Document>,
    node: Borrowed<'_, Node>,
) -> Result<Borrowed<'t, Node>> {
    node.with_owner(tree.owner())
        .ok_or_else(|| Error::Value("the node belongs to another document".into()))
}
