//! The parser, which lives for one document.

use std::ffi::c_int;
#[cfg(has_max_amplification)]
use std::ffi::c_uint;

use leakproof::prelude::*;

use crate::decode::Utf8;
use crate::document::Document;
use crate::errors::{ParseErrors, Report, Reports};
use crate::external::External;
use crate::ffi;
use crate::sax::Handlers;

/// The maximum number of line ends in a document whose line numbers all fit into the nodes.
const LINES: usize = 65_534;

/// The state of parsing one document. Defaults that another binding has set for the thread have no effect.
#[handle(
    raw = ffi::xmlParserCtxt,
    release = ffi::xmlFreeParserCtxt,
    errors(ParseErrors, asks_handle, callback = (*sax).serror, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    thread_locals(
        ffi::__xmlDoValidityCheckingDefaultValue = 0,
        ffi::__xmlGetWarningsDefaultValue = 1,
        ffi::__xmlKeepBlanksDefaultValue = 1,
        ffi::__xmlLineNumbersDefaultValue = 1,
        ffi::__xmlLoadExtDtdDefaultValue = 0,
        ffi::__xmlParserDebugEntities = 0,
        ffi::__xmlPedanticParserDefaultValue = 0,
        ffi::__xmlSubstituteEntitiesDefaultValue = 0,
    ),
    attachments,
    fork_safe
)]
pub(crate) struct Parser;

/// An input of a parser.
#[handle(raw = ffi::xmlParserInput, release = ffi::xmlFreeInputStream, fork_safe)]
pub(crate) struct Input;

impl Input {
    /// Makes an input of the text of the file `name`, for another parser.
    pub(crate) fn new(text: &[u8], name: &CStr) -> Result<Owned<'static, Input>> {
        Parser::of_file(text, name)?.take_input()
    }
}

/// The options that the user passed to `parse`.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    pub(crate) recover: bool,
    pub(crate) huge: bool,
    pub(crate) no_blanks: bool,
    pub(crate) no_cdata: bool,
    pub(crate) resolve_entities: bool,
    pub(crate) load_dtd: bool,
}

#[cfg(has_no_xxe)]
const NO_EXTERNAL_ENTITIES: u32 = ffi::XML_PARSE_NO_XXE;
#[cfg(not(has_no_xxe))]
const NO_EXTERNAL_ENTITIES: u32 = 0;

impl Options {
    /// Returns `true` if references to external entities or to the external DTD are resolved.
    fn resolves(self) -> bool {
        self.resolve_entities || self.load_dtd
    }

    fn flags(self) -> u32 {
        let chosen = [
            (true, ffi::XML_PARSE_NONET | ffi::XML_PARSE_BIG_LINES),
            // The handlers supply the text of external entities; with this flag, libxml2 would not call them.
            (!self.resolves(), NO_EXTERNAL_ENTITIES),
            (self.recover, ffi::XML_PARSE_RECOVER),
            (self.huge, ffi::XML_PARSE_HUGE),
            (self.no_blanks, ffi::XML_PARSE_NOBLANKS),
            (self.no_cdata, ffi::XML_PARSE_NOCDATA),
            (self.resolve_entities, ffi::XML_PARSE_NOENT),
            (self.load_dtd, ffi::XML_PARSE_DTDLOAD),
        ];
        chosen
            .into_iter()
            .filter(|(chosen, _)| *chosen)
            .fold(0, |flags, (_, flag)| flags | flag)
    }
}

#[methods(unsafe, rust_only)]
impl Parser {
    #[calls(ffi::xmlInitParser)]
    fn initialize();

    #[calls(ffi::xmlNewParserCtxt, fails = null)]
    fn new() -> Result<Owned<Parser>>;

    #[calls(ffi::xmlCreatePushParserCtxt, args = (null, null, text.ptr, text.len, name), fails = null)]
    fn of_file(text: &[u8], name: &CStr) -> Result<Owned<Parser>>;

    #[calls(ffi::inputPop, fails = null)]
    fn take_input(&mut self) -> Result<Owned<Input>>;

    /// Resolves the address `system` against the file at `base`.
    #[calls(ffi::xmlBuildURI, free = ffi::xmlFree.expect("libxml2 always has one"))]
    pub(crate) fn build_uri(system: &CStr, base: &CStr) -> Option<CString>;

    /// Sets the maximum ratio of the entities' size to the document's size. Newer versions limit it in huge documents,
    /// too.
    #[cfg(has_max_amplification)]
    #[calls(ffi::xmlCtxtSetMaxAmplification)]
    fn set_max_amplification(&mut self, factor: c_uint);

