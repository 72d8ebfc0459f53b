//! The steps of an evaluation.

use std::ffi::c_ulong;
use std::sync::Arc;

use leakproof::prelude::*;
use leakproof::pyo3::Python;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::intern;
use leakproof::pyo3::prelude::{Bound, Py, PyAny, PyAnyMethods, PyResult};
use leakproof::{CallContext, IdleHandles};

use crate::document::Document;
use crate::ffi;
use crate::node::Node;
use crate::xpath::causes::{self, Cause, Type};
use crate::xpath::compiled::{DocumentExpression, ExpressionCode, XPath, compile};
use crate::xpath::context::{XPathContext, check_node, compiling, on_enough_stack};
use crate::xpath::errors::XPathError;
use crate::xpath::functions::{Calls, Functions, is_built_in};
use crate::xpath::names::{self, Kind, Name};
use crate::xpath::options::{Key, Limits, Options, items, key_of, uri_of};
use crate::xpath::values::{XPathObject, XPathValue};

/// A document without nodes, which stands in for the one above a tree that is in no document.
///
/// XPath takes the document of its context for the parent of each topmost node. So `..` would lead from the top of such
/// a tree to nodes that are not above it.
pub(crate) struct Above(Owned<'static, Document>);

impl Above {
    /// Returns what stands above `node` in an evaluation; `None` for a node in the tree of its document. Refuses an
    /// expression that begins at the document.
    pub(crate) fn of(node: &Node, expr: &CStr) -> Result<Option<Self>> {
        let topmost = Successors::new(Some(Borrowed::from(node)), Node::parent).last();
        if topmost.is_none_or(|topmost| topmost.is_document()) {
            return Ok(None);
        }
        let text = expr.to_string_lossy();
        match names::begins_at_document(&text) {
            true => Err(Error::Value(format!(
                "{text:?} begins at the document, and the node is in no tree: begin at the node, as in \".//name\""
            ))),
            false => Ok(Some(Above(Document::with_version(c"1.0")?))),
        }
    }
}

/// Evaluates an expression with `node` as context node, in a context that the document keeps for that, and without
/// registered namespaces. The context and the compiled expression are used again, unless the evaluation failed.
pub(crate) fn evaluate_at<'d>(
    document: &'d Document,
    node: &Node,
    expr: &CStr,
) -> Result<XPathValue<'d>> {
    let idle = IdleHandles::of(document);
    check_node(node)?;
    let mut context = context_in(&idle, document)?;
    if let Some(above) = Above::of(node, expr)? {
        context.put_context_node(node)?;
        return eval_below(&mut context, document, expr, Limits::default(), &above);
    }
    let value = match idle.take::<DocumentExpression>(expr.to_bytes()) {
        Some(compiled) => {
            let value = value_at(&mut context, document, node, compiled.code(), expr)?;
            idle.keep(expr.to_bytes(), compiled);
            value
        }
        None => {
            context.put_context_node(node)?;
            let compiled = compiling(expr, || context.compile(expr))?;
            let value = value_of(&context, document, compiled.code(), expr, 0)?;
            idle.keep(expr.to_bytes(), compiled);
            value
        }
    };
    idle.keep(b"", context);
    Ok(value)
}

/// Returns an idle context of the document, or a new one.
pub(crate) fn context_of(document: &Document) -> Result<Owned<'_, XPathContext>> {
    context_in(&IdleHandles::of(document), document)
}

/// Does what [`context_of`] does, for a caller that has the idle handles of the document.
fn context_in<'d>(
    idle: &IdleHandles<'d, Document>,
    document: &'d Document,
) -> Result<Owned<'d, XPathContext>> {
    match idle.take(b"") {
        Some(context) => Ok(context),
        None => document.new_context(),
    }
}

/// Evaluates an expression in a context that the user made.
pub(crate) fn eval_in<'d>(
    context: &XPathContext,
    document: &'d Document,
    expr: &CStr,
    limits: Limits,
) -> Result<XPathValue<'d>> {
    limits.check_depth(expr)?;
    let mut compiled = compiling(expr, || context.compile(expr))?;
    if let Some(counted) = limits.counted(expr) {
        compiled = compiling(&counted, || context.compile(&counted))
            .map_err(|error| XPathError::in_expression(error, &expr.to_string_lossy()))?;
    }
    value_of(context, document, compiled.code(), expr, limits.operations)
}

