//! Nodes as XML.
//!
//! libxml2 writes UTF-8 into a buffer of its own, independent of the thread's options. XHTML is written as XML.

use std::ffi::{c_int, c_long};

use leakproof::prelude::*;

use crate::document::Document;
use crate::errors::TreeErrors;
use crate::ffi;
use crate::node::Node;

/// The buffer that serialized nodes are written to.
#[handle(
    raw = ffi::xmlBuffer,
    release = ffi::xmlBufferFree,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    thread_locals(ffi::__xmlSaveNoEmptyTags = 0, ffi::__xmlIndentTreeOutput = 1),
    fork_safe
)]
struct Output;

#[methods(unsafe, rust_only, utf8 = lossy)]
impl Output {
    #[calls(ffi::xmlBufferCreate, fails = null)]
    fn new() -> Result<Owned<Output>>;

    #[calls(ffi::xmlSaveToBuffer, fails = null)]
    fn saver(&mut self, encoding: &CStr, options: c_int) -> Result<Owned<Saver>>;

    #[calls(ffi::xmlBufferContent)]
    fn content(&self) -> Option<String>;
}

/// The state of writing to a buffer.
#[handle(
    raw = ffi::xmlSaveCtxt,
    release = ffi::xmlSaveClose,
    parent = Output,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    thread_locals(ffi::__xmlSaveNoEmptyTags = 0, ffi::__xmlIndentTreeOutput = 1),
    fork_safe
)]
struct Saver;

#[methods(unsafe, rust_only)]
impl Saver {
    #[calls(ffi::xmlSaveTree, fails = negative)]
    fn write(&mut self, node: &Node) -> Result<c_long>;

    #[calls(ffi::xmlSaveFlush, fails = negative)]
    fn flush(&mut self) -> Result<c_int>;
}

/// Returns `node` as XML.
pub(crate) fn node(node: &Node) -> Result<String> {
    let mut output = Output::new()?;
    let options = ffi::XML_SAVE_AS_XML | ffi::XML_SAVE_NO_XHTML | ffi::XML_SAVE_NO_DECL;
    let mut saver = output.saver(c"UTF-8", options.cast_signed())?;
    saver.write(node)?;
    saver.flush()?;
    drop(saver);
    Ok(output.content().unwrap_or_default())
}

/// Returns `document` as XML, with each of its children on a line. libxml2's own function would change the document's
/// encoding meanwhile.
pub(crate) fn document(document: &Document, content: &Node) -> Result<String> {
    let version = document.version().unwrap_or_else(|| "1.0".into());
    let standalone = match document.standalone() {
        0 => " standalone=\"no\"",
        1 => " standalone=\"yes\"",
        _ => "",
    };
    let mut text = format!("<?xml version=\"{version}\" encoding=\"UTF-8\"{standalone}?>\n");
    for child in content.members() {
        text.push_str(&node(child.get())?);
        text.push('\n');
    }
    Ok(text)
}
