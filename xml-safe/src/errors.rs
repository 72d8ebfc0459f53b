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
    pub(crate) fn message(&self) -> Option<String>;

    #[field(file)]
    fn file(&self) -> Option<String>;

    #[field(line)]
    fn line(&self) -> c_int;

    /// The subject of the error; for XPath, the expression.
    #[field(str1)]
    pub(crate) fn subject(&self) -> Option<String>;

    /// The position in the expression, for XPath.
    #[field(int1)]
    pub(crate) fn position(&self) -> c_int;

    #[field(int2)]
    fn column(&self) -> c_int;

    /// Returns `true` if the record reports a failed allocation. libxml2 uses the same code for its limits on sizes.
    pub(crate) fn is_of_memory(&self) -> bool {
        self.has_code_of_memory() && !self.is_of_size()
    }

    /// Returns `true` if the record reports a limit of libxml2 on sizes.
    pub(crate) fn is_of_size(&self) -> bool {
        let is_limit = |message: String| message.contains("limit");
        self.has_code_of_memory() && self.message().is_some_and(is_limit)
    }

    fn has_code_of_memory(&self) -> bool {
        OF_MEMORY.contains(&self.code().cast_unsigned())
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

pub(crate) fn trimmed(message: Option<String>) -> String {
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

/// The codes of failed allocations.
pub(crate) const OF_MEMORY: [u32; 2] = [ffi::XML_ERR_NO_MEMORY, ffi::XML_XPATH_MEMORY_ERROR];