/// Evaluates an expression at a node that is in no tree, in a context that is used for that only.
pub(crate) fn eval_below<'d>(
    context: &mut XPathContext,
    document: &'d Document,
    expr: &CStr,
    limits: Limits,
    above: &Above,
) -> Result<XPathValue<'d>> {
    limits.check_depth(expr)?;
    let compiled = compile(expr, limits)?;
    let most = limits.operations;
    value_below(context, document, compiled.code(), expr, most, above)
}

/// Evaluates a compiled expression at a node that is in no tree, without functions of Python code.
fn value_below<'d>(
    context: &mut XPathContext,
    document: &'d Document,
    code: Option<Borrowed<'_, ExpressionCode>>,
    expr: &CStr,
    most: c_ulong,
    above: &Above,
) -> Result<XPathValue<'d>> {
    let code = code.ok_or_else(no_code)?;
    context.limit_operations(most);
    context.count_operations(0);
    #[cfg(marks_entities)]
    let turn = crate::turn::wait(document)?;
    let below = &mut *context;
    let result = on_enough_stack(move || below.evaluate_below(&code, &above.0))
        .map(|result| result.value_in(document));
    #[cfg(marks_entities)]
    drop(turn);
    result.unwrap_or_else(|error| Err(explained(error, context, expr)))
}

/// Evaluates a compiled expression, without functions of Python code.
fn value_of<'d>(
    context: &XPathContext,
    document: &'d Document,
    code: Option<Borrowed<'_, ExpressionCode>>,
    expr: &CStr,
    most: c_ulong,
) -> Result<XPathValue<'d>> {
    #[cfg(marks_entities)]
    let turn = crate::turn::wait(document)?;
    let result = match code {
        Some(code) => context.evaluate_interruptibly(&code, most),
        None => Err(no_code()),
    };
    #[cfg(marks_entities)]
    drop(turn);
    match result {
        Ok(result) => result.value_in(document),
        Err(error) => Err(explained(error, context, expr)),
    }
}

/// Evaluates a compiled expression with `node` as context node, without options.
fn value_at<'d>(
    context: &mut XPathContext,
    document: &'d Document,
    node: &Node,
    code: Option<Borrowed<'_, ExpressionCode>>,
    expr: &CStr,
) -> Result<XPathValue<'d>> {
    let code = code.ok_or_else(no_code)?;
    #[cfg(marks_entities)]
    let turn = crate::turn::wait(document)?;
    let result = context.value_at(&code, node, document);
    #[cfg(marks_entities)]
    drop(turn);
    result.unwrap_or_else(|error| Err(explained(error, context, expr)))
}

fn no_code() -> Error {
    Error::Value("the expression is not compiled".into())
}

/// The expression of an evaluation.
#[derive(Clone, Copy)]
pub(crate) enum Expr<'e> {
    Text(&'e CStr),
    /// A compiled expression, and its text.
    Compiled(&'e XPath, &'e CStr),
}

/// An evaluation with options.
pub(crate) struct Request<'r, 'py> {
    pub(crate) expr: Expr<'r>,
    pub(crate) options: &'r Options,
    pub(crate) variables: Option<&'r Bound<'py, PyAny>>,
    /// The Python object of the document. Evaluations with functions need it.
    pub(crate) owner: Option<&'r Bound<'py, PyAny>>,
}

