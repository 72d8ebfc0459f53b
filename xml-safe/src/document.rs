//! Documents.

use std::ffi::c_int;
use std::io::Read;
use std::sync::{Mutex, MutexGuard, TryLockError};

use leakproof::prelude::*;
use leakproof::pyo3::prelude::{Bound, FromPyObject, PyBytesMethods, PyStringMethods};
use leakproof::pyo3::types::{PyBytes, PyString};

use crate::errors::TreeErrors;
use crate::ffi;
use crate::node::{Dtd, Entity, Node};
use crate::parser::{Options, Parser};
use crate::xpath::{XPathContext, XPathValue};

/// A parsed XML document. Closing it also closes its XPath contexts; its nodes can't be used any more.
#[handle(
    raw = ffi::xmlDoc,
    release = ffi::xmlFreeDoc,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    fork_safe
)]
pub(crate) struct Document;

/// What can be parsed: bytes in any encoding, or text.
#[derive(FromPyObject)]
#[pyo3(crate = "leakproof::pyo3")]
pub(crate) enum Source<'py> {
    Bytes(Bound<'py, PyBytes>),
    Text(Bound<'py, PyString>),
}

#[methods(unsafe)]
impl Document {
    /// The root element, if there is one (xmlDocGetRootElement).
    #[getter]
    #[calls(ffi::xmlDocGetRootElement)]
    pub(crate) fn root(&self) -> Option<Borrowed<Node>>;

    /// The document itself as a node: where absolute XPath expressions start.
    #[private]
    #[field(self)]
    pub(crate) fn as_node(&self) -> Option<Borrowed<Node>>;

    #[private]
    #[field(intSubset)]
    pub(crate) fn internal_subset(&self) -> Option<Borrowed<Dtd>>;

    #[private]
    #[field(extSubset)]
    pub(crate) fn external_subset(&self) -> Option<Borrowed<Dtd>>;

    #[private]
    #[calls(ffi::xmlGetDocEntity)]
    pub(crate) fn entity(&self, name: &CStr) -> Option<Borrowed<Entity>>;

    #[private]
    #[field(parseFlags)]
    fn parse_flags(&self) -> c_int;

    /// Whether libxml2's limits on sizes were lifted for this document.
    #[private]
    pub(crate) fn is_huge(&self) -> bool {
        self.parse_flags().cast_unsigned() & ffi::XML_PARSE_HUGE != 0
    }

    /// To be held while libxml2 may expand entity references: from 2.13 on it marks the entity meanwhile, and takes the
    /// mark of another thread for a loop, leaving the text out.
    #[private]
    pub(crate) fn expanding(&self) -> Option<MutexGuard<'static, ()>> {
        static ALONE: [Mutex<()>; 64] = [const { Mutex::new(()) }; 64];
        self.internal_subset()?;
        let alone = &ALONE[(std::ptr::from_ref(self).addr() >> 6) % ALONE.len()];
        loop {
            match alone.try_lock() {
                Ok(guard) => return Some(guard),
                Err(TryLockError::Poisoned(poisoned)) => return Some(poisoned.into_inner()),
                // Whoever has it may want the GIL.
                Err(TryLockError::WouldBlock) => leakproof::detached(|| drop(alone.lock())),
            }
        }
    }

    #[private]
    #[calls(ffi::xmlXPathNewContext, fails = null)]
    fn new_context(&self) -> Result<Owned<XPathContext>>;

    /// Make an XPath context on this document, with the document as context node (xmlXPathNewContext).
    pub(crate) fn xpath_new_context(&self) -> Result<Owned<XPathContext>> {
        let mut context = self.new_context()?;
        if let Some(node) = self.as_node() {
            context.set_node(&node)?;
        }
        Ok(context)
    }

    /// Evaluate an XPath expression with the document as context node.
    ///
    /// The result is a list of nodes, a str, a float or a bool. Namespace nodes come as tuples of prefix and URI.
    ///
    /// Raises XPathError if the expression is malformed or can't be evaluated.
    #[pyo3(name = "xpathEval")]
    fn xpath_eval(&self, expr: &CStr) -> Result<XPathValue<'_>> {
        let context = self.xpath_new_context()?;
        context.eval_on(self, expr)
    }
}

/// Parse a document (xmlCtxtReadMemory).
///
/// Bytes are decoded as their XML declaration or byte order mark says. In a str the declared encoding has no
/// meaning: the text is what it is.
///
/// With `recover`, a malformed document gives what could be read of it. `huge` lifts libxml2's limits on the depth
/// and on the size of texts, which protect against documents made to exhaust memory. `no_blanks` drops text nodes
/// that are only white space, `no_cdata` makes CDATA sections plain text. `resolve_entities` replaces entity
/// references by their text; a document that refers to entities in other files is then refused. `load_dtd` reads the
/// external DTD subset if it is a local file. Nothing is ever fetched from the network.
///
/// Raises ParseError if the document is malformed, OverflowError if it is larger than 2 GiB.
#[function]
#[pyo3(signature = (data, *, recover = false, huge = false, no_blanks = false, no_cdata = false,
                    resolve_entities = false, load_dtd = false))]
pub(crate) fn parse(
    data: Source<'_>,
    recover: bool,
    huge: bool,
    no_blanks: bool,
    no_cdata: bool,
    resolve_entities: bool,
    load_dtd: bool,
) -> Result<Owned<Document>> {
    let options = Options {
        recover,
        huge,
        no_blanks,
        no_cdata,
        resolve_entities,
        load_dtd,
    };
    match data {
        Source::Bytes(bytes) => Parser::parse(bytes.as_bytes(), None, None, options),
        Source::Text(text) => {
            Parser::parse(text.to_str()?.as_bytes(), None, Some(c"UTF-8"), options)
        }
    }
}

/// Parse the file at `path`: exactly that file, whatever its name looks like.
///
/// `decompress` inflates a gzip file; without it such a file is not XML. For the other options see `parse`.
///
/// Raises OSError if the file can't be read, and what `parse` raises.
#[function]
#[pyo3(signature = (path, *, recover = false, huge = false, no_blanks = false, no_cdata = false,
                    resolve_entities = false, load_dtd = false, decompress = false))]
#[expect(clippy::too_many_arguments, reason = "options by name")]
pub(crate) fn parse_file(
    path: &FsPath,
    recover: bool,
    huge: bool,
    no_blanks: bool,
    no_cdata: bool,
    resolve_entities: bool,
    load_dtd: bool,
    decompress: bool,
) -> Result<Owned<Document>> {
    let options = Options {
        recover,
        huge,
        no_blanks,
        no_cdata,
        resolve_entities,
        load_dtd,
    };
    let bytes = leakproof::detached(|| read(path, decompress))
        .map_err(|error| Error::Os(error, Some(path.as_path().to_owned())))?;
    Parser::parse(&bytes, Some(path.as_c_str()), None, options)
}

fn read(path: &FsPath, decompress: bool) -> std::io::Result<Vec<u8>> {
    let bytes = std::fs::read(path.as_path())?;
    if !decompress || !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut inflated = Vec::new();
    flate2::read::MultiGzDecoder::new(&*bytes).read_to_end(&mut inflated)?;
    Ok(inflated)
}
