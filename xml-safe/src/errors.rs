//! Reports of libxml2, and the exceptions made from them.
//!
//! Each parser and each XPath context has a field for an error handler. Each thread has one for the reports of all
//! other functions. This module's handler is set there for the duration of one call: no process-wide state changes,
//! nothing is printed, and no report reaches the handler of another binding.

use std::ffi::c_int;

use leakproof::Handle;
use leakproof::prelude::*;
use leakproof::pyo3::PyTypeInfo;
use leakproof::pyo3::exceptions::PyValueError;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::*;
use leakproof::pyo3::types::PyTuple;
use leakproof::pyo3::{pyclass, pymethods};
use leakproof::{CallContext, IntoPython};

use crate::ffi;
use crate::xpath::names::Name;

/// One `xmlError`, as libxml2 lends it to an error handler.
#[handle(raw = ffi::xmlError, callback_only)]
pub(crate) struct Record;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl Record {
    #[field(code)]
    pub(crate) fn code(&self) -> c_int;

    #[field(level)]
    fn level(&self) -> u32;

    #[field(message)]
    fn message(&self) -> Option<String>;

    #[field(file)]
    fn file(&self) -> Option<String>;

    #[field(line)]
    fn line(&self) -> c_int;

    /// The subject of the error; for XPath, the expression.
    #[field(str1)]
    fn subject(&self) -> Option<String>;

    /// The position in the expression, for XPath.
    #[field(int1)]
    fn position(&self) -> c_int;

    #[field(int2)]
    fn column(&self) -> c_int;

    /// Returns `true` if the record reports a failed allocation. libxml2 uses the same code for its limits on sizes.
    pub(crate) fn is_of_memory(&self) -> bool {
        let codes = [ffi::XML_ERR_NO_MEMORY, ffi::XML_XPATH_MEMORY_ERROR];
        codes.contains(&self.code().cast_unsigned())
            && !self
                .message()
                .is_some_and(|message| message.contains("limit"))
    }
}

/// A report about a document that was parsed.
#[pyclass(frozen, get_all, module = "xml_safe", crate = "leakproof::pyo3")]
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// The message, in libxml2's words.
    pub(crate) message: String,
    /// The line, from 1; 0 if unknown.
    pub(crate) line: c_int,
    /// The column, from 1; 0 if unknown.
    pub(crate) column: c_int,
    /// libxml2's error code (xmlParserErrors).
    pub(crate) code: c_int,
    /// The severity: "warning", "error" or "fatal".
    pub(crate) level: &'static str,
    /// The name of the file, if the document came from one.
    pub(crate) file: Option<String>,
}

#[pymethods]
#[pyo3(crate = "leakproof::pyo3")]
impl Report {
    #[new]
    #[pyo3(signature = (message, line = 0, column = 0, code = 0, level = "error", file = None))]
    fn new(
        message: String,
        line: c_int,
        column: c_int,
        code: c_int,
        level: &str,
        file: Option<String>,
    ) -> PyResult<Self> {
        const LEVELS: [&str; 3] = ["warning", "error", "fatal"];
        let Some(level) = LEVELS.into_iter().find(|known| *known == level) else {
            return Err(PyValueError::new_err(format!(
                "level must be one of {LEVELS:?}, not {level:?}"
            )));
        };
        Ok(Report {
            message,
            line,
            column,
            code,
            level,
            file,
        })
    }

    /// The class and the fields, for copying and pickling.
    #[pyo3(signature = () -> "tuple[object, ...]")]
    fn __reduce__<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyTuple>> {
        let it = slf.get();
        let fields = (&it.message, it.line, it.column, it.code, it.level, &it.file);
        (slf.get_type(), fields).into_pyobject(slf.py())
    }

    fn __repr__(&self) -> String {
        let file = self.file.as_deref().unwrap_or("<data>");
        format!(
            "<{} {} at {file}:{}:{}: {}>",
            self.level, self.code, self.line, self.column, self.message
        )
    }
}