impl Request<'_, '_> {
    /// Evaluates with `node` as context node.
    ///
    /// The context is used again, unless the evaluation failed.
    pub(crate) fn evaluate<'d>(
        &self,
        document: &'d Document,
        node: &Node,
    ) -> Result<XPathValue<'d>> {
        let (Expr::Text(text) | Expr::Compiled(_, text)) = self.expr;
        check_node(node)?;
        let above = Above::of(node, text)?;
        let mut context = context_of(document)?;
        if let Expr::Compiled(xpath, text) = self.expr
            && above.is_none()
            && self.is_plain()
        {
            let expression = xpath.expression()?;
            let value = value_at(&mut context, document, node, expression.code(), text)?;
            IdleHandles::of(xpath).keep(b"", expression);
            IdleHandles::of(document).keep(b"", context);
            return Ok(value);
        }
        context.put_context_node(node)?;
        for (prefix, uri) in &self.options.namespaces {
            context.bind_prefix(prefix, uri)?;
        }
        self.bind_variables(&context, document)?;
        let value = match self.expr {
            Expr::Text(_) => self.evaluate_text(&mut context, document, text, above.as_ref())?,
            Expr::Compiled(xpath, _) => {
                let expression = xpath.expression()?;
                let (code, above) = (expression.code(), above.as_ref());
                let value = self.evaluate_code(&mut context, document, code, text, above)?;
                if !self.options.functions.have_namespaces() {
                    IdleHandles::of(xpath).keep(b"", expression);
                }
                value
            }
        };
        if above.is_some() {
            return Ok(value);
        }
        if !self.options.namespaces.is_empty() {
            context.forget_namespaces();
        }
        if self.variables.is_some() {
            context.forget_variables();
        }
        for Key { uri, local } in self.options.functions.names() {
            context.forget_function(local, uri.as_deref())?;
        }
        IdleHandles::of(document).keep(b"", context);
        Ok(value)
    }

    /// Returns `true` for an evaluation without options and variables.
    fn is_plain(&self) -> bool {
        let Options {
            namespaces,
            functions,
            limits,
        } = self.options;
        let has_names = !namespaces.is_empty() || !functions.is_empty();
        !has_names && limits.are_none() && self.variables.is_none()
    }

    fn bind_variables(&self, context: &XPathContext, document: &Document) -> Result<()> {
        let Some(variables) = self.variables else {
            return Ok(());
        };
        for (name, value) in items(variables, "variables")? {
            let namespaces = &self.options.namespaces;
            let key = key_of(&name, "variable", |prefix| uri_of(namespaces, prefix))?;
            context.bind_variable(document, &key, &value)?;
        }
        Ok(())
    }

    fn evaluate_text<'d>(
        &self,
        context: &mut XPathContext,
        document: &'d Document,
        text: &CStr,
        above: Option<&Above>,
    ) -> Result<XPathValue<'d>> {
        let Options {
            namespaces,
            functions,
            limits,
        } = self.options;
        limits.check_depth(text)?;
        if !functions.is_empty() {
            // A compiled expression remembers the functions that it called.
            let compiled = compile(text, *limits)?;
            return self.evaluate_code(context, document, compiled.code(), text, above);
        }
        if let Some(above) = above {
            return eval_below(context, document, text, *limits, above);
        }
        // The same holds for functions of libxml2's own, which a prefix of this evaluation may stand for.
        let is_remembering = !namespaces.is_empty() && calls_by_prefix(&text.to_string_lossy());
        if limits.operations != 0 || is_remembering {
            return eval_in(context, document, text, *limits);
        }
        let compiled = match IdleHandles::of(document).take(text.to_bytes()) {
            Some(compiled) => compiled,
            None => compiling(text, || context.compile(text))?,
        };
        let value = value_of(context, document, compiled.code(), text, 0)?;
        IdleHandles::of(document).keep(text.to_bytes(), compiled);
        Ok(value)
    }

    fn evaluate_code<'d>(
        &self,
        context: &mut XPathContext,
        document: &'d Document,
        code: Option<Borrowed<'_, ExpressionCode>>,
        text: &CStr,
        above: Option<&Above>,
    ) -> Result<XPathValue<'d>> {
        let Options {
            functions, limits, ..
        } = self.options;
        let (Some(owner), false) = (self.owner, functions.is_empty()) else {
            let most = limits.operations;
            return match above {
                None => value_of(context, document, code, text, most),
                Some(above) => value_below(context, document, code, text, most, above),
            };
        };
        let calling = Calling {
            document,
            functions,
            limits: *limits,
            owner,
            above,
        };
        calling.evaluate(context, code, text, |result| result.value_in(document))
    }
}

