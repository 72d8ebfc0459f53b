//! Pickled documents, which travel to other processes: the XML of the document, and what the XML does not say.

use leakproof::prelude::*;
use leakproof::pyo3::Python;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::prelude::{Bound, Py, PyAny, PyAnyMethods};

use crate::change::remove;
use crate::document::Document;
use crate::dtd::Dtd;
use crate::errors::{Fields, Report, Reports};
use crate::ffi;
use crate::node::{Attribute, Node, gather};
use crate::order::following;
use crate::parsing::parse_again;
use crate::serialize::python::{exception, name};
use crate::serialize::uris::is_read_otherwise;

/// The root element of the XML of a document without one.
const STAND_IN: &[u8] = b"<r/>";

/// The number of levels that every version of libxml2 parses, with `huge`.
const LEVELS: usize = 2000;

/// The function that makes a document from a pickle, and its arguments: the XML, whether that has the document's root
/// element, whether the document is parsed without limits, its encoding, its address, and the errors of parsing.
type Pickled = (Py<PyAny>, Arguments);
type Arguments = (
    Bytes,
    bool,
    bool,
    Option<String>,
    Option<String>,
    Vec<Fields>,
);

fn refused(message: &str) -> Error {
    Error::Value(format!("cannot pickle the document: {message}"))
}

/// Refuses entities whose text is not in the document.
fn check_entities(dtd: &Dtd) -> Result<()> {
    let node = dtd.as_node();
    let mut declared = node.iter().flat_map(|dtd| dtd.get().steps());
    match declared.any(|declared| declared.has_external_content()) {
        true => Err(refused(
            "it refers to external entities that were read. Parse it with resolve_entities=True",
        )),
        false => Ok(()),
    }
}

#[methods(unsafe)]
impl crate::document::Document {
    /// The function that parses the document again, and its arguments. Raises ValueError for a document that can't be
    /// parsed again.
    fn __reduce__(&self, py: Python<'_>) -> Result<Pickled> {
        let module = py.import(name(py, "xml_safe._native")?)?;
        let make = module.getattr(name(py, "_restored")?)?.unbind();
        let whole = self.as_node().ok_or_else(|| refused("it has no node"))?;
        if self.external_subset().is_some() {
            return Err(refused(
                "its external DTD was read. Parse it without load_dtd, or pickle what it was parsed from",
            ));
        }
        let refers = refers_to_entities(whole);
        if let (Some(dtd), true) = (self.internal_subset(), refers) {
            check_entities(dtd.get())?;
        }
        if is_read_otherwise(whole.get()) {
            return Err(refused(
                "the URI of a namespace has a \"&\", which this version of libxml2 reads as \"&#38;\"",
            ));
        }
        let has_root = self.root().is_some();
        let mut xml = whole.get().xml()?;
        if !has_root {
            xml.try_reserve(STAND_IN.len())?;
            xml.extend_from_slice(STAND_IN);
        }
        if refers || self.is_questionable(whole) {
            parse_again(&xml, None).map_err(|error| match error {
                memory @ Error::OutOfMemory(_) => memory,
                error => refused(&format!("its XML cannot be parsed again. {error}")),
            })?;
        }
        let reports = attached::<Reports, _>(self).map_or(&[][..], |reports| &reports.0);
        let errors = gather(reports.iter().map(|report| Ok(report.fields())))?;
        let (encoding, url) = (self.source_encoding(), self.url());
        let arguments = (Bytes(xml), has_root, self.is_huge(), encoding, url, errors);
        Ok((make, arguments))
    }

    /// Returns `true` if the XML of the document may be malformed: a DTD is written by libxml2 from what the parser
    /// noted, parsing recovered from errors, and a newer libxml2 parses no more than some levels.
    #[rust_only]
    fn is_questionable(&self, whole: Borrowed<'_, Node>) -> bool {
        self.internal_subset().is_some()
            || self.flags().cast_unsigned() & ffi::XML_PARSE_RECOVER != 0
            || whole.get().levels() > LEVELS
    }
}

/// Returns `true` if a reference to an entity is in the tree, or in the value of an attribute.
fn refers_to_entities(whole: Borrowed<'_, Node>) -> bool {
    let refers = |attribute: Borrowed<'_, Attribute>| {
        let value = attribute.get().as_node();
        value.is_some_and(|value| value.get().steps().any(|part| part.is_entity_ref()))
    };
    let mut here = Some(whole);
    while let Some(node) = here {
        if node.is_entity_ref() || node.get().attribute_list().any(refers) {
            return true;
        }
        here = following(node, whole);
    }
    false
}

#[methods(unsafe)]
impl crate::node::Node {
    /// Raises TypeError: a node is part of a document.
    fn __reduce__(&self, py: Python<'_>) -> Result<Py<PyAny>> {
        let message = "cannot pickle a Node, which is part of a document: pickle the document and the node's path, or \
                       node.to_bytes()";
        Err(exception::<PyTypeError>(py, message).into())
    }
}

/// Makes a document from a pickle.
#[function]
#[pyo3(name = "_restored", signature = (xml, has_root, is_huge, encoding, url, errors: "list[tuple[str, int, int, int, str, str | None]]"))]
pub(crate) fn restored(
    xml: &[u8],
    has_root: bool,
    is_huge: bool,
    encoding: Option<&CStr>,
    url: Option<&CStr>,
    errors: Bound<'_, PyAny>,
) -> Result<Owned<Document>> {
    // PyO3 ends the process if it finds no memory while it converts an argument to a list.
    let errors: Vec<Fields> = errors.extract()?;
    let errors = gather(errors.into_iter().map(Report::from_fields))?;
    let encoding = encoding.map(|encoding| encoding.to_string_lossy().into_owned());
    let mut document = parse_again(xml, encoding)?;
    if !is_huge {
        let flags = document.flags().cast_unsigned() & !ffi::XML_PARSE_HUGE;
        document.set_flags(flags.cast_signed());
    }
    if !has_root {
        let tree = Tree::of(&mut *document);
        if let Some(root) = tree.owner().root() {
            remove(&tree, root)?;
        }
        document.release_unlinked();
    }
    if url.is_some() {
        document.set_url(url)?;
    }
    if !errors.is_empty() {
        attach(&*document, Reports(errors));
    }
    Ok(document)
}