impl IntoPython for Report {
    const TYPE: PyStaticExpr = <Report as PyTypeInfo>::TYPE_HINT;

    fn into_python<'a, 'py>(self, context: &CallContext<'a, 'py>) -> PyResult<Bound<'py, PyAny>>
    where
        Self: 'a,
    {
        Ok(Bound::new(context.py(), self)?.into_any())
    }
}

/// The fields of a report, in order.
pub(crate) type Fields = (String, c_int, c_int, c_int, String, Option<String>);

impl Report {
    pub(crate) fn fields(&self) -> Fields {
        let (level, file) = (self.level.to_owned(), self.file.clone());
        let message = self.message.clone();
        (message, self.line, self.column, self.code, level, file)
    }

    pub(crate) fn from_fields(fields: Fields) -> Result<Self> {
        let (message, line, column, code, level, file) = fields;
        Ok(Report::new(message, line, column, code, &level, file)?)
    }

    fn is_of_memory(&self) -> bool {
        // libxml2 uses this code also for a text that is too long.
        self.code.cast_unsigned() == ffi::XML_ERR_NO_MEMORY && !self.message.contains("huge")
    }

    /// Makes a report of this package, about the document as a whole.
    pub(crate) fn fatal(code: u32, file: Option<&CStr>) -> Self {
        let file = file.map(|file| file.to_string_lossy().into_owned());
        Report {
            message: String::new(),
            line: 0,
            column: 0,
            code: code.cast_signed(),
            level: "fatal",
            file,
        }
    }
}

fn trimmed(message: Option<String>) -> String {
    message
        .map(|message| message.trim_end().to_owned())
        .unwrap_or_default()
}

/// libxml2's advice for C programs, and its replacement for Python.
const ADVICE: (&str, &str) = (
    "see xmlCtxtSetMaxAmplification",
    "parse the document with huge=True",
);

impl From<&Record> for Report {
    fn from(record: &Record) -> Self {
        Report {
            message: trimmed(record.message()).replace(ADVICE.0, ADVICE.1),
            line: record.line(),
            column: record.column(),
            code: record.code(),
            level: match record.level() {
                ffi::XML_ERR_WARNING => "warning",
                ffi::XML_ERR_FATAL => "fatal",
                _ => "error",
            },
            file: record.file(),
        }
    }
}

/// A document that libxml2 could not parse. The fields are those of the first fatal error.
#[exception]
pub(crate) struct ParseError {
    /// The message, in libxml2's words.
    pub(crate) message: String,
    /// The line, from 1; 0 if unknown.
    pub(crate) line: c_int,
    /// The column, from 1; 0 if unknown.
    pub(crate) column: c_int,
    /// libxml2's error code (xmlParserErrors).
    pub(crate) code: c_int,
    /// The name of the file, if the document came from one.
    pub(crate) file: Option<String>,
    /// All reports, in order.
    pub(crate) errors: Vec<Report>,
}

impl ParseError {
    /// Makes the error of a single report.
    pub(crate) fn of(report: Report) -> Self {
        let Report {
            message,
            line,
            column,
            code,
            file,
            ..
        } = report.clone();
        ParseError {
            message,
            line,
            column,
            code,
            file,
            errors: vec![report],
        }
    }
}

/// Collects the reports of a parser.
#[derive(Default)]
pub(crate) struct ParseErrors(Vec<Report>);

impl ErrorSink for ParseErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        self.0.push(record.into());
    }
}

impl ParseErrors {
    /// Returns `true` if libxml2 reported a failed allocation.
    pub(crate) fn has_no_memory(&self) -> bool {
        self.0.iter().any(Report::is_of_memory)
    }

    /// Returns `true` if nothing was reported.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the reports, to be kept with the parser.
    pub(crate) fn into_reports(self) -> Reports {
        Reports(self.0)
    }

