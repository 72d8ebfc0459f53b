//! Contexts: the state of evaluations.

use std::collections::BTreeMap;
use std::ffi::{c_int, c_ulong};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leakproof::prelude::*;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{Bound, PyAny, PyAnyMethods, PyResult};
use leakproof::pyo3::types::{PySequence, PySequenceMethods, PyString, PyTuple};
use leakproof::{CallContext, IdleHandles, KeptPart, Reusable, handles_signals, with_handle};

use crate::document::Document;
use crate::ffi;
use crate::node::{Node, NodeClass, gather};
use crate::numbers::Count;
use crate::xpath::compiled::{DocumentExpression, ExpressionCode, compile};
use crate::xpath::errors::{XPathError, XPathErrors};
use crate::xpath::evaluate::{Above, Calling, context_of, eval_below, eval_in};
use crate::xpath::functions::{Calls, Functions};
use crate::xpath::options::{Key, Limits, Namespaces, key_of};
use crate::xpath::values::{XPathObject, XPathValue};

/// The state of XPath evaluations: a context node, namespace prefixes and variables.
///
/// The context keeps its document alive, and can't be used after the document was closed.
#[handle(
    raw = ffi::xmlXPathContext,
    release = ffi::xmlXPathFreeContext,
    parent = Document,
    attachments,
    errors(
        XPathErrors,
        callback = error,
        thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError
    )
)]
pub(crate) struct XPathContext;

/// The nodes that a context was given. It keeps pointers to the nodes, and libxml2 looks at them also when the context
/// is released.
#[derive(Default, Attachment)]
struct Nodes(Mutex<InUse>);

#[derive(Default, Attachment)]
struct InUse {
    node: Option<KeptPart>,
    variables: BTreeMap<(Option<CString>, CString), Vec<KeptPart>>,
    prefixes: Namespaces,
}

/// Refuses a node that no evaluation may have: an attribute that was taken out of its element, and a text of one.
/// libxml2 follows the pointer to the element.
///
/// Each node that Python gives to XPath is checked here when libxml2 gets it, and those that a context keeps are
/// checked again before each evaluation.
pub(crate) fn check_node(node: &Node) -> Result<()> {
    let attribute = match node.is_attribute() {
        true => Some(Borrowed::from(node)),
        false => node.parent().filter(|parent| parent.is_attribute()),
    };
    match attribute.is_some_and(|attribute| attribute.parent().is_none()) {
        true => Err(Error::Value(
            "an attribute that was taken out of its element has no place in XPath".into(),
        )),
        false => Ok(()),
    }
}

/// Keeps the nodes of a value, which is a node or a list of nodes, or has none.
fn nodes_of(value: &Bound<'_, PyAny>) -> Result<Vec<KeptPart>> {
    let of = |node: &Bound<'_, PyAny>| -> Result<KeptPart> {
        with_handle(node, |node: &Node| KeptPart::of(node))?
    };
    if value.is_instance_of::<NodeClass>() {
        return gather(std::iter::once(of(value)));
    }
    if value.is_instance_of::<PyTuple>() {
        let nodes = value.try_iter()?;
        return gather(nodes.filter_map(|node| match node {
            Ok(node) if node.is_instance_of::<NodeClass>() => Some(of(&node)),
            // The conversion of the value says what is wrong.
            Ok(_) => None,
            Err(error) => Some(Err(error.into())),
        }));
    }
    Ok(Vec::new())
}

#[methods(unsafe, rust_only)]
impl XPathContext {
    #[field(doc)]
    pub(crate) fn document(&self) -> Option<Borrowed<Document>>;

    /// Makes a node the context node that the caller has checked.
    #[calls(ffi::xmlXPathSetContextNode, args = (node, self), fails = nonzero)]
    pub(crate) fn put_context_node(&mut self, node: &Node) -> Result<()>;

    pub(crate) fn set_context_node(&mut self, node: &Node) -> Result<()> {
        check_node(node)?;
        self.put_context_node(node)
    }

    #[calls(ffi::xmlXPathCtxtCompile, fails = null)]
    pub(crate) fn compile(&self, expr: &CStr) -> Result<Owned<DocumentExpression>>;

