//! XPath: contexts, results, and their conversion to Python.

use std::ffi::c_ulong;

use leakproof::prelude::*;
use leakproof::{IdleHandles, Reusable, handles_signals};

use crate::document::Document;
use crate::errors::{XPathError, XPathErrors};
use crate::ffi;
use crate::node::{Namespace, Node, gather};

/// The state of XPath evaluations: a context node and the registered namespace prefixes.
///
/// The context keeps its document alive, and can't be used after the document was closed.
#[handle(
    raw = ffi::xmlXPathContext,
    release = ffi::xmlXPathFreeContext,
    parent = Document,
    errors(
        XPathErrors,
        callback = error,
        thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError
    )
)]
pub(crate) struct XPathContext;

#[methods(unsafe)]
impl XPathContext {
    #[rust_only]
    #[field(doc)]
    fn document(&self) -> Option<Borrowed<Document>>;

    #[rust_only]
    #[calls(ffi::xmlXPathSetContextNode, args = (node, self), fails = nonzero)]
    fn set_context_node(&mut self, node: &Node) -> Result<()>;

    #[rust_only]
    #[calls(ffi::xmlXPathCtxtCompile, fails = null)]
    fn compile(&self, expr: &CStr) -> Result<Owned<Compiled>>;

    #[rust_only]
    #[calls(ffi::xmlXPathCompiledEval, args = (compiled, self), fails = null, detach)]
    fn evaluate(&self, compiled: &Compiled) -> Result<Owned<XPathObject>>;

    /// Evaluates while signal handlers run. A handler that raises ends the evaluation.
    #[rust_only]
    #[calls(ffi::xmlXPathCompiledEval, args = (compiled, self), fails = null, detach, interrupt = XPathContext::stop)]
    fn evaluate_beside_signals(&self, compiled: &Compiled) -> Result<Owned<XPathObject>>;

    /// Sets the maximum number of operations of an evaluation; 0 removes the limit. libxml2 reads the limit at each
    /// operation.
    #[rust_only]
    #[field(opLimit, atomic)]
    fn limit_operations(&self, most: c_ulong);

    /// Sets the number of operations counted so far. libxml2 continues from this number, over several evaluations.
    #[rust_only]
    #[field(opCount, atomic)]
    fn count_operations(&self, taken: c_ulong);

    /// Ends the running evaluation at its next operation.
    #[rust_only]
    fn stop(&self) {
        self.limit_operations(1);
    }

    #[rust_only]
    #[calls(ffi::xmlXPathRegisteredNsCleanup)]
    fn forget_namespaces(&mut self);

    /// Make `prefix` stand for the namespace `uri` (xmlXPathRegisterNs).
    #[calls(ffi::xmlXPathRegisterNs, fails = nonzero)]
    fn register_ns(&mut self, prefix: &CStr, uri: &CStr) -> Result<()>;

    /// Make `node` the context node, at which relative expressions start (xmlXPathSetContextNode).
    ///
    /// Raises ValueError if `node` belongs to another document.
    pub(crate) fn set_node(&mut self, node: &Node) -> Result<()> {
        if self.document() != node.owner() {
            return Err(Error::Value(
                "the node belongs to another document than the context".into(),
            ));
        }
        self.set_context_node(node)
    }

    /// Evaluate an XPath expression in this context.
    ///
    /// The result is a list of nodes, a str, a float or a bool. Namespace nodes come as tuples of prefix and URI.
    ///
    /// Raises XPathError if the expression is malformed or can't be evaluated.
    fn eval(&mut self, expr: &CStr) -> Result<XPathValue<'_>> {
        let context = &*self;
        match context.document() {
            Some(document) => context.eval_on(document.get(), expr),
            None => Err(Error::Value("the context has no document".into())),
        }
    }

    /// Evaluates an expression (xmlXPathCtxtCompile, xmlXPathCompiledEval). The nodes of the result live as long as
    /// `document`, not only as long as this context.
    #[rust_only]
    pub(crate) fn eval_on<'d>(
        &self,
        document: &'d Document,
        expr: &CStr,
    ) -> Result<XPathValue<'d>> {
        let compiled = on_enough_stack(|| self.compile(expr))?;
        self.value_of(document, &compiled, expr)
    }

    #[rust_only]
    fn value_of<'d>(
        &self,
        document: &'d Document,
        compiled: &Compiled,
        expr: &CStr,
    ) -> Result<XPathValue<'d>> {
        #[cfg(marks_entities)]
        let turn = crate::turn::wait(document)?;
        let result = self.evaluate_interruptibly(compiled);
        #[cfg(marks_entities)]
        drop(turn);
        let result = result.map_err(|error| XPathError::about(error, expr))?;
        result.value_in(document)
    }

    /// Evaluates an expression, and lets waiting signal handlers run meanwhile.
    ///
    /// Most evaluations end within [`SHORT`] operations, so that no signal waits for long. An evaluation that takes
    /// more starts again beside the signal handlers: libxml2 can't continue it, and an evaluation changes nothing.
    #[rust_only]
    fn evaluate_interruptibly<'c>(&'c self, compiled: &Compiled) -> Result<Owned<'c, XPathObject>> {
        if !handles_signals() {
            self.limit_operations(0);
            return on_enough_stack(|| self.evaluate(compiled));
        }
        self.limit_operations(SHORT);
        self.count_operations(0);
        let mut result = on_enough_stack(|| self.evaluate(compiled));
        // An operation limit error without a limit means that a fork ended the evaluation: it starts again in both
        // processes.
        while result.as_ref().is_err_and(XPathError::is_of_operations) {
            self.limit_operations(0);
            result = on_enough_stack(|| self.evaluate_beside_signals(compiled));
        }
        result
    }
}

