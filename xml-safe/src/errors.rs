//! What libxml2 reports, and the exceptions made of it.
//!
//! Each parser and each XPath context has a place of its own for an error handler. Ours hangs there for the length of
//! one call, so nothing process-wide is touched and nothing is printed.

use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyValueError;
use leakproof::pyo3::prelude::*;
use leakproof::pyo3::types::PyTuple;
use leakproof::pyo3::{pyclass, pymethods};

use crate::ffi;
use crate::parser::Parser;
use crate::xpath::XPathContext;

/// One `xmlError`, as libxml2 lends it to an error handler.
#[handle(raw = ffi::xmlError, lent)]
pub(crate) struct Record;

#[methods(unsafe, private, utf8 = lossy)]
impl Record {
    #[field(code)]
    fn code(&self) -> c_int;

    #[field(level)]
    fn level(&self) -> u32;

    #[field(message)]
    fn message(&self) -> Option<String>;

    #[field(file)]
    fn file(&self) -> Option<String>;

    #[field(line)]
    fn line(&self) -> c_int;

    /// What the error is about; for XPath, the expression.
    #[field(str1)]
    fn subject(&self) -> Option<String>;

    /// For XPath, the position in the expression.
    #[field(int1)]
    fn position(&self) -> c_int;

    #[field(int2)]
    fn column(&self) -> c_int;
}

/// One thing that libxml2 reported while it parsed a document.
#[pyclass(frozen, get_all, module = "xml_safe", crate = "leakproof::pyo3")]
#[derive(Debug, Clone)]
pub(crate) struct Report {
    /// What is wrong, in libxml2's words.
    pub(crate) message: String,
    /// The line, from 1; 0 where there is none.
    pub(crate) line: c_int,
    /// The column, from 1; 0 where there is none.
    pub(crate) column: c_int,
    /// libxml2's number for it (xmlParserErrors).
    pub(crate) code: c_int,
    /// How bad it is: "warning", "error" or "fatal".
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

impl Report {
    /// A report of our own, about the document as a whole.
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

impl From<&Record> for Report {
    fn from(record: &Record) -> Self {
        Report {
            message: trimmed(record.message()),
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
    /// What is wrong, in libxml2's words.
    pub(crate) message: String,
    /// The line, from 1; 0 where there is none.
    pub(crate) line: c_int,
    /// The column, from 1; 0 where there is none.
    pub(crate) column: c_int,
    /// libxml2's number for it (xmlParserErrors).
    pub(crate) code: c_int,
    /// The name of the file, if the document came from one.
    pub(crate) file: Option<String>,
    /// Everything that libxml2 reported, in its order.
    pub(crate) errors: Vec<Report>,
}

impl ParseError {
    /// The error that one report is.
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

/// Collects what a parser reports.
#[derive(Default)]
pub(crate) struct ParseErrors(Vec<Report>);

impl Collect for ParseErrors {
    type Record = Record;

    fn collect(&mut self, record: &Record) {
        self.0.push(record.into());
    }
}

impl Errors<Parser> for ParseErrors {
    /// A parser that gave up, for a limit or for want of memory, calls what it has so far well-formed.
    fn overlooked(&self, call: &Call<'_, Parser>) -> bool {
        call.handle
            .is_some_and(|parser| parser.gave_up() && !parser.recovers())
    }

    fn failed(self, call: &Call<'_, Parser>) -> Error {
        let first = self
            .0
            .iter()
            .find(|report| report.level == "fatal")
            .or(self.0.first())
            .cloned();
        let message = format!("{} failed and reported nothing", call.function);
        let nothing = Report {
            message,
            ..Report::fatal(0, None)
        };
        ParseError {
            errors: self.0,
            ..ParseError::of(first.unwrap_or(nothing))
        }
        .into()
    }
}

/// An XPath expression that libxml2 could not evaluate.
#[exception]
pub(crate) struct XPathError {
    /// What is wrong.
    pub(crate) message: String,
    /// libxml2's number for it (xmlParserErrors, from 1200).
    pub(crate) code: c_int,
    /// The expression, if libxml2 names it.
    pub(crate) expression: Option<String>,
    /// The position in the expression at which libxml2 stopped, in bytes.
    pub(crate) position: c_int,
}

/// Collects what an XPath evaluation reports: the first is the cause.
#[derive(Default)]
pub(crate) struct XPathErrors(Option<XPathError>);

impl Collect for XPathErrors {
    type Record = Record;

    fn collect(&mut self, record: &Record) {
        self.0.get_or_insert_with(|| {
            let message = trimmed(record.message());
            XPathError {
                message: if message.is_empty() {
                    describe(record.code())
                } else {
                    message
                },
                code: record.code(),
                expression: record.subject(),
                position: record.position(),
            }
        });
    }
}

impl Errors<XPathContext> for XPathErrors {
    fn failed(self, call: &Call<'_, XPathContext>) -> Error {
        let nothing = || XPathError {
            message: format!("{} failed and reported nothing", call.function),
            code: 0,
            expression: None,
            position: 0,
        };
        self.0.unwrap_or_else(nothing).into()
    }
}

/// The meaning of an XPath error's code: libxml2 gives no message to a handler of one context.
fn describe(code: c_int) -> String {
    // One of the constants may be signed or not, as the C compiler chose.
    let code = code as u32;
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
        1225 => "The limit of operations is exceeded",
        1226 => "The limit of recursion is exceeded",
        _ => return format!("XPath error {code}"),
    };
    meaning.into()
}
