//! Compiled expressions.

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::intern;
use leakproof::pyo3::prelude::{Bound, Py, PyAny, PyAnyMethods, PyResult, PyTypeMethods};
use leakproof::{CallContext, IdleHandles, Reusable};

use crate::document::{Document, DocumentClass};
use crate::ffi;
use crate::node::NodeClass;
use crate::numbers::Count;
use crate::xpath::context::compiling;
use crate::xpath::errors::{XPathError, XPathErrors};
use crate::xpath::options::{Limits, Options};
use crate::xpath::values::XPathValue;

/// A compiled expression of any owner, as evaluations use it.
#[handle(raw = ffi::xmlXPathCompExpr, callback_only)]
pub(crate) struct ExpressionCode;

/// A compiled expression that a document keeps. It needs neither the document nor a context.
#[handle(raw = ffi::xmlXPathCompExpr, release = ffi::xmlXPathFreeCompExpr, parent = Document)]
pub(crate) struct DocumentExpression;

#[methods(unsafe, rust_only)]
impl DocumentExpression {
    #[calls(ffi::as_code)]
    pub(crate) fn code(&self) -> Option<Borrowed<ExpressionCode>>;
}

impl Reusable for DocumentExpression {
    const AT_MOST: usize = 16;

    /// An evaluation leaves nothing in the expression but the addresses of libxml2's own functions.
    fn reset(&mut self) -> Result<()> {
        Ok(())
    }
}

/// A context without a document, to compile in: libxml2 limits the depth of an expression by its context.
#[handle(
    raw = ffi::xmlXPathContext,
    release = ffi::xmlXPathFreeContext,
    fork_safe,
    errors(
        XPathErrors,
        callback = error,
        thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError
    )
)]
struct CompileContext;

#[methods(unsafe, rust_only)]
impl CompileContext {
    #[calls(ffi::xmlXPathNewContext, args = (null), fails = null)]
    fn new() -> Result<Owned<CompileContext>>;

    #[calls(ffi::xmlXPathCtxtCompile, fails = null)]
    fn compile(&self, expr: &CStr) -> Result<Owned<XPath>>;
}

/// An XPath expression that is compiled once, and evaluated on any node of any document, on any thread.
///
/// The namespaces, the functions and the limits are those of `xpathEval`. Variables are an argument of each call.
#[handle(
    raw = ffi::xmlXPathCompExpr,
    release = ffi::xmlXPathFreeCompExpr,
    attachments,
    fork_safe,
    errors(
        XPathErrors,
        thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError
    )
)]
pub(crate) struct XPath;

/// The expression and the options of an [`XPath`].
#[derive(Attachment)]
pub(crate) struct Source {
    pub(crate) text: CString,
    pub(crate) options: Options,
}

#[methods(unsafe, rust_only)]
impl XPath {
    #[calls(ffi::xmlXPathCtxtCompile, args = (compiler, expr), fails = null)]
    fn compile_again(
        &self,
        compiler: &CompileContext,
        expr: &CStr,
    ) -> Result<Owned<XPathExpression>>;

    pub(crate) fn source(&self) -> Result<&Source> {
        attached(self).ok_or_else(|| Error::Value("the expression has no text".into()))
    }

    #[calls(ffi::as_code)]
    pub(crate) fn code(&self) -> Option<Borrowed<ExpressionCode>>;

    /// Returns the expression for one evaluation.
    pub(crate) fn expression(&self) -> Result<Owned<'_, XPathExpression>> {
        if let Some(expression) = IdleHandles::of(self).take(b"") {
            return Ok(expression);
        }
        let Source { text, options } = self.source()?;
        let counted = options.limits.counted(text);
        let compiler = CompileContext::new()?;
        compiling(text, || {
            self.compile_again(&compiler, counted.as_ref().unwrap_or(text))
        })
        .map_err(|error| XPathError::in_expression(error, &text.to_string_lossy()))
    }
}

/// Compiles an expression for one evaluation.
pub(crate) fn compile(expr: &CStr, limits: Limits) -> Result<Owned<'static, XPath>> {
    let compiler = CompileContext::new()?;
    let compiled = compiling(expr, || compiler.compile(expr))?;
    match limits.counted(expr) {
        Some(counted) => compiling(&counted, || compiler.compile(&counted))
            .map_err(|error| XPathError::in_expression(error, &expr.to_string_lossy())),
        None => Ok(compiled),
    }
}