    /// Returns the error that a failed call of `function` raises: its cause is the first fatal report.
    pub(crate) fn into_parse_error(self, function: &str) -> Error {
        if self.has_no_memory() {
            return Error::OutOfMemory("libxml2 reported it");
        }
        let first = self
            .0
            .iter()
            .find(|report| report.level == "fatal")
            .or(self.0.first())
            .cloned();
        let nothing = Report {
            message: format!("{function} failed and reported nothing"),
            ..Report::fatal(0, None)
        };
        ParseError {
            errors: self.0,
            ..ParseError::of(first.unwrap_or(nothing))
        }
        .into()
    }
}

/// The reports about a document, as side data.
pub(crate) struct Reports(pub(crate) Vec<Report>);

impl Attachment for Reports {}

/// An element `xi:include` that can't be replaced.
#[exception]
pub(crate) struct XIncludeError {
    /// The message, with the file and the line of the element.
    pub(crate) message: String,
    /// The attribute `href` of the element, if there is one.
    pub(crate) href: Option<String>,
    /// The line of the element, from 1; 0 if unknown.
    pub(crate) line: c_int,
    /// The address of the document that the element is in, if there is one.
    pub(crate) file: Option<String>,
}

/// An XPath expression that libxml2 could not evaluate.
#[exception]
pub(crate) struct XPathError {
    /// The message: libxml2's own, or the meaning of `code`.
    pub(crate) message: String,
    /// libxml2's error code (xmlParserErrors, from 1200).
    pub(crate) code: c_int,
    /// The expression, if there is one.
    pub(crate) expression: Option<String>,
    /// The number of characters in the expression before the place at which libxml2 stopped, or before the name; None
    /// if libxml2 does not know the place.
    pub(crate) position: Option<usize>,
    /// The variable, the function or the prefix that was not found; None if it may be one of several.
    pub(crate) name: Option<String>,
}

/// An evaluation that takes more operations, or an expression that is nested deeper, than a limit allows: that of the
/// caller, or libxml2's own one.
#[exception(extends = XPathError)]
pub(crate) struct XPathLimitError {
    /// The fields of every XPath error.
    pub(crate) base: XPathError,
}

impl XPathError {
    fn of_code(code: u32) -> Self {
        XPathError {
            message: describe(code),
            code: code.cast_signed(),
            expression: None,
            position: None,
            name: None,
        }
    }

    /// Returns the error with the exception for its code. The message ends with the expression.
    fn typed(mut self) -> Error {
        if let Some(expression) = &self.expression {
            let excerpt = excerpt(expression, self.position.unwrap_or_default());
            let at = self
                .position
                .map_or_else(String::new, |position| format!(" at {position}"));
            self.message = format!("{}{at} in {excerpt:?}", self.message);
        }
        match LIMITS.contains(&self.code.cast_unsigned()) {
            true => XPathLimitError { base: self }.into(),
            false => self.into(),
        }
    }

    fn of(error: &Error) -> Option<&XPathError> {
        let limit = error.library::<XPathLimitError>();
        error
            .library::<XPathError>()
            .or(limit.map(|limit| &limit.base))
    }

    /// Returns libxml2's code of an error.
    pub(crate) fn code_of(error: &Error) -> Option<u32> {
        XPathError::of(error).map(|error| error.code.cast_unsigned())
    }

    /// Returns `true` if an evaluation exceeded its operation limit.
    pub(crate) fn is_of_operations(error: &Error) -> bool {
        XPathError::code_of(error) == Some(OPERATION_LIMIT)
    }

    /// Names the expression of the caller in an error about another form of it.
    pub(crate) fn in_expression(error: Error, expression: &str) -> Error {
        match XPathError::code_of(&error) {
            Some(code) => XPathError {
                expression: Some(expression.to_owned()),
                ..XPathError::of_code(code)
            }
            .typed(),
            None => error,
        }
    }

