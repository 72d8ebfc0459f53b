//! The parser: lives for one document.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::document::Document;
use crate::errors::{ParseError, ParseErrors, Report};
use crate::external::{self, Refused};
use crate::ffi;

/// The state of parsing one document.
#[handle(
    raw = ffi::xmlParserCtxt,
    release = ffi::xmlFreeParserCtxt,
    errors(ParseErrors, callback = (*sax).serror),
    fork_safe
)]
pub(crate) struct Parser;

/// What the user asked for, by name.
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
    fn flags(self) -> u32 {
        let chosen = [
            (true, ffi::XML_PARSE_NONET),
            (!self.load_dtd, NO_EXTERNAL_ENTITIES),
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

#[methods(unsafe, private)]
impl Parser {
    #[calls(ffi::xmlInitParser)]
    fn initialise();

    #[calls(ffi::xmlNewParserCtxt, fails = null)]
    fn new() -> Result<Owned<Parser>>;

    #[calls(ffi::xmlCtxtReadMemory, args = (self, data.ptr, data.len, url, encoding, options), fails = null, detach)]
    fn read_memory(
        &mut self,
        data: &[u8],
        url: Option<&CStr>,
        encoding: Option<&CStr>,
        options: c_int,
    ) -> Result<Owned<Document>>;

    /// The same, for a parser that may ask the process for other files: what another binding put there may be Python.
    #[calls(ffi::xmlCtxtReadMemory, args = (self, data.ptr, data.len, url, encoding, options), fails = null)]
    fn read_attached(
        &mut self,
        data: &[u8],
        url: Option<&CStr>,
        encoding: Option<&CStr>,
        options: c_int,
    ) -> Result<Owned<Document>>;

    /// Whether the parser stopped building the tree before the document's end.
    #[field(disableSAX)]
    pub(crate) fn gave_up(&self) -> bool;

    #[field(recovery)]
    pub(crate) fn recovers(&self) -> bool;

    /// Parse one document. `encoding` overrules what the document declares.
    pub(crate) fn parse(
        data: &[u8],
        url: Option<&CStr>,
        encoding: Option<&CStr>,
        options: Options,
    ) -> Result<Owned<Document>> {
        // libxml2 sets itself up on first use; here the GIL is held, so only one thread does.
        Parser::initialise();
        if let (false, Some(position)) = (options.recover, stray_nul(data)) {
            return Err(nul_error(data, position, url));
        }
        let ignore_declared = if encoding.is_some() {
            ffi::XML_PARSE_IGNORE_ENC
        } else {
            0
        };
        let read = |flags: u32| {
            let options = (flags | ignore_declared).cast_signed();
            let mut parser = Parser::new()?;
            if flags & ffi::XML_PARSE_DTDLOAD == 0 {
                parser.read_memory(data, url, encoding, options)
            } else {
                parser.read_attached(data, url, encoding, options)
            }
        };
        if !options.resolve_entities && !options.load_dtd {
            return read(options.flags());
        }
        let alone = Options {
            resolve_entities: false,
            load_dtd: false,
            ..options
        };
        let look = |with: Options| {
            external::allowed(&*read(with.flags())?, options).map_err(|refused| refused.error(url))
        };
        let mut allowed = look(alone)?;
        if allowed.load_dtd && options.resolve_entities {
            // The DTD's file may declare more entities, some of them by what the document itself put into its parameters.
            allowed = look(Options {
                resolve_entities: false,
                ..allowed
            })?;
        }
        read(allowed.flags())
    }
}

impl Refused {
    fn error(self, url: Option<&CStr>) -> Error {
        let report = Report {
            message: self.0,
            ..Report::fatal(external::CODE, url)
        };
        ParseError::of(report).into()
    }
}

/// Where libxml2 would take a NUL byte for the end of the document and silently drop the rest.
///
/// In UTF-16 and UTF-32 every other byte may be NUL; they show by the first two bytes.
fn stray_nul(data: &[u8]) -> Option<usize> {
    match data {
        [0, ..] | [_, 0, ..] | [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => None,
        _ => data.iter().position(|byte| *byte == 0),
    }
}

fn nul_error(data: &[u8], position: usize, url: Option<&CStr>) -> Error {
    let before = &data[..position];
    let line_start = before
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |newline| newline + 1);
    let count = |number: usize| c_int::try_from(number).unwrap_or(c_int::MAX);
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    ParseError::of(Report {
        message: "a NUL byte in the document".into(),
        line: count(line),
        column: count(1 + position - line_start),
        ..Report::fatal(ffi::XML_ERR_INVALID_CHAR, url)
    })
    .into()
}
