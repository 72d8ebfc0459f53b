//! XML, written by libxml2 in UTF-8.

use std::ffi::c_int;

use leakproof::prelude::*;

use super::encode::Place;
use super::output::{Output, Sink};
use crate::ffi;
use crate::node::Node;

#[methods(unsafe, rust_only)]
impl super::output::Output {
    /// Writes a node. Without a document as argument, libxml2 looks for no DTD of XHTML.
    #[calls(
        ffi::xmlNodeDumpOutput,
        args = (self, null, node, 0, format, c"UTF-8"),
        fields(context = sink.data, writecallback = sink.write),
        fails = sticky,
        detach
    )]
    fn put(&mut self, node: &Node, format: c_int, sink: &Sink) -> Result<()>;

    /// Writes a node to the memory of the buffer, as [`Output::put`] does.
    #[calls(
        ffi::xmlNodeDumpOutput,
        args = (self, null, node, 0, format, c"UTF-8"),
        fails = sticky,
        detach
    )]
    fn gather(&mut self, node: &Node, format: c_int) -> Result<()>;

    /// Returns what is in the memory of the buffer.
    #[calls(ffi::xmlOutputBufferGetContent, len = ffi::xmlOutputBufferGetSize, fails = null)]
    fn content(&self) -> Result<&[u8]>;
}

/// Writes a node, or each child of a document on a line. For a document, libxml2 would change the document's encoding
/// meanwhile.
pub(super) fn write(node: &Node, indent: bool, sink: &Sink) -> Result<()> {
    if !node.is_document() {
        return one(node, indent, sink);
    }
    for child in node.steps() {
        one(child.get(), indent, sink)?;
        sink.verbatim("\n", Place::Markup)?;
    }
    Ok(())
}

/// Writes one node, which is no document. In memory, libxml2 is faster if it writes to no callback.
pub(super) fn one(node: &Node, indent: bool, sink: &Sink) -> Result<()> {
    let mut output = Output::new()?;
    if sink.is_to_memory() {
        output.gather(node, c_int::from(indent))?;
        return sink.xml(output.content()?);
    }
    output.put(node, c_int::from(indent), sink)?;
    output.flush(sink)?;
    Ok(())
}

/// Returns `true` if libxml2 writes references for all characters beyond ASCII in values of attributes: older versions
/// do for a document without an encoding.
pub(super) fn lacks_encoding(node: &Node) -> bool {
    node.owner()
        .is_some_and(|document| document.encoding().is_none())
}

#[methods(unsafe, rust_only)]
impl crate::document::Document {
    #[field(encoding)]
    fn encoding(&self) -> Option<CString>;
}
