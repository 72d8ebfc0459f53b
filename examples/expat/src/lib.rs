//! Expat for Python: a parser that calls back, exceptions in callbacks, handlers that refer back to their parser.
//!
//! Expat passes to its callbacks either the user data or, as here, the parser (XML_UseParserAsHandlerArg). The
//! callbacks need the parser to stop it. The user data is then read from the first field of the parser's struct, as the
//! macro XML_GetUserData does.

use std::ffi::{c_char, c_void};

use leakproof::prelude::*;
use leakproof::pyo3::types::{IntoPyDict, PyDict};
use leakproof::pyo3::{Bound, IntoPyObject, PyErr, PyResult, Python};

#[allow(warnings, clippy::all, reason = "generated from Expat's header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/expat.rs"));
}

/// A document that Expat could not parse.
#[exception]
pub struct ExpatError {
    /// The message, in Expat's words (XML_ErrorString).
    pub message: String,
    /// The error code (XML_Error).
    pub code: i64,
    /// The line, from 1.
    pub line: u64,
    /// The column, in characters from 0.
    pub column: u64,
}

/// Takes the error's code and position from the parser.
#[derive(Debug, Default)]
pub struct ExpatErrors;

impl ErrorSource<Parser> for ExpatErrors {
    fn into_error(self, call: &CallInfo<'_, Parser>) -> Error {
        let Some(parser) = call.handle() else {
            return Error::Failed(call.function);
        };
        let code = parser.code();
        ExpatError {
            message: Parser::message(code).unwrap_or_else(|| "unknown error".into()),
            code: i64::from(code),
            line: parser.line(),
            column: parser.column(),
        }
        .into()
    }
}

/// The attributes of an element: a dict in Python, in document order.
#[derive(Debug)]
struct Attributes(Vec<String>);

impl<'py> IntoPyObject<'py> for Attributes {
    type Target = PyDict;
    type Output = Bound<'py, PyDict>;
    type Error = PyErr;

    fn into_pyobject(self, py: Python<'py>) -> PyResult<Self::Output> {
        let pairs = self.0.as_chunks().0;
        pairs
            .iter()
            .map(|[name, value]| (name, value))
            .into_py_dict(py)
    }
}

/// The handlers of a parser. A handler that was not given is `None`.
#[derive(Debug, Attachment)]
pub struct Handlers {
    start: Option<Callable>,
    end: Option<Callable>,
    text: Option<Callable>,
    comment: Option<Callable>,
    instruction: Option<Callable>,
}

#[callbacks(unsafe)]
impl Handlers {
    #[callback(
        ffi::XML_StartElementHandler,
        args = (parser, name, attributes.ptr),
        until = null,
        data = *parser.cast::<*mut c_void>(),
        on_error = { ffi::XML_StopParser(parser.cast(), 0); }
    )]
    fn start(&self, name: String, attributes: Vec<String>) -> Result<()> {
        let start = self.start.as_ref();
        start.map_or(Ok(()), |start| {
            start.call_unit((name, Attributes(attributes)))
        })
    }

    #[callback(
        ffi::XML_EndElementHandler,
        args = (parser, name),
        data = *parser.cast::<*mut c_void>(),
        on_error = { ffi::XML_StopParser(parser.cast(), 0); }
    )]
    fn end(&self, name: String) -> Result<()> {
        let end = self.end.as_ref();
        end.map_or(Ok(()), |end| end.call_unit((name,)))
    }

    #[callback(
        ffi::XML_CharacterDataHandler,
        args = (parser, text.ptr, text.len),
        data = *parser.cast::<*mut c_void>(),
        on_error = { ffi::XML_StopParser(parser.cast(), 0); }
    )]
    fn text(&self, text: String) -> Result<()> {
        let handler = self.text.as_ref();
        handler.map_or(Ok(()), |handler| handler.call_unit((text,)))
    }

    #[callback(
        ffi::XML_CommentHandler,
        args = (parser, text),
        data = *parser.cast::<*mut c_void>(),
        on_error = { ffi::XML_StopParser(parser.cast(), 0); }
    )]
    fn comment(&self, text: String) -> Result<()> {
        let comment = self.comment.as_ref();
        comment.map_or(Ok(()), |comment| comment.call_unit((text,)))
    }

    #[callback(
        ffi::XML_ProcessingInstructionHandler,
        args = (parser, target, content),
        data = *parser.cast::<*mut c_void>(),
        on_error = { ffi::XML_StopParser(parser.cast(), 0); }
    )]
    fn instruction(&self, target: String, content: String) -> Result<()> {
        let instruction = self.instruction.as_ref();
        instruction.map_or(Ok(()), |instruction| {
            instruction.call_unit((target, content))
        })
    }
}

