//! Documents.

use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::prelude::{Bound, Py, PyAny};

use crate::dtd::{Dtd, Entity};
use crate::errors::{Report, Reports, TreeErrors};
use crate::ffi;
use crate::node::Node;
use crate::numbers::Count;
use crate::xpath::compiled::{Source, XPath};
use crate::xpath::context::XPathContext;
use crate::xpath::evaluate::{Answer, Arguments, Expr, Passed, Request};
use crate::xpath::options::Limits;
use crate::xpath::values::XPathValue;

/// A parsed XML document. Closing the document also closes its XPath contexts, and its nodes can no longer be used.
#[handle(
    raw = ffi::xmlDoc,
    release(ffi::xmlFreeDoc, detach),
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    thread_locals(ffi::__xmlRegisterNodeDefaultValue = None, ffi::__xmlDeregisterNodeDefaultValue = None),
    attachments,
    fork_safe,
    tree
)]
pub(crate) struct Document;

#[methods(unsafe, utf8 = lossy)]
impl Document {
    /// The root element, if there is one (xmlDocGetRootElement).
    #[getter]
    #[calls(ffi::xmlDocGetRootElement, pure)]
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
    #[calls(ffi::xmlGetDocEntity, pure)]
    pub(crate) fn entity(&self, name: &CStr) -> Option<Borrowed<Entity>>;

    #[rust_only]
    #[field(version)]
    pub(crate) fn version(&self) -> Option<String>;

    #[rust_only]
    #[field(standalone)]
    pub(crate) fn standalone(&self) -> c_int;

    #[rust_only]
    #[field(parseFlags)]
    pub(crate) fn flags(&self) -> c_int;

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
    /// `namespaces` maps prefixes to URIs. `variables` maps names to values: a str, a number, a bool, a node or a list
    /// of nodes of this document. `functions` maps names to callables, which get the arguments as results are given,
    /// and return a value as variables have them. A name in a namespace is written "prefix:name", "{uri}name", or as a
    /// tuple of URI and name. Nothing of it is known to the next evaluation.
    ///
    /// Raises XPathError if the expression is malformed or can't be evaluated. Raises XPathLimitError if the evaluation
    /// takes more than `max_operations` of libxml2's operations, or if parentheses and brackets are nested deeper than
    /// `max_depth`.
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
        namespaces: Option<Py<PyAny>>,
        variables: Option<Py<PyAny>>,
        functions: Option<Py<PyAny>>,
        max_operations: Option<Count>,
        max_depth: Option<Count>,
    ) -> Result<Answer<'_>> {
        let arguments = Arguments {
            namespaces,
            variables,
            functions,
            limits: Limits::new(max_operations, max_depth)?,
        };
        match self.as_node() {
            Some(node) => arguments.evaluate(self, node, expr),
            None => Err(Error::Value("the document has no node".into())),
        }
    }

    /// Evaluate an expression with functions. `owner` is this document's Python object.
    fn _evaluate(
        &self,
        owner: Bound<'_, PyAny>,
        node: &Node,
        expr: &CStr,
        arguments: Passed,
    ) -> Result<XPathValue<'_>> {
        let arguments = Arguments::from(arguments);
        arguments.evaluate_with(owner.py(), Some(&owner), self, node, expr)
    }

    /// Evaluate a compiled expression. `owner` is this document's Python object.
    fn _call(
        &self,
        owner: Bound<'_, PyAny>,
        node: Option<&Node>,
        xpath: &XPath,
        variables: Option<Bound<'_, PyAny>>,
    ) -> Result<XPathValue<'_>> {
        let Source { text, options } = xpath.source()?;
        let request = Request {
            expr: Expr::Compiled(xpath, text),
            options,
            variables: variables.as_ref(),
            owner: Some(&owner),
        };
        match (node, self.as_node()) {
            (Some(node), _) => request.evaluate(self, node),
            (None, Some(node)) => request.evaluate(self, &node),
            (None, None) => Err(Error::Value("the document has no node".into())),
        }
    }
}
