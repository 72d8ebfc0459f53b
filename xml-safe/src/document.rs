//! Documents.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::errors::{Report, Reports, TreeErrors};
use crate::ffi;
use crate::node::{Dtd, Entity, Node};
use crate::xpath::{XPathContext, XPathValue, evaluate_at};

/// A parsed XML document. Closing the document also closes its XPath contexts, and its nodes can no longer be used.
#[handle(
    raw = ffi::xmlDoc,
    release(ffi::xmlFreeDoc, detach),
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    attachments,
    fork_safe
)]
pub(crate) struct Document;

#[methods(unsafe, utf8 = lossy)]
impl Document {
    /// The root element, if there is one (xmlDocGetRootElement).
    #[getter]
    #[calls(ffi::xmlDocGetRootElement)]
    pub(crate) fn root(&self) -> Option<Borrowed<Node>>;

    /// The document as a node, at which absolute XPath expressions start.
    #[rust_only]
    #[field(self)]
    pub(crate) fn as_node(&self) -> Option<Borrowed<Node>>;

    #[rust_only]
    #[field(intSubset)]
    pub(crate) fn internal_subset(&self) -> Option<Borrowed<Dtd>>;

    #[rust_only]
    #[field(extSubset)]
    pub(crate) fn external_subset(&self) -> Option<Borrowed<Dtd>>;

    /// The general entity of this name (xmlGetDocEntity).
    #[rust_only]
    #[calls(ffi::xmlGetDocEntity)]
    pub(crate) fn entity(&self, name: &CStr) -> Option<Borrowed<Entity>>;

    #[rust_only]
    #[field(version)]
    pub(crate) fn version(&self) -> Option<String>;

    #[rust_only]
    #[field(standalone)]
    pub(crate) fn standalone(&self) -> c_int;

    #[rust_only]
    #[field(parseFlags)]
    fn flags(&self) -> c_int;

    /// Returns `true` if the document was parsed without libxml2's limits.
    #[rust_only]
    pub(crate) fn is_huge(&self) -> bool {
        self.flags().cast_unsigned() & ffi::XML_PARSE_HUGE != 0
    }

    /// All reports about the document from parsing it, in order. With `recover`, they include its errors.
    #[getter]
    fn errors(&self) -> Vec<Report> {
        attached::<Reports, _>(self).map_or_else(Vec::new, |reports| reports.0.clone())
    }

    /// Marks the external entities as external again: they were declared as internal ones with their text.
    #[rust_only]
    pub(crate) fn mark_external_entities(&mut self) -> Result<()> {
        let subsets = [self.internal_subset(), self.external_subset()];
        let mut subsets = subsets.into_iter().flatten();
        subsets.try_for_each(|dtd| dtd.get().mark_external_entities())
    }

    #[rust_only]
    #[calls(ffi::xmlXPathNewContext, fails = null)]
    pub(crate) fn new_context(&self) -> Result<Owned<XPathContext>>;

    /// Make an XPath context on this document, with the document as context node (xmlXPathNewContext).
    pub(crate) fn xpath_new_context(&self) -> Result<Owned<XPathContext>> {
        let mut context = self.new_context()?;
        if let Some(node) = self.as_node() {
            context.set_node(&node)?;
        }
        Ok(context)
    }

    /// Evaluate an XPath expression with the document as context node.
    ///
    /// The result is a list of nodes, a str, a float or a bool. Namespace nodes come as tuples of prefix and URI.
    ///
    /// Raises XPathError if the expression is malformed or can't be evaluated.
    #[pyo3(name = "xpathEval")]
    fn xpath_eval(&self, expr: &CStr) -> Result<XPathValue<'_>> {
        match self.as_node() {
            Some(node) => evaluate_at(self, &node, expr),
            None => Err(Error::Value("the document has no node".into())),
        }
    }
}