/// An evaluation with functions of Python code.
pub(crate) struct Calling<'r, 'py> {
    pub(crate) document: &'r Document,
    pub(crate) functions: &'r Arc<Functions>,
    pub(crate) limits: Limits,
    /// The Python object of the document.
    pub(crate) owner: &'r Bound<'py, PyAny>,
    /// What stands above a context node that is in no tree.
    pub(crate) above: Option<&'r Above>,
}

impl Calling<'_, '_> {
    /// Evaluates, and reads the result. The context knows the functions until it forgets them.
    pub(crate) fn evaluate<R>(
        &self,
        context: &mut XPathContext,
        code: Option<Borrowed<'_, ExpressionCode>>,
        text: &CStr,
        read: impl FnOnce(&XPathObject) -> Result<R>,
    ) -> Result<R> {
        let code = code.ok_or_else(no_code)?;
        for key @ Key { uri, local } in self.functions.names() {
            if context.has_function(local, uri.as_deref()) {
                return Err(is_built_in(key));
            }
            context.bind_function(local, uri.as_deref())?;
        }
        context.limit_operations(self.limits.operations);
        context.count_operations(0);
        let calls = Calls::new(self.functions, self.document, self.owner)?;
        #[cfg(marks_entities)]
        let turn = crate::turn::wait(self.document)?;
        let calling = &mut *context;
        let result = on_enough_stack(move || match self.above {
            None => calling.evaluate_calling(&code, &calls),
            Some(above) => calling.evaluate_calling_below(&code, &above.0, &calls),
        })
        .map(|result| read(&result));
        #[cfg(marks_entities)]
        drop(turn);
        result.unwrap_or_else(|error| Err(explained(error, context, text)))
    }
}

/// Returns `true` if an expression calls a function by a name with a prefix.
fn calls_by_prefix(expression: &str) -> bool {
    names::names(expression).any(|name| name.kind == Kind::Function && name.prefix.is_some())
}

/// Adds the expression to an error, and the name that was not found, or the call or the operator that failed.
fn explained(error: Error, context: &XPathContext, expr: &CStr) -> Error {
    let Some(code) = XPathError::code_of(&error) else {
        return error;
    };
    let text = expr.to_string_lossy();
    let is_unknown = |name: &Name<'_>| match code {
        ffi::XML_XPATH_UNDEF_VARIABLE_ERROR => {
            name.kind == Kind::Variable && !is_variable(context, name)
        }
        ffi::XML_XPATH_UNKNOWN_FUNC_ERROR => {
            name.kind == Kind::Function && !is_function(context, name)
        }
        ffi::XML_XPATH_UNDEF_PREFIX_ERROR => uri_in(context, name).is_none(),
        _ => false,
    };
    let of_prefix = code == ffi::XML_XPATH_UNDEF_PREFIX_ERROR;
    let unknown = names::names(&text).filter(is_unknown);
    let mut causes: Vec<_> = unknown.map(|name| Cause::name(&name, of_prefix)).collect();
    if causes.is_empty() {
        causes = on_enough_stack(|| causes::causes(code, &text, &|name| type_of(context, name)));
    }
    XPathError::about(error, &text, &causes)
}

/// Returns the type of a variable's value.
fn type_of(context: &XPathContext, variable: &Name<'_>) -> Type {
    let value = || {
        let local = CString::new(variable.local).ok()?;
        context.variable(&local, uri_in(context, variable)?.as_deref())
    };
    match value() {
        Some(value) if value.is_node_set() => Type::Nodes,
        Some(_) => Type::Other,
        None => Type::Unknown,
    }
}

/// Returns the namespace of a name, which is empty without a prefix; `None` for an unknown prefix.
fn uri_in(context: &XPathContext, name: &Name<'_>) -> Option<Option<CString>> {
    let Some(prefix) = name.prefix else {
        return Some(None);
    };
    let prefix = CString::new(prefix).ok()?;
    let uri = context.namespace(&prefix)?;
    CString::new(uri).ok().map(Some)
}

fn is_variable(context: &XPathContext, name: &Name<'_>) -> bool {
    is_known(context, name, |local, uri| {
        context.variable(local, uri).is_some()
    })
}