    /// Makes the error of an expression that is nested deeper than `most`, after `at` bytes.
    pub(crate) fn too_deep(expression: &str, at: usize, most: usize) -> Error {
        XPathError {
            message: format!("The expression is nested deeper than {most}"),
            expression: Some(expression.to_owned()),
            position: characters(expression, at),
            ..XPathError::of_code(RECURSION_LIMIT)
        }
        .typed()
    }

    /// Adds the expression to an error that names none, because libxml2 does not know the text of a compiled
    /// expression. `unknown` are the names that may be the cause. Of a prefix, the name is the prefix.
    pub(crate) fn about(
        error: Error,
        expression: &str,
        unknown: &[Name<'_>],
        of_prefix: bool,
    ) -> Error {
        let Some(unnamed) = XPathError::of(&error).filter(|error| error.expression.is_none())
        else {
            return error;
        };
        let written = |name: &Name<'_>| match (name.prefix, of_prefix) {
            (Some(prefix), true) => prefix.to_owned(),
            (Some(prefix), false) => format!("{prefix}:{}", name.local),
            (None, _) => name.local.to_owned(),
        };
        let mut causes: Vec<String> = unknown.iter().map(written).collect();
        causes.dedup();
        let sole = (causes.iter().all(|cause| *cause == causes[0]))
            .then(|| causes.first().cloned())
            .flatten();
        let message = match causes.is_empty() {
            true => unnamed.message.clone(),
            false => format!(
                "{}: {}",
                describe(unnamed.code.cast_unsigned()),
                sole.clone().unwrap_or_else(|| causes.join(" or "))
            ),
        };
        let at = unknown.first().filter(|_| sole.is_some());
        XPathError {
            message,
            expression: Some(expression.to_owned()),
            position: at.and_then(|name| characters(expression, name.at)),
            name: sole,
            ..*unnamed
        }
        .typed()
    }
}

/// Returns the part of an expression around a position, for a message.
fn excerpt(expression: &str, position: usize) -> String {
    const SHOWN: usize = 80;
    let count = expression.chars().count();
    if count <= SHOWN {
        return expression.to_owned();
    }
    let first = position.saturating_sub(SHOWN / 2).min(count - SHOWN);
    let part: String = expression.chars().skip(first).take(SHOWN).collect();
    let before = if first > 0 { "…" } else { "" };
    let after = if first + SHOWN < count { "…" } else { "" };
    format!("{before}{part}{after}")
}

/// Returns the number of characters in the first bytes of a text.
fn characters(text: &str, bytes: usize) -> Option<usize> {
    text.get(..bytes).map(|before| before.chars().count())
}

/// Collects the reports of an XPath call. The first report is the cause.
#[derive(Default)]
pub(crate) struct XPathErrors {
    first: Option<XPathError>,
    /// Set if an allocation failed in libxml2: its results are then truncated.
    no_memory: bool,
}

impl XPathErrors {
    /// Returns `true` if libxml2 reported a failed allocation.
    pub(crate) fn has_no_memory(&self) -> bool {
        self.no_memory
    }

    /// Returns the error that a failed call of `function` raises.
    pub(crate) fn into_xpath_error(self, function: &'static str) -> Error {
        if self.no_memory {
            return Error::OutOfMemory(function);
        }
        let nothing = || XPathError {
            message: format!("{function} failed and reported nothing"),
            ..XPathError::of_code(0)
        };
        self.first.unwrap_or_else(nothing).typed()
    }
}

