//! Documents.

use std::ffi::c_int;
use std::io::Read;

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{
    Bound, FromPyObject, PyAny, PyAnyMethods, PyBytesMethods, PyErr, PyResult, PyStringMethods,
    PyTypeMethods,
};
use leakproof::pyo3::types::{PyBytes, PyString};
use leakproof::pyo3::{self, PyTypeInfo, type_hint_union};

use crate::decode::Decoder;
use crate::errors::{Report, Reports, TreeErrors};
use crate::external::External;
use crate::ffi;
use crate::node::{Dtd, Entity, Node};
use crate::parser::{Options, Parser};
use crate::xpath::{XPathContext, XPathValue};

/// A parsed XML document. Closing it also closes its XPath contexts; its nodes can't be used any more.
#[handle(
    raw = ffi::xmlDoc,
    release = ffi::xmlFreeDoc,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    attachments,
    fork_safe
)]
pub(crate) struct Document;

/// What can be parsed: bytes in any encoding, or text.
pub(crate) enum Source<'py> {
    Bytes(Bound<'py, PyBytes>),
    Text(Bound<'py, PyString>),
}

/// By hand: what PyO3 derives makes an exception for each type that it tries, and lets go of the GIL for it, where the
/// interpreter may end.
impl<'py> FromPyObject<'_, 'py> for Source<'py> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_union!(PyBytes::TYPE_HINT, PyString::TYPE_HINT);

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Source::Bytes(bytes.to_owned()));
        }
        match object.cast::<PyString>() {
            Ok(text) => Ok(Source::Text(text.to_owned())),
            Err(_) => {
                let class = object.get_type().name()?;
                let message = format!("bytes or a str expected, not {class}");
                Err(PyTypeError::new_err(message))
            }
        }
    }
}

#[methods(unsafe, utf8 = lossy)]
impl Document {
    /// The root element, if there is one (xmlDocGetRootElement).
    #[getter]
    #[calls(ffi::xmlDocGetRootElement)]
    pub(crate) fn root(&self) -> Option<Borrowed<Node>>;

    /// The document itself as a node: where absolute XPath expressions start.
    #[rust_only]
    #[field(self)]
    pub(crate) fn as_node(&self) -> Option<Borrowed<Node>>;

    #[rust_only]
    #[field(intSubset)]
    pub(crate) fn internal_subset(&self) -> Option<Borrowed<Dtd>>;

    #[rust_only]
    #[field(extSubset)]
    pub(crate) fn external_subset(&self) -> Option<Borrowed<Dtd>>;

    /// The general entity of this name (xmlGetDocEntity).
    #[rust_only]
    #[calls(ffi::xmlGetDocEntity)]
    pub(crate) fn entity(&self, name: &CStr) -> Option<Borrowed<Entity>>;

    #[rust_only]
    #[field(version)]
    pub(crate) fn version(&self) -> Option<String>;

    #[rust_only]
    #[field(standalone)]
    pub(crate) fn standalone(&self) -> c_int;

    #[rust_only]
    #[field(parseFlags)]
    fn flags(&self) -> c_int;

    /// Whether it was parsed without libxml2's limits.
    #[rust_only]
    pub(crate) fn is_huge(&self) -> bool {
        self.flags().cast_unsigned() & ffi::XML_PARSE_HUGE != 0
    }

    /// Everything that was reported while the document was parsed, in libxml2's order: with `recover`, what was wrong.
    #[getter]
    fn errors(&self) -> Vec<Report> {
        attached::<Reports, _>(self).map_or_else(Vec::new, |reports| reports.0.clone())
    }

    /// Say again which entities are external: they were declared with their text.
    #[rust_only]
    pub(crate) fn mark_external_entities(&mut self) -> Result<()> {
        let subsets = [self.internal_subset(), self.external_subset()];
        let mut subsets = subsets.into_iter().flatten();
        subsets.try_for_each(|dtd| dtd.get().mark_external_entities())
    }

    #[rust_only]
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
/// Bytes are decoded as their byte order mark or their XML declaration says. In a str the declared encoding has no
/// meaning: the text is what it is.
///
/// With `recover`, a malformed document gives what could be read of it, and `Document.errors` says what was wrong. `huge`
/// lifts libxml2's limits on the depth and on the size of texts, which protect against documents made to exhaust memory.
/// `no_blanks` drops text nodes that are only white space, `no_cdata` makes CDATA sections plain text.
/// `resolve_entities` replaces entity references by their text. `load_dtd` reads the external DTD subset.
///
/// By default nothing outside of the document is read, and a document that needs it for `resolve_entities` or `load_dtd`
/// is refused.
/// `external` says what may be read: the path of a folder, for regular files in it or below it; or a function that is
/// called with the system identifier and the public identifier or None, and that returns bytes or a str, or None to
/// refuse. The system identifier is resolved against the file that it stands in. The network, catalogs, devices and
/// the standard input are never read.
///
/// Raises ParseError if the document is malformed or refers to something that is not read, OverflowError if it is
/// larger than 2 GiB, and what the function of `external` raises.
#[function]
#[pyo3(signature = (data, *, recover = false, huge = false, no_blanks = false, no_cdata = false,
                    resolve_entities = false, load_dtd = false, external = None))]
#[expect(clippy::too_many_arguments, reason = "options by name")]
pub(crate) fn parse(
    data: Source<'_>,
    recover: bool,
    huge: bool,
    no_blanks: bool,
    no_cdata: bool,
    resolve_entities: bool,
    load_dtd: bool,
    external: Option<External>,
) -> Result<Owned<Document>> {
    let options = Options {
        recover,
        huge,
        no_blanks,
        no_cdata,
        resolve_entities,
        load_dtd,
    };
    let decoder = Decoder {
        recover,
        file: None,
    };
    match data {
        Source::Bytes(bytes) => {
            let utf8 = decoder.bytes(bytes.as_bytes())?;
            Parser::parse(utf8, None, options, external.as_ref())
        }
        Source::Text(text) => {
            let utf8 = decoder.text(text.to_str()?)?;
            Parser::parse(utf8, None, options, external.as_ref())
        }
    }
}

/// Parse the file at `path`: exactly that file, whatever its name looks like.
///
/// `decompress` inflates a gzip file; without it such a file is not XML. For the other options see `parse`. A folder
/// that is given as `external` is not that of the file unless it is given.
///
/// Raises OSError if the file can't be read, and what `parse` raises.
#[function]
#[pyo3(signature = (path, *, recover = false, huge = false, no_blanks = false, no_cdata = false,
                    resolve_entities = false, load_dtd = false, external = None, decompress = false))]
#[expect(clippy::too_many_arguments, reason = "options by name")]
pub(crate) fn parse_file(
    path: &FsPath,
    recover: bool,
    huge: bool,
    no_blanks: bool,
    no_cdata: bool,
    resolve_entities: bool,
    load_dtd: bool,
    external: Option<External>,
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
    let bytes = leakproof::detach(|| read(path, decompress))
        .map_err(|error| Error::Os(error, Some(path.as_path().to_owned())))?;
    let decoder = Decoder {
        recover,
        file: Some(path.as_c_str()),
    };
    let utf8 = decoder.bytes(&bytes)?;
    Parser::parse(utf8, Some(path.as_c_str()), options, external.as_ref())
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