/// A parser of one XML document, which passes the parts of the document to its handlers.
#[handle(
    raw = ffi::XML_ParserStruct,
    release = ffi::XML_ParserFree,
    errors(ExpatErrors, asks_handle),
    attachments,
    fork_safe
)]
pub struct Parser;

#[methods(unsafe)]
impl Parser {
    #[rust_only]
    #[calls(ffi::XML_ParserCreate, fails = null)]
    fn create(encoding: Option<&CStr>) -> Result<Owned<Parser>>;

    #[rust_only]
    #[calls(ffi::XML_ParserCreateNS, fails = null)]
    fn create_with_namespaces(encoding: Option<&CStr>, separator: c_char) -> Result<Owned<Parser>>;

    /// Create a parser that calls `start(name, attributes)` with a dict, `end(name)`, `text(data)`, `comment(data)` and
    /// `instruction(target, data)`, if given (XML_ParserCreate, XML_ParserCreateNS).
    ///
    /// `namespace_separator` is one ASCII character. With a separator, a name consists of the namespace, the separator
    /// and the local name. `encoding` overrides the encoding that the document declares. Text may be passed in several
    /// pieces.
    ///
    /// An exception in a handler ends the parsing and is raised by `parse`. Using the parser in a handler raises
    /// BusyError.
    #[new]
    #[pyo3(signature = (
        *, start = None, end = None, text = None, comment = None, instruction = None, encoding = None,
        namespace_separator = None
    ))]
    fn new(
        start: Option<Callable>,
        end: Option<Callable>,
        text: Option<Callable>,
        comment: Option<Callable>,
        instruction: Option<Callable>,
        encoding: Option<&CStr>,
        namespace_separator: Option<char>,
    ) -> Result<Owned<Parser>> {
        let mut parser = match namespace_separator {
            None => Parser::create(encoding)?,
            Some(separator) => {
                let separator = u8::try_from(separator).ok().filter(u8::is_ascii);
                let separator = separator
                    .ok_or_else(|| Error::Value("the separator is one ASCII character".into()))?;
                Parser::create_with_namespaces(encoding, separator.cast_signed())?
            }
        };
        if start.is_some() || end.is_some() {
            parser.handle_elements();
        }
        if text.is_some() {
            parser.handle_text();
        }
        if comment.is_some() {
            parser.handle_comments();
        }
        if instruction.is_some() {
            parser.handle_instructions();
        }
        parser.pass_parser();
        parser.set_handlers(Handlers {
            start,
            end,
            text,
            comment,
            instruction,
        });
        Ok(parser)
    }

    #[rust_only]
    #[calls(ffi::XML_SetUserData, args = (self, handlers.data), scope = until_replaced)]
    fn set_handlers(&mut self, handlers: Handlers);

    #[rust_only]
    #[calls(ffi::XML_UseParserAsHandlerArg)]
    fn pass_parser(&mut self);

    #[rust_only]
    #[calls(ffi::XML_SetElementHandler, args = (self, Handlers::START, Handlers::END))]
    fn handle_elements(&mut self);

    #[rust_only]
    #[calls(ffi::XML_SetCharacterDataHandler, args = (self, Handlers::TEXT))]
    fn handle_text(&mut self);

    #[rust_only]
    #[calls(ffi::XML_SetCommentHandler, args = (self, Handlers::COMMENT))]
    fn handle_comments(&mut self);

    #[rust_only]
    #[calls(ffi::XML_SetProcessingInstructionHandler, args = (self, Handlers::INSTRUCTION))]
    fn handle_instructions(&mut self);

    /// Parse a part of the document; with `final`, the last one (XML_Parse).
    ///
    /// Raises ExpatError if the document is not well-formed, and any exception of a handler. The parser can't be used
    /// afterwards.
    #[pyo3(signature = (data, r#final = false))]
    #[calls(
        ffi::XML_Parse,
        args = (self, data.ptr, data.len, r#final),
        fails = when(|status| status == ffi::XML_STATUS_ERROR)
    )]
    fn parse(&mut self, data: Buffer<'_>, r#final: bool) -> Result<()>;

    #[rust_only]
    #[calls(ffi::XML_GetErrorCode)]
    fn code(&self) -> u32;

    #[rust_only]
    #[calls(ffi::XML_ErrorString, utf8 = lossy)]
    fn message(code: u32) -> Option<String>;

    /// The current line, from 1 (XML_GetCurrentLineNumber).
    #[getter]
    #[calls(ffi::XML_GetCurrentLineNumber)]
    fn line(&self) -> u64;

    /// The current column, in characters from 0 (XML_GetCurrentColumnNumber).
    #[getter]
    #[calls(ffi::XML_GetCurrentColumnNumber)]
    fn column(&self) -> u64;
}

/// Expat for Python: callbacks that can't corrupt the parser.
#[leakproof::module]
mod expat_safe {
    #[pymodule_export]
    use super::{ExpatError, Parser};
}