/// The number of operations evaluated before signal handlers run beside the evaluation: some tens of milliseconds,
/// unless single operations take long.
const SHORT: c_ulong = 200_000;

/// The stack in bytes that libxml2's limit on the depth of expressions needs, with a margin for other builds of
/// libxml2.
const STACK: usize = 2 << 20;

/// Calls libxml2 with enough stack for its limit on depth: on a new stack if this thread's stack has less left.
fn on_enough_stack<R>(call: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(STACK, 2 * STACK, call)
}

/// Evaluates an expression with `node` as context node, in a context that the document keeps for that, and without
/// registered namespaces. The context and the compiled expression are used again, unless the evaluation failed.
pub(crate) fn evaluate_at<'d>(
    document: &'d Document,
    node: &Node,
    expr: &CStr,
) -> Result<XPathValue<'d>> {
    let idle = IdleHandles::of(document);
    let mut context: Owned<'_, XPathContext> = match idle.take(b"") {
        Some(context) => context,
        None => document.new_context()?,
    };
    context.set_context_node(node)?;
    let compiled = match idle.take(expr.to_bytes()) {
        Some(compiled) => compiled,
        None => on_enough_stack(|| context.compile(expr))?,
    };
    let value = context.value_of(document, &compiled, expr)?;
    idle.keep(expr.to_bytes(), compiled);
    idle.keep(b"", context);
    Ok(value)
}

impl Reusable for XPathContext {
    /// One for each of two threads: a context takes 13 KB.
    const AT_MOST: usize = 2;

    /// Leaves the context node: [`evaluate_at`] sets it before each evaluation. Nothing in this module binds variables.
    fn reset(&mut self) -> Result<()> {
        self.forget_namespaces();
        Ok(())
    }
}

impl Reusable for Compiled {
    const AT_MOST: usize = 16;

    /// An evaluation leaves nothing in the expression but the addresses of libxml2's own functions.
    fn reset(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A compiled expression. It needs no context, but the namespaces that the context had are compiled into it.
#[handle(raw = ffi::xmlXPathCompExpr, release = ffi::xmlXPathFreeCompExpr, parent = Document)]
pub(crate) struct Compiled;

/// The result of an evaluation. The result owns its namespace nodes; all other nodes belong to the document.
#[handle(raw = ffi::xmlXPathObject, release = ffi::xmlXPathFreeObject, parent = XPathContext)]
pub(crate) struct XPathObject;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl XPathObject {
    #[field(type_)]
    fn type_number(&self) -> u32;

    #[field(nodesetval, when(type_, ffi::XPATH_NODESET | ffi::XPATH_XSLT_TREE))]
    fn node_set(&self) -> Option<Borrowed<NodeSet>>;

    #[field(boolval)]
    fn boolean(&self) -> bool;

    #[field(floatval)]
    fn number(&self) -> f64;

    #[field(stringval, when(type_, ffi::XPATH_STRING))]
    fn string(&self) -> Option<String>;

    fn value_in<'d>(&self, document: &'d Document) -> Result<XPathValue<'d>> {
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

    fn items<'d>(&self, document: &'d Document) -> Result<Vec<XPathItem<'d>>> {
        let members = self
            .node_set()
            .map(|set| set.get().members())
            .unwrap_or_default();
        gather(
            members
                .into_iter()
                .map(|member| member.get().item(document)),
        )
    }
}

/// The node set of a result.
#[handle(raw = ffi::xmlNodeSet, part_of = XPathObject)]
pub(crate) struct NodeSet;

#[methods(unsafe, rust_only)]
impl NodeSet {
    #[field(nodeTab, len = nodeNr)]
    fn members(&self) -> Vec<Borrowed<Member>>;
}

/// A member of a node set: a node of the document, or a namespace that the result owns. The type distinguishes them.
#[handle(raw = ffi::xmlNode, part_of = XPathObject)]
pub(crate) struct Member;

#[methods(unsafe, rust_only)]
impl Member {
    #[field(self, when(type_, ffi::XML_NAMESPACE_DECL))]
    fn as_namespace(&self) -> Option<Borrowed<Namespace>>;

    #[field(self)]
    fn as_node(&self) -> Option<Borrowed<Node>>;

    fn item<'d>(&self, document: &'d Document) -> Result<XPathItem<'d>> {
        if let Some(namespace) = self.as_namespace() {
            return Ok(XPathItem::Namespace((
                namespace.prefix(),
                namespace.href().unwrap_or_default(),
            )));
        }
        match self.as_node().and_then(|node| node.with_owner(document)) {
            Some(node) => Ok(XPathItem::Node(node)),
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
    Namespace((Option<String>, String)),
}

impl ErrorSource<XPathContext> for XPathErrors {
    fn failed_silently(&self, _: &CallInfo<'_, XPathContext>) -> bool {
        self.has_no_memory()
    }

    fn into_error(self, call: &CallInfo<'_, XPathContext>) -> Error {
        self.into_xpath_error(call.function)
    }
}
