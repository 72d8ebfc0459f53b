//! The exceptions of XPath, and what libxml2 reports about expressions.
//!
//! The handler of a context gets a code without a message, and of an evaluation neither the expression nor a place.
//! Both are added here: [`Cause`] has what the text of the expression tells.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::errors::{OF_MEMORY, Record, trimmed};
use crate::ffi;
use crate::xpath::causes::{Cause, least_steps};

/// An XPath expression that libxml2 could not evaluate.
#[exception]
pub(crate) struct XPathError {
    /// The message: libxml2's own, or the meaning of `code`.
    pub(crate) message: String,
    /// libxml2's error code (xmlParserErrors, from 1200).
    pub(crate) code: c_int,
    /// The expression, if there is one.
    pub(crate) expression: Option<String>,
    /// The number of characters in the expression before the place at which libxml2 stopped, before the name, or before
    /// the operand of an operator that is no node set; None if the place is not known.
    pub(crate) position: Option<usize>,
    /// The variable, the function or the prefix that was not found, or the function of XPath that failed; None if it
    /// may be one of several.
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
        // An allocation that failed is no XPath error, so that these codes are about limits here.
        let limits = [LIMITS, OF_MEMORY].concat();
        match limits.contains(&self.code.cast_unsigned()) {
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

    /// Returns the error of a compilation. libxml2 reports its limit on the steps of an expression as a failed
    /// allocation; an expression that exceeds the limit is recognized by its text.
    pub(crate) fn of_compiling(error: Error, expression: &CStr) -> Error {
        let text = expression.to_string_lossy();
        match error {
            Error::OutOfMemory(_) if least_steps(&text) > MOST_STEPS => XPathError {
                message: format!("The expression has more than {MOST_STEPS} steps"),
                expression: Some(text.into_owned()),
                ..XPathError::of_code(ffi::XML_XPATH_MEMORY_ERROR)
            }
            .typed(),
            error => error,
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
    /// expression. `causes` are its parts that the error may be about.
    pub(crate) fn about(error: Error, expression: &str, causes: &[Cause<'_>]) -> Error {
        let Some(unnamed) = XPathError::of(&error).filter(|error| error.expression.is_none())
        else {
            return error;
        };
        let mut words: Vec<String> = Vec::new();
        for cause in causes.iter().map(Cause::to_string) {
            match words.len() {
                _ if words.contains(&cause) => {}
                TOLD => {
                    words.push("others".into());
                    break;
                }
                _ => words.push(cause),
            }
        }
        let sole = causes.first().filter(|_| words.len() == 1);
        let message = match words.is_empty() {
            true => unnamed.message.clone(),
            false => format!(
                "{}: {}",
                describe(unnamed.code.cast_unsigned()),
                words.join(" or ")
            ),
        };
        let placed = sole.filter(|cause| causes.len() == 1 || matches!(cause, Cause::Name { .. }));
        XPathError {
            message,
            expression: Some(expression.to_owned()),
            position: placed.and_then(|cause| characters(expression, cause.at())),
            name: sole.and_then(Cause::name_of),
            ..*unnamed
        }
        .typed()
    }
}

/// The number of steps of an expression, in libxml2's compiled form, beyond which no version of libxml2 compiles it:
/// the first of ten times a power of two that is not below XPATH_MAX_STEPS.
const MOST_STEPS: usize = 1_310_720;

/// The number of causes that a message names.
const TOLD: usize = 20;

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
    /// Set if a node set or a stack would have exceeded libxml2's limit, which truncates results as well.
    is_limited: bool,
}

impl XPathErrors {
    /// Returns `true` if libxml2 reported something that truncates results.
    pub(crate) fn is_truncated(&self) -> bool {
        self.no_memory || self.is_limited
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
        self.is_limited |= record.is_of_size();
        self.first.get_or_insert_with(|| {
            let code = record.code().cast_unsigned();
            let of_code = XPathError::of_code(code);
            if record.is_of_size() {
                return XPathError {
                    message: "A node set or the stack exceeds a limit of libxml2".into(),
                    ..of_code
                };
            }
            let message = trimmed(record.message());
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