    #[calls(ffi::xmlXPathCompiledEval, args = (code, self), fails = null, detach)]
    fn evaluate(&self, code: &ExpressionCode) -> Result<Owned<XPathObject>>;

    /// Evaluates while signal handlers run. A handler that raises ends the evaluation.
    #[calls(ffi::xmlXPathCompiledEval, args = (code, self), fails = null, detach, interrupt = XPathContext::stop)]
    fn evaluate_beside_signals(&self, code: &ExpressionCode) -> Result<Owned<XPathObject>>;

    /// Evaluates with `node` as context node, which the context has only until then.
    #[calls(ffi::xmlXPathCompiledEval, args = (code, self), fields(node = node), fails = null, detach)]
    fn evaluate_from(&mut self, code: &ExpressionCode, node: &Node) -> Result<Owned<XPathObject>>;

    /// Evaluates at a node that is in no tree. `above` stands in for the document, which is not above the node; the
    /// context has none afterwards.
    #[foreign(above)]
    #[calls(ffi::xmlXPathCompiledEval, args = (code, self), fields(doc = above), fails = null, detach)]
    pub(crate) fn evaluate_below(
        &mut self,
        code: &ExpressionCode,
        above: &Document,
    ) -> Result<Owned<XPathObject>>;

    /// Does what `evaluate_below` does, with functions of Python code.
    #[foreign(above)]
    #[calls(
        ffi::xmlXPathCompiledEval,
        args = (code, self),
        fields(doc = above, funcLookupData = calls.data),
        fails = null,
        detach
    )]
    pub(crate) fn evaluate_calling_below(
        &mut self,
        code: &ExpressionCode,
        above: &Document,
        calls: &Calls,
    ) -> Result<Owned<XPathObject>>;

    /// Evaluates with functions of Python code.
    #[calls(
        ffi::xmlXPathCompiledEval,
        args = (code, self),
        fields(funcLookupData = calls.data),
        fails = null,
        detach
    )]
    pub(crate) fn evaluate_calling(
        &mut self,
        code: &ExpressionCode,
        calls: &Calls,
    ) -> Result<Owned<XPathObject>>;

    /// Sets the maximum number of operations of an evaluation; 0 removes the limit. libxml2 reads the limit at each
    /// operation.
    #[field(opLimit, atomic)]
    pub(crate) fn limit_operations(&self, most: c_ulong);

    /// Sets the number of operations counted so far. libxml2 continues from this number, over several evaluations.
    #[field(opCount, atomic)]
    pub(crate) fn count_operations(&self, taken: c_ulong);

    /// The number of operations counted so far; after an exceeded limit, that limit.
    #[field(opCount, atomic)]
    fn operations(&self) -> c_ulong;

    /// Ends the running evaluation at its next operation.
    fn stop(&self) {
        self.limit_operations(1);
    }

    #[calls(ffi::xmlXPathRegisterNs, fails = nonzero)]
    pub(crate) fn bind_prefix(&mut self, prefix: &CStr, uri: &CStr) -> Result<()>;

    #[calls(ffi::xmlXPathNsLookup, utf8 = lossy)]
    pub(crate) fn namespace(&self, prefix: &CStr) -> Option<String>;

    #[calls(ffi::xmlXPathRegisteredNsCleanup)]
    pub(crate) fn forget_namespaces(&mut self);

    /// A copy of a variable's value.
    #[calls(ffi::xmlXPathVariableLookupNS)]
    pub(crate) fn variable(&self, name: &CStr, uri: Option<&CStr>) -> Option<Owned<XPathObject>>;

    #[calls(ffi::xmlXPathRegisteredVariablesCleanup)]
    pub(crate) fn forget_variables(&mut self);

    /// Makes libxml2 call the functions of an evaluation by this name.
    #[calls(ffi::xmlXPathRegisterFuncNS, args = (self, name, uri, Calls::CALL), fails = nonzero)]
    pub(crate) fn bind_function(&mut self, name: &CStr, uri: Option<&CStr>) -> Result<()>;

    #[calls(ffi::xmlXPathRegisterFuncNS, args = (self, name, uri, null), fails = nonzero)]
    pub(crate) fn forget_function(&mut self, name: &CStr, uri: Option<&CStr>) -> Result<()>;

    #[calls(ffi::xmlXPathFunctionLookupNS)]
    pub(crate) fn has_function(&self, name: &CStr, uri: Option<&CStr>) -> bool;

    /// Returns zero for a name without a colon that XML allows.
    #[calls(ffi::xmlValidateNCName, args = (name, 0))]
    pub(crate) fn check_name(name: &CStr) -> c_int;

    #[field(node)]
    fn node(&self) -> Option<Borrowed<Node>>;

    /// Evaluates a compiled expression, and lets waiting signal handlers run meanwhile.
    ///
    /// Most evaluations end within [`SHORT`] operations, so that no signal waits for long. An evaluation that takes
    /// more starts again beside the signal handlers: libxml2 can't continue it, and an evaluation changes nothing.
    pub(crate) fn evaluate_interruptibly<'c>(
        &'c self,
        code: &ExpressionCode,
        most: c_ulong,
    ) -> Result<Owned<'c, XPathObject>> {
        if !handles_signals() {
            self.limit_operations(most);
            self.count_operations(0);
            return on_enough_stack(|| self.evaluate(code));
        }
        let is_short = most != 0 && most <= SHORT;
        self.limit_operations(if is_short { most } else { SHORT });
        self.count_operations(0);
        let result = on_enough_stack(|| self.evaluate(code));
        match is_short {
            true => result,
            false => self.evaluate_long(result, code, most),
        }
    }

    /// Evaluates again beside the signal handlers while the result says that an evaluation was too long.
    fn evaluate_long<'c>(
        &'c self,
        mut result: Result<Owned<'c, XPathObject>>,
        code: &ExpressionCode,
        most: c_ulong,
    ) -> Result<Owned<'c, XPathObject>> {
        // An error about another limit than `most` means that the first evaluation was too long, or that a fork ended
        // the second one: it starts again in both processes.
        while result.as_ref().is_err_and(XPathError::is_of_operations) && self.is_below(most) {
            self.limit_operations(most);
            self.count_operations(0);
            result = on_enough_stack(|| self.evaluate_beside_signals(code));
        }
        result
    }

    /// Evaluates with `node` as context node, which the caller has checked, and reads the result. Does otherwise what
    /// `evaluate_interruptibly` does.
    pub(crate) fn value_at<'d>(
        &mut self,
        code: &ExpressionCode,
        node: &Node,
        document: &'d Document,
    ) -> Result<Result<XPathValue<'d>>> {
        let interruptibly = handles_signals();
        self.limit_operations(if interruptibly { SHORT } else { 0 });
        self.count_operations(0);
        let value = on_enough_stack(|| self.evaluate_from(code, node))
            .map(|result| result.value_in(document));
        match value {
            Err(error) if interruptibly && XPathError::is_of_operations(&error) => {
                self.put_context_node(node)?;
                let result = self.evaluate_long(Err(error), code, 0)?;
                Ok(result.value_in(document))
            }
            value => value,
        }
    }

    /// Returns `true` if an evaluation ended before `most` operations.
    fn is_below(&self, most: c_ulong) -> bool {
        most == 0 || self.operations() < most
    }
}

