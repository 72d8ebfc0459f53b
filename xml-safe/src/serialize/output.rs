//! libxml2's output buffer, and the callback that takes what libxml2 writes.

use std::ffi::c_int;
use std::sync::{Mutex, MutexGuard, PoisonError};

use leakproof::prelude::*;

use super::encode::{Encoder, Place};
use super::inherited::Inherited;
use super::scan::Scanner;
use super::uris::Uris;
use crate::errors::Record;
use crate::ffi;

/// The buffer that libxml2 writes to. It has no encoding, so that its content is UTF-8, and no options of the thread
/// apply to it.
#[handle(
    raw = ffi::xmlOutputBuffer,
    release = ffi::xmlOutputBufferClose,
    errors(OutputErrors, asks_handle, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    thread_locals(
        ffi::__xmlSaveNoEmptyTags = 0,
        ffi::__xmlIndentTreeOutput = 1,
        ffi::__xmlTreeIndentString = c"  ".as_ptr(),
    ),
    lends,
    fork_safe
)]
pub(super) struct Output;

#[methods(unsafe, rust_only)]
impl Output {
    #[calls(ffi::xmlAllocOutputBuffer, args = (null), fails = null)]
    pub(super) fn new() -> Result<Owned<Output>>;

    #[calls(
        ffi::xmlOutputBufferFlush,
        args = (self),
        fields(context = sink.data, writecallback = sink.write),
        fails = negative,
        detach
    )]
    pub(super) fn flush(&mut self, sink: &Sink) -> Result<c_int>;

    #[field(error)]
    fn error(&self) -> c_int;
}

/// Takes what libxml2 writes.
#[derive(Debug)]
pub(super) struct Sink {
    scanner: Mutex<Scanner>,
    /// Set if signal handlers may run while libxml2 writes.
    interrupts: bool,
}

impl Attachment for Sink {}

#[callbacks(unsafe)]
impl Sink {
    #[callback(ffi::xmlOutputWriteCallback, args = (data, bytes.ptr, bytes.len), on_error = -1)]
    pub(super) fn write(&self, bytes: &[u8]) -> Result<c_int> {
        if self.interrupts {
            leakproof::check_signals()?;
        }
        self.scanner().xml(bytes)?;
        Ok(c_int::try_from(bytes.len()).unwrap_or(c_int::MAX))
    }
}

impl Sink {
    /// `expand` says whether libxml2 writes references in place of characters in the values of attributes. `uris` are
    /// the rules for the URIs of namespaces, if these need any.
    pub(super) fn new(encoder: Encoder, expand: bool, uris: Option<Uris>) -> Self {
        Sink {
            scanner: Mutex::new(Scanner::new(encoder, expand, uris)),
            interrupts: true,
        }
    }

    /// Returns a sink that runs no Python code while libxml2 writes to memory.
    pub(super) fn without_signals(self) -> Self {
        Sink {
            interrupts: false,
            ..self
        }
    }

    fn scanner(&self) -> MutexGuard<'_, Scanner> {
        self.scanner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns `true` if all that is written stays in memory.
    pub(super) fn is_to_memory(&self) -> bool {
        self.scanner().encoder.is_to_memory()
    }

    /// Writes XML in UTF-8.
    pub(super) fn xml(&self, bytes: &[u8]) -> Result<()> {
        self.scanner().xml(bytes)
    }

    /// Writes text. Character references stand for characters that the encoding has not.
    pub(super) fn content(&self, text: &str) -> Result<()> {
        self.scanner().encoder.content(text)
    }

    /// Writes text in a place where a character reference has no meaning.
    pub(super) fn verbatim(&self, text: &str, place: Place) -> Result<()> {
        self.scanner().encoder.verbatim(text, place)
    }

    /// Adds declarations to the start tag that comes first.
    pub(super) fn inherit(&self, inherited: Inherited) {
        self.scanner().inherit(inherited);
    }

    /// Writes the declarations that the start tag inherits, if it comes first.
    pub(super) fn inherited(&self) -> Result<()> {
        self.scanner().inherited()
    }

    /// Ends writing.
    pub(super) fn finish(self) -> Result<Encoder> {
        let mut scanner = self
            .scanner
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        scanner.finish()?;
        Ok(scanner.encoder)
    }
}

/// Records why libxml2 could not write: the first cause, or a failed allocation.
#[derive(Default)]
pub(super) struct OutputErrors {
    no_memory: bool,
    code: Option<u32>,
}

impl ErrorSink for OutputErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        self.no_memory |= record.is_of_memory();
        self.code
            .get_or_insert_with(|| record.code().cast_unsigned());
    }

    /// Recognizes failed allocations that libxml2 reports only as printed messages.
    fn record_format(&mut self, format: &CStr) {
        self.no_memory |= format.to_string_lossy().contains("memory");
    }
}

impl ErrorSource<Output> for OutputErrors {
    fn failed_silently(&self, call: &CallInfo<'_, Output>) -> bool {
        self.no_memory || call.handle().is_some_and(|output| output.error() != 0)
    }

    fn into_error(self, call: &CallInfo<'_, Output>) -> Error {
        // Newer versions of libxml2 do not report a failed allocation, and nothing else makes writing to a callback
        // fail.
        let is_unexplained = self.code.is_none() && call.status.is_some_and(|status| status < 0);
        let no_memory = ffi::XML_ERR_NO_MEMORY.cast_signed();
        let stored = call
            .handle()
            .is_some_and(|output| output.error() == no_memory);
        match self.code {
            _ if self.no_memory || stored || is_unexplained => Error::OutOfMemory(call.function),
            Some(ffi::XML_C14N_RELATIVE_NAMESPACE) => Error::Value(
                "canonical XML has no relative namespace URIs, and the document has one".into(),
            ),
            Some(ffi::XML_C14N_INVALID_NODE | ffi::XML_C14N_UNKNOW_NODE) => Error::Value(
                "canonical XML has no entity references: parse the document with resolve_entities=True"
                    .into(),
            ),
            _ => Error::Failed(call.function),
        }
    }
}
