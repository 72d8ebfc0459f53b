//! The parser: lives for one document.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::document::Document;
use crate::errors::ParseErrors;
use crate::ffi;

/// The state of parsing one document.
#[handle(
    raw = ffi::xmlParserCtxt,
    release = ffi::xmlFreeParserCtxt,
    errors(ParseErrors, callback = (*sax).serror)
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

impl Options {
    fn flags(self) -> u32 {
        let chosen = [
            (true, ffi::XML_PARSE_NONET),
            (self.recover, ffi::XML_PARSE_RECOVER),
            (self.huge, ffi::XML_PARSE_HUGE),
            (self.no_blanks, ffi::XML_PARSE_NOBLANKS),
            (self.no_cdata, ffi::XML_PARSE_NOCDATA),
            (self.resolve_entities, ffi::XML_PARSE_NOENT),
            (self.load_dtd, ffi::XML_PARSE_DTDLOAD),
        ];
        chosen.into_iter().filter(|(chosen, _)| *chosen).fold(0, |flags, (_, flag)| flags | flag)
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

    /// Parse one document. `encoding` overrules what the document declares.
    pub(crate) fn parse(
        data: &[u8],
        url: Option<&CStr>,
        encoding: Option<&CStr>,
        options: Options,
    ) -> Result<Owned<Document>> {
        // libxml2 sets itself up on first use; here the GIL is held, so only one thread does.
        Parser::initialise();
        let ignore_declared = if encoding.is_some() { ffi::XML_PARSE_IGNORE_ENC } else { 0 };
        let flags = (options.flags() | ignore_declared).cast_signed();
        Parser::new()?.read_memory(data, url, encoding, flags)
    }
}