impl ErrorSink for XPathErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        self.no_memory |= record.is_of_memory();
        self.first.get_or_insert_with(|| {
            let code = record.code().cast_unsigned();
            let message = trimmed(record.message());
            let of_code = XPathError::of_code(code);
            let expression = record.subject();
            let at = usize::try_from(record.position()).ok();
            let position = expression.as_deref().zip(at);
            XPathError {
                message: if message.is_empty() {
                    of_code.message
                } else {
                    message
                },
                position: position.and_then(|(text, at)| characters(text, at)),
                expression,
                ..of_code
            }
        });
    }

    /// Recognizes failures that libxml2 reports only as printed messages.
    fn record_format(&mut self, format: &CStr) {
        let says = |words: &str| format.to_string_lossy().contains(words);
        let code = match () {
            () if says("undefined prefix") => ffi::XML_XPATH_UNDEF_PREFIX_ERROR,
            () if says("not found") => ffi::XML_XPATH_UNKNOWN_FUNC_ERROR,
            () if says("operation limit") => OPERATION_LIMIT,
            () => return,
        };
        self.first.get_or_insert_with(|| XPathError::of_code(code));
    }
}

/// Records failed allocations in libxml2, after which its results are truncated or missing.
#[derive(Default)]
pub(crate) struct TreeErrors {
    no_memory: bool,
}

impl ErrorSink for TreeErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        self.no_memory |= record.is_of_memory();
    }
}

impl<T: Handle> ErrorSource<T> for TreeErrors {
    fn failed_silently(&self, _: &CallInfo<'_, T>) -> bool {
        self.no_memory
    }

    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        match self.no_memory {
            true => Error::OutOfMemory(call.function),
            false => Error::Failed(call.function),
        }
    }
}

/// The code of XPATH_OP_LIMIT_EXCEEDED, which has no name in `xmlParserErrors`.
const OPERATION_LIMIT: u32 = 1225;

/// The code of XPATH_RECURSION_LIMIT_EXCEEDED, which has no name either.
const RECURSION_LIMIT: u32 = 1226;

/// The codes of limits.
const LIMITS: [u32; 2] = [OPERATION_LIMIT, RECURSION_LIMIT];

/// Returns the meaning of an XPath error code: libxml2 passes no message to the handler of a context.
fn describe(code: u32) -> String {
    let meaning = match code {
        ffi::XML_XPATH_NUMBER_ERROR => "Malformed number",
        ffi::XML_XPATH_UNFINISHED_LITERAL_ERROR => "Unfinished literal",
        ffi::XML_XPATH_START_LITERAL_ERROR => "A literal was expected",
        ffi::XML_XPATH_VARIABLE_REF_ERROR => "A variable name was expected",
        ffi::XML_XPATH_UNDEF_VARIABLE_ERROR => "Undefined variable",
        ffi::XML_XPATH_INVALID_PREDICATE_ERROR => "Invalid predicate",
        ffi::XML_XPATH_EXPR_ERROR => "Invalid expression",
        ffi::XML_XPATH_UNCLOSED_ERROR => "A parenthesis or bracket is not closed",
        ffi::XML_XPATH_UNKNOWN_FUNC_ERROR => "Unregistered function",
        ffi::XML_XPATH_INVALID_OPERAND => "Invalid operand",
        ffi::XML_XPATH_INVALID_TYPE => "Invalid type",
        ffi::XML_XPATH_INVALID_ARITY => "Invalid number of arguments",
        ffi::XML_XPATH_INVALID_CTXT_SIZE => "Invalid context size",
        ffi::XML_XPATH_INVALID_CTXT_POSITION => "Invalid context position",
        ffi::XML_XPATH_MEMORY_ERROR => "Out of memory",
        ffi::XML_XPATH_UNDEF_PREFIX_ERROR => "Undefined namespace prefix",
        ffi::XML_XPATH_ENCODING_ERROR => "Encoding error",
        ffi::XML_XPATH_INVALID_CHAR_ERROR => "A character that is not allowed in XML",
        OPERATION_LIMIT => "The limit of operations is exceeded",
        RECURSION_LIMIT => "The limit of recursion is exceeded",
        _ => return format!("XPath error {code}"),
    };
    meaning.into()
}