#[methods(unsafe)]
impl XPath {
    /// Compile an expression.
    ///
    /// Raises XPathError if it is malformed.
    #[new]
    #[pyo3(signature = (
        expr,
        *,
        namespaces: "abc.Mapping[str, str] | None" = None,
        functions: "abc.Mapping[Any, abc.Callable[..., object]] | None" = None,
        max_operations = None,
        max_depth = None
    ))]
    fn new(
        expr: &CStr,
        namespaces: Option<Bound<'_, PyAny>>,
        functions: Option<Bound<'_, PyAny>>,
        max_operations: Option<Count>,
        max_depth: Option<Count>,
    ) -> Result<Owned<'static, XPath>> {
        let options = Options::new(
            namespaces.as_ref(),
            functions.as_ref(),
            Limits::new(max_operations, max_depth)?,
        )?;
        options.limits.check_depth(expr)?;
        let compiler = CompileContext::new()?;
        let made = compiling(expr, || compiler.compile(expr))?;
        attach(
            &*made,
            Source {
                text: expr.to_owned(),
                options,
            },
        );
        Ok(made)
    }

    /// Evaluate the expression with a node or a document as context node, as their `xpathEval` does.
    #[pyo3(signature = (
        item: "Document | Node",
        *,
        variables: "abc.Mapping[Any, str | float | Document | Node | abc.Sequence[Node]] | None" = None
    ))]
    fn __call__(
        &self,
        item: Bound<'_, PyAny>,
        variables: Option<Bound<'_, PyAny>>,
    ) -> Result<Call<'_>> {
        let is_document = item.is_instance_of::<DocumentClass>();
        if !is_document && !item.is_instance_of::<NodeClass>() {
            let class = item.get_type().qualname()?;
            let message = format!("a node or a document is expected, not {class}");
            return Err(PyTypeError::new_err(message).into());
        }
        Ok(Call {
            xpath: self,
            document: match is_document {
                true => item.clone().unbind(),
                false => item.getattr(intern!(item.py(), "document"))?.unbind(),
            },
            node: (!is_document).then(|| item.unbind()),
            variables: variables.map(Bound::unbind),
        })
    }

    /// The text of the expression.
    #[getter]
    #[pyo3(name = "expression")]
    fn text_of(&self) -> Result<String> {
        Ok(self.source()?.text.to_string_lossy().into_owned())
    }
}

/// One of the compiled forms of an [`XPath`]. libxml2 writes to an expression that it evaluates, so each evaluation has
/// one for itself.
#[handle(raw = ffi::xmlXPathCompExpr, release = ffi::xmlXPathFreeCompExpr, parent = XPath)]
pub(crate) struct XPathExpression;

#[methods(unsafe, rust_only)]
impl XPathExpression {
    #[calls(ffi::as_code)]
    pub(crate) fn code(&self) -> Option<Borrowed<ExpressionCode>>;
}

impl Reusable for XPathExpression {
    /// One for each of four threads.
    const AT_MOST: usize = 4;

    fn reset(&mut self) -> Result<()> {
        Ok(())
    }
}

/// An evaluation that begins when the Python object of the expression is known.
struct Call<'x> {
    xpath: &'x XPath,
    document: Py<PyAny>,
    node: Option<Py<PyAny>>,
    variables: Option<Py<PyAny>>,
}

impl IntoPython for Call<'_> {
    const TYPE: PyStaticExpr = <XPathValue<'static> as IntoPython>::TYPE;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        let xpath = Borrowed::from(self.xpath).into_python(context)?;
        let document = self.document.bind(context.py());
        let arguments = (document, self.node, xpath, self.variables);
        document.call_method1(intern!(context.py(), "_call"), arguments)
    }
}

impl ErrorSource<CompileContext> for XPathErrors {
    fn failed_silently(&self, _: &CallInfo<'_, CompileContext>) -> bool {
        self.is_truncated()
    }

    fn into_error(self, call: &CallInfo<'_, CompileContext>) -> Error {
        self.into_xpath_error(call.function)
    }
}

impl ErrorSource<XPath> for XPathErrors {
    fn failed_silently(&self, _: &CallInfo<'_, XPath>) -> bool {
        self.is_truncated()
    }

    fn into_error(self, call: &CallInfo<'_, XPath>) -> Error {
        self.into_xpath_error(call.function)
    }
}