#[methods(unsafe)]
impl XPathContext {
    /// Make `prefix` stand for the namespace `uri` (xmlXPathRegisterNs).
    fn register_ns(&mut self, prefix: &CStr, uri: &CStr) -> Result<()> {
        self.bind_prefix(prefix, uri)?;
        let (prefix, uri) = (prefix.to_owned(), uri.to_owned());
        self.in_use().prefixes.insert(prefix, uri);
        Ok(())
    }

    /// Make `$name` stand for a value in all later evaluations of this context (xmlXPathRegisterVariableNS).
    ///
    /// The value is a str, a number, a bool, a node or a list of nodes. A name in a namespace is written "{uri}name",
    /// "prefix:name" with a registered prefix, or as a tuple of URI and name.
    ///
    /// Raises ValueError for a node of another document.
    #[pyo3(signature = (
        name: "str | tuple[str | None, str]",
        value: "str | float | Document | Node | abc.Sequence[Node]"
    ))]
    fn register_variable(&mut self, name: Bound<'_, PyAny>, value: Bound<'_, PyAny>) -> Result<()> {
        let key = key_of(&name, "variable", |prefix| self.namespace(prefix))?;
        let Some(document) = self.document() else {
            return Err(Error::Value("the context has no document".into()));
        };
        // A list may be changed meanwhile.
        let value = match value.cast::<PySequence>() {
            Ok(sequence) if !value.is_instance_of::<PyString>() => sequence.to_tuple()?.into_any(),
            _ => value,
        };
        let kept = nodes_of(&value)?;
        self.bind_variable(document.get(), &key, &value)?;
        self.in_use()
            .variables
            .insert((key.uri.clone(), key.local.clone()), kept);
        Ok(())
    }

    /// Make `node` the context node, at which relative expressions start (xmlXPathSetContextNode). What
    /// `Node.xpathEval` says about nodes that are not in the tree of the document holds here.
    ///
    /// Raises ValueError if `node` belongs to another document.
    pub(crate) fn set_node(&mut self, node: &Node) -> Result<()> {
        if self.document() != node.owner() {
            return Err(Error::Value(
                "the node belongs to another document than the context".into(),
            ));
        }
        let kept = KeptPart::of(node)?;
        self.set_context_node(node)?;
        self.in_use().node = Some(kept);
        Ok(())
    }

    /// The nodes that libxml2 keeps pointers to, from one call to the next.
    #[rust_only]
    fn in_use(&self) -> MutexGuard<'_, InUse> {
        if attached::<Nodes, _>(self).is_none() {
            attach(self, Nodes::default());
        }
        match attached::<Nodes, _>(self) {
            Some(Nodes(nodes)) => nodes.lock().unwrap_or_else(PoisonError::into_inner),
            None => unreachable!("it was attached"),
        }
    }

    /// Checks the nodes that libxml2 keeps: they may have left their places since it got them.
    #[rust_only]
    fn check_nodes(&self) -> Result<()> {
        if attached::<Nodes, _>(self).is_none() {
            return Ok(());
        }
        let in_use = self.in_use();
        if let Some(node) = in_use.node.as_ref().and_then(|_| self.node()) {
            check_node(&node)?;
        }
        let variables = in_use.variables.iter().filter(|(_, kept)| !kept.is_empty());
        for ((uri, local), _) in variables {
            if let Some(value) = self.variable(local, uri.as_deref()) {
                value.check_nodes()?;
            }
        }
        Ok(())
    }

    /// Evaluate an XPath expression in this context.
    ///
    /// The result is a list of nodes, a str, a float or a bool. Namespace nodes come as tuples of prefix and URI.
    ///
    /// `functions` maps names to callables, as in `Document.xpathEval`, for this evaluation only. A name in a namespace
    /// is written "prefix:name" with a registered prefix, "{uri}name", or as a tuple of URI and name. A function can't
    /// use this context: that raises BusyError.
    ///
    /// Raises XPathError if the expression is malformed or can't be evaluated, and XPathLimitError beyond a limit.
    #[pyo3(signature = (
        expr,
        *,
        functions: "abc.Mapping[Any, abc.Callable[..., object]] | None" = None,
        max_operations = None,
        max_depth = None
    ))]
    fn eval(
        &mut self,
        expr: &CStr,
        functions: Option<Bound<'_, PyAny>>,
        max_operations: Option<Count>,
        max_depth: Option<Count>,
    ) -> Result<Evaluated<'_>> {
        let limits = Limits::new(max_operations, max_depth)?;
        let functions = Functions::of(functions.as_ref(), |prefix| self.namespace(prefix))?;
        self.check_nodes()?;
        if !functions.is_empty() {
            return Ok(Evaluated::Later(Later {
                context: self,
                expr: expr.to_owned(),
                functions: Arc::new(functions),
                limits,
            }));
        }
        let context = &*self;
        let document = context.document().ok_or_else(no_document)?;
        let document = document.get();
        let node = context.node();
        let value = match node.map(|node| Above::of(&node, expr)).transpose()? {
            Some(Some(above)) => {
                let mut below = context_of(document)?;
                context.copy_to(&mut below, document)?;
                eval_below(&mut below, document, expr, limits, &above)
            }
            _ => eval_in(context, document, expr, limits),
        };
        value.map(Evaluated::Value)
    }
}

