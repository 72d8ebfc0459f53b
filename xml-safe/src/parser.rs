//! The parser of libxml2, and its inputs.

#[cfg(has_max_amplification)]
use std::ffi::c_uint;

use leakproof::prelude::*;

use crate::errors::{ParseErrors, Report, Reports};
use crate::ffi;

/// The state of parsing one document. Defaults that another binding has set for the thread have no effect.
#[handle(
    raw = ffi::xmlParserCtxt,
    release = ffi::xmlFreeParserCtxt,
    errors(ParseErrors, asks_handle, callback = (*sax).serror, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    thread_locals(
        ffi::__xmlDeregisterNodeDefaultValue = None,
        ffi::__xmlDoValidityCheckingDefaultValue = 0,
        ffi::__xmlGetWarningsDefaultValue = 1,
        ffi::__xmlKeepBlanksDefaultValue = 1,
        ffi::__xmlLineNumbersDefaultValue = 1,
        ffi::__xmlLoadExtDtdDefaultValue = 0,
        ffi::__xmlParserDebugEntities = 0,
        ffi::__xmlPedanticParserDefaultValue = 0,
        ffi::__xmlRegisterNodeDefaultValue = None,
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

#[methods(unsafe, rust_only)]
impl Parser {
    #[calls(ffi::xmlInitParser)]
    pub(crate) fn initialize();

    #[calls(ffi::xmlNewParserCtxt, fails = null)]
    pub(crate) fn new() -> Result<Owned<Parser>>;

    #[calls(ffi::xmlCreatePushParserCtxt, args = (null, null, text.ptr, text.len, name), fails = null)]
    fn of_file(text: &[u8], name: &CStr) -> Result<Owned<Parser>>;

    #[calls(ffi::inputPop, fails = null)]
    fn take_input(&mut self) -> Result<Owned<Input>>;

    /// Resolves the address `system` against the file at `base`.
    #[calls(ffi::xmlBuildURI, free = ffi::xmlFree.expect("libxml2 always has one"))]
    pub(crate) fn build_uri(system: &CStr, base: &CStr) -> Option<CString>;

    /// Returns an address relative to `base`.
    #[calls(ffi::xmlBuildRelativeURI, free = ffi::xmlFree.expect("libxml2 always has one"))]
    pub(crate) fn build_relative_uri(address: &CStr, base: &CStr) -> Option<CString>;

    /// Sets the maximum ratio of the entities' size to the document's size. Newer versions limit it in huge documents,
    /// too.
    #[cfg(has_max_amplification)]
    #[calls(ffi::xmlCtxtSetMaxAmplification)]
    pub(crate) fn set_max_amplification(&mut self, factor: c_uint);

    /// Returns `true` if the parser stopped building the tree before the end of the document.
    #[field(disableSAX)]
    pub(crate) fn gave_up(&self) -> bool;

    #[field(recovery)]
    pub(crate) fn recovers(&self) -> bool;

    /// Returns the reports about the document.
    pub(crate) fn reported(&self) -> Vec<Report> {
        attached::<Reports, _>(self).map_or_else(Vec::new, |reports| reports.0.clone())
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