fn is_function(context: &XPathContext, name: &Name<'_>) -> bool {
    is_known(context, name, |local, uri| context.has_function(local, uri))
}

/// Returns `true` also for a name with an unknown prefix: that is another error.
fn is_known(
    context: &XPathContext,
    name: &Name<'_>,
    is_there: impl Fn(&CStr, Option<&CStr>) -> bool,
) -> bool {
    let Some(uri) = uri_in(context, name) else {
        return true;
    };
    CString::new(name.local).is_ok_and(|local| is_there(&local, uri.as_deref()))
}

/// The answer of `xpathEval`.
pub(crate) enum Answer<'d> {
    Value(XPathValue<'d>),
    /// An evaluation that needs the Python object of the document.
    Later(Later<'d>),
}

/// An evaluation that begins when the Python object of the document is known: functions of Python code get nodes.
pub(crate) struct Later<'d> {
    document: &'d Document,
    node: Borrowed<'d, Node>,
    expr: CString,
    arguments: Arguments,
}

/// The options of `xpathEval`, as Python passed them.
#[derive(Default)]
pub(crate) struct Arguments {
    pub(crate) namespaces: Object,
    pub(crate) variables: Object,
    pub(crate) functions: Object,
    pub(crate) limits: Limits,
}

type Object = Option<Py<PyAny>>;

impl IntoPython for Answer<'_> {
    const TYPE: PyStaticExpr = <XPathValue<'static> as IntoPython>::TYPE;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        let later = match self {
            Answer::Value(value) => return value.into_python(context),
            Answer::Later(later) => later,
        };
        let owner = Borrowed::from(later.document).into_python(context)?;
        let node = later.node.into_python(context)?;
        let expr = later.expr.into_python(context)?;
        let arguments = (&owner, node, expr, Passed::from(later.arguments));
        owner.call_method1(intern!(context.py(), "_evaluate"), arguments)
    }
}

/// Options on their way through Python.
pub(crate) type Passed = (Object, Object, Object, (c_ulong, Option<usize>));

impl From<Passed> for Arguments {
    fn from((namespaces, variables, functions, limits): Passed) -> Self {
        Arguments {
            namespaces,
            variables,
            functions,
            limits: Limits::from_fields(limits),
        }
    }
}

impl From<Arguments> for Passed {
    fn from(arguments: Arguments) -> Self {
        (
            arguments.namespaces,
            arguments.variables,
            arguments.functions,
            arguments.limits.fields(),
        )
    }
}

impl Arguments {
    fn is_empty(&self) -> bool {
        self.namespaces.is_none()
            && self.variables.is_none()
            && self.functions.is_none()
            && self.limits.are_none()
    }

    /// Evaluates an expression, or puts that off.
    pub(crate) fn evaluate<'d>(
        self,
        document: &'d Document,
        node: Borrowed<'d, Node>,
        expr: &CStr,
    ) -> Result<Answer<'d>> {
        if self.is_empty() {
            return evaluate_at(document, &node, expr).map(Answer::Value);
        }
        if self.functions.is_some() {
            return Ok(Answer::Later(Later {
                document,
                node,
                expr: expr.to_owned(),
                arguments: self,
            }));
        }
        Python::attach(|py| self.evaluate_with(py, None, document, &node, expr)).map(Answer::Value)
    }

    pub(crate) fn evaluate_with<'d>(
        &self,
        py: Python<'_>,
        owner: Option<&Bound<'_, PyAny>>,
        document: &'d Document,
        node: &Node,
        expr: &CStr,
    ) -> Result<XPathValue<'d>> {
        fn bound<'o, 'py>(object: &'o Object, py: Python<'py>) -> Option<&'o Bound<'py, PyAny>> {
            object.as_ref().map(|object| object.bind(py))
        }
        let options = Options::new(
            bound(&self.namespaces, py),
            bound(&self.functions, py),
            self.limits,
        )?;
        let request = Request {
            expr: Expr::Text(expr),
            options: &options,
            variables: bound(&self.variables, py),
            owner,
        };
        request.evaluate(document, node)
    }
}