    #[calls(
        ffi::xmlCtxtReadMemory,
        args = (self, data.ptr, data.len, url, encoding, options),
        fields(
            _private = handlers.data,
            (*sax).reference = handlers.reference
        ),
        fails = null,
        detach
    )]
    fn read_memory(
        &mut self,
        data: &[u8],
        url: Option<&CStr>,
        encoding: Option<&CStr>,
        options: c_int,
        handlers: &Handlers,
    ) -> Result<Owned<Document>>;

    /// Reads a document of many lines.
    #[calls(
        ffi::xmlCtxtReadMemory,
        args = (self, data.ptr, data.len, url, encoding, options),
        fields(
            _private = handlers.data,
            (*sax).startElementNs = handlers.element,
            (*sax).comment = handlers.comment,
            (*sax).processingInstruction = handlers.instruction,
            (*sax).reference = handlers.reference
        ),
        fails = null,
        detach
    )]
    fn read_lines(
        &mut self,
        data: &[u8],
        url: Option<&CStr>,
        encoding: Option<&CStr>,
        options: c_int,
        handlers: &Handlers,
    ) -> Result<Owned<Document>>;

    /// Reads a document that may refer to external entities.
    #[calls(
        ffi::xmlCtxtReadMemory,
        args = (self, data.ptr, data.len, url, encoding, options),
        fields(
            _private = handlers.data,
            (*sax).startElementNs = handlers.element,
            (*sax).comment = handlers.comment,
            (*sax).processingInstruction = handlers.instruction,
            (*sax).reference = handlers.reference,
            (*sax).entityDecl = handlers.declare,
            (*sax).getEntity = handlers.entity,
            (*sax).getParameterEntity = handlers.parameter,
            (*sax).resolveEntity = handlers.subset
        ),
        fails = null,
        detach
    )]
    fn read_resolving(
        &mut self,
        data: &[u8],
        url: Option<&CStr>,
        encoding: Option<&CStr>,
        options: c_int,
        handlers: &Handlers,
    ) -> Result<Owned<Document>>;

    /// Returns `true` if the parser stopped building the tree before the end of the document.
    #[field(disableSAX)]
    pub(crate) fn gave_up(&self) -> bool;

    #[field(recovery)]
    pub(crate) fn recovers(&self) -> bool;

    /// Parses one document.
    pub(crate) fn parse(
        utf8: Utf8<'_>,
        url: Option<&CStr>,
        options: Options,
        external: Option<&External>,
    ) -> Result<Owned<Document>> {
        // libxml2 initializes itself on first use. The GIL is held here, so that only one thread does so.
        Parser::initialize();
        let reading = Reading {
            data: &utf8.bytes,
            url,
            ignore_declared: utf8.ignore_declared,
            options,
        };
        let (document, reported) = match options.resolves() {
            true => reading.resolving(external)?,
            false => reading.alone()?,
        };
        #[cfg(marks_entities)]
        crate::turn::prepare(&document);
        let mut reports = utf8.reports;
        reports.extend(reported);
        if !reports.is_empty() {
            attach(&*document, Reports(reports));
        }
        Ok(document)
    }

    /// Returns the reports about the document.
    fn reported(&self) -> Vec<Report> {
        attached::<Reports, _>(self).map_or_else(Vec::new, |reports| reports.0.clone())
    }
}

/// A document to parse, and the options for it.
struct Reading<'d> {
    data: &'d [u8],
    url: Option<&'d CStr>,
    ignore_declared: bool,
    options: Options,
}

type Read = Result<(Owned<'static, Document>, Vec<Report>)>;

impl Reading<'_> {
    fn flags(&self) -> c_int {
        let ignore = match self.ignore_declared {
            true => ffi::XML_PARSE_IGNORE_ENC,
            false => 0,
        };
        (self.options.flags() | ignore).cast_signed()
    }

    fn encoding(&self) -> Option<&'static CStr> {
        self.ignore_declared.then_some(c"UTF-8")
    }

    fn parser(&self) -> Result<Owned<'static, Parser>> {
        #[allow(unused_mut, reason = "older versions have nothing to set")]
        let mut parser = Parser::new()?;
        #[cfg(has_max_amplification)]
        if self.options.huge {
            parser.set_max_amplification(c_uint::MAX);
        }
        Ok(parser)
    }

    fn has_many_lines(&self) -> bool {
        self.data.iter().filter(|byte| **byte == b'\n').count() > LINES
    }

    /// Parses a document without reading external entities.
    fn alone(&self) -> Read {
        let mut parser = self.parser()?;
        let (data, url, encoding, flags) = (self.data, self.url, self.encoding(), self.flags());
        let handlers = Handlers::new(false, url);
        let document = match self.has_many_lines() {
            true => parser.read_lines(data, url, encoding, flags, &handlers)?,
            false => parser.read_memory(data, url, encoding, flags, &handlers)?,
        };
        Ok((document, parser.reported()))
    }

    /// Parses a document repeatedly, until all external entities that it refers to were read.
    fn resolving(&self, external: Option<&External>) -> Read {
        let mut handlers = Handlers::new(external.is_some(), self.url);
        loop {
            let mut parser = self.parser()?;
            let (data, url, encoding, flags) = (self.data, self.url, self.encoding(), self.flags());
            let read = parser.read_resolving(data, url, encoding, flags, &handlers);
            let (wanted, mut loaded) = handlers.take();
            let Some(external) = external.filter(|_| !wanted.is_empty()) else {
                let mut document = read?;
                document.mark_external_entities()?;
                return Ok((document, parser.reported()));
            };
            drop(read);
            drop(parser);
            external.read_all(wanted, url, &mut loaded)?;
            handlers.restart(loaded);
        }
    }
}

impl ErrorSource<Parser> for ParseErrors {
    /// A parser that gave up, because of a limit or a failed allocation, marks the part parsed so far as well-formed.
    fn failed_silently(&self, call: &CallInfo<'_, Parser>) -> bool {
        self.has_no_memory()
            || call
                .handle()
                .is_some_and(|parser| parser.gave_up() && !parser.recovers())
    }

    fn into_error(self, call: &CallInfo<'_, Parser>) -> Error {
        self.into_parse_error(call.function)
    }

    fn succeeded(self, call: &CallInfo<'_, Parser>) {
        if let (Some(parser), false) = (call.handle(), self.is_empty()) {
            attach(parser, self.into_reports());
        }
    }
}