fn no_document() -> Error {
    Error::Value("the context has no document".into())
}

/// The answer of `eval`.
pub(crate) enum Evaluated<'c> {
    Value(XPathValue<'c>),
    /// An evaluation that needs the Python object of the document.
    Later(Later<'c>),
}

/// An evaluation with functions of Python code, which get nodes. It runs in another context that has the same node,
/// prefixes and variables: this one lends the document.
pub(crate) struct Later<'c> {
    context: &'c XPathContext,
    expr: CString,
    functions: Arc<Functions>,
    limits: Limits,
}

impl IntoPython for Evaluated<'_> {
    const TYPE: PyStaticExpr = <XPathValue<'static> as IntoPython>::TYPE;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        match self {
            Evaluated::Value(value) => value.into_python(context),
            Evaluated::Later(later) => {
                let document = later.context.document().ok_or_else(no_document)?;
                let owner = document.into_python(context)?;
                let value = later.evaluate(document.get(), &owner)?;
                value.into_python(context)
            }
        }
    }
}

impl Later<'_> {
    fn evaluate<'d>(
        &self,
        document: &'d Document,
        owner: &Bound<'_, PyAny>,
    ) -> Result<XPathValue<'d>> {
        self.limits.check_depth(&self.expr)?;
        // A compiled expression remembers the functions that it called.
        let compiled = compile(&self.expr, self.limits)?;
        let above = match self.context.node() {
            Some(node) => Above::of(&node, &self.expr)?,
            None => None,
        };
        let mut context = context_of(document)?;
        self.context.copy_to(&mut context, document)?;
        let calling = Calling {
            document,
            functions: &self.functions,
            limits: self.limits,
            owner,
            above: above.as_ref(),
        };
        let code = compiled.code();
        let value = calling.evaluate(&mut context, code, &self.expr, |value| {
            value.value_in(document)
        })?;
        if above.is_some() {
            return Ok(value);
        }
        context.forget_namespaces();
        context.forget_variables();
        for Key { uri, local } in self.functions.names() {
            context.forget_function(local, uri.as_deref())?;
        }
        IdleHandles::of(document).keep(b"", context);
        Ok(value)
    }
}

impl XPathContext {
    /// Gives another context the node, the prefixes and the variables of this one.
    fn copy_to(&self, other: &mut XPathContext, document: &Document) -> Result<()> {
        if let Some(node) = self.node() {
            other.set_context_node(&node)?;
        }
        let in_use = self.in_use();
        for (prefix, uri) in &in_use.prefixes {
            other.bind_prefix(prefix, uri)?;
        }
        for (uri, local) in in_use.variables.keys() {
            self.copy_variable(other, document, local, uri.as_deref())?;
        }
        Ok(())
    }
}

/// The number of operations evaluated before signal handlers run beside the evaluation: some tens of milliseconds,
/// unless single operations take long.
const SHORT: c_ulong = 200_000;

/// The stack in bytes that libxml2's limit on the depth of expressions needs, with a margin for other builds of
/// libxml2.
const STACK: usize = 2 << 20;

/// Calls libxml2 with enough stack for its limit on depth: on a new stack if this thread's stack has less left.
pub(crate) fn on_enough_stack<R>(call: impl FnOnce() -> R) -> R {
    stacker::maybe_grow(STACK, 2 * STACK, call)
}

/// Compiles an expression with enough stack.
pub(crate) fn compiling<R>(expr: &CStr, compile: impl FnOnce() -> Result<R>) -> Result<R> {
    on_enough_stack(compile).map_err(|error| XPathError::of_compiling(error, expr))
}

impl Reusable for XPathContext {
    /// One for each of two threads: a context takes 13 KB.
    const AT_MOST: usize = 2;

    /// Leaves the context node: each evaluation sets it before. An evaluation with prefixes, variables or functions
    /// makes the context forget them.
    fn reset(&mut self) -> Result<()> {
        Ok(())
    }
}

impl ErrorSource<XPathContext> for XPathErrors {
    fn failed_silently(&self, _: &CallInfo<'_, XPathContext>) -> bool {
        self.is_truncated()
    }

    fn into_error(self, call: &CallInfo<'_, XPathContext>) -> Error {
        self.into_xpath_error(call.function)
    }
}
