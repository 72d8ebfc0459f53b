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

/// A parsed XML document. Closing the document also closes its XPath contexts, and its nodes can no longer be used.
#[handle(
    raw = ffi::xmlDoc,
    release = ffi::xmlFreeDoc,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    attachments,
    fork_safe
)]
pub(crate) struct Document;

/// The input of `parse`: bytes in any encoding, or text.
pub(crate) enum Source<'py> {
    Bytes(Bound<'py, PyBytes>),
    Text(Bound<'py, PyString>),
}

/// Implemented by hand: the code that PyO3 derives raises an exception for each type that it tries. Raising releases
/// the GIL, and the interpreter may be finalized meanwhile.
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

    /// The document as a node, at which absolute XPath expressions start.
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

    /// Returns `true` if the document was parsed without libxml2's limits.
    #[rust_only]
    pub(crate) fn is_huge(&self) -> bool {
        self.flags().cast_unsigned() & ffi::XML_PARSE_HUGE != 0
    }

    /// All reports about the document from parsing it, in order. With `recover`, they include its errors.
    #[getter]
    fn errors(&self) -> Vec<Report> {
        attached::<Reports, _>(self).map_or_else(Vec::new, |reports| reports.0.clone())
    }

    /// Marks the external entities as external again: they were declared as internal ones with their text.
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
/// Bytes are decoded according to their byte order mark or their XML declaration. The encoding that a str declares is
/// ignored: the str is decoded already.
///
/// With `recover`, a malformed document is parsed as far as possible, and `Document.errors` lists its errors. `huge`
/// lifts libxml2's limits on the depth and on the size of texts, which protect against documents made to exhaust
/// memory. `no_blanks` drops text nodes that are only white space. `no_cdata` turns CDATA sections into text nodes.
/// `resolve_entities` replaces entity references by their text. `load_dtd` reads the external DTD subset.
///
/// By default, no external entity is read. A document that needs one for `resolve_entities` or `load_dtd` is refused.
/// `external` is the policy for external entities. A path allows the regular files in a folder or below it. A function
/// is called with the system identifier, and with the public identifier or None. The function returns bytes or a str,
/// or None to refuse. The system identifier is resolved against the file that contains it. The network, catalogs,
/// devices and the standard input are never read.
///
/// Raises ParseError if the document is malformed or refers to an external entity that is not read, OverflowError if it
/// is larger than 2 GiB, and the exceptions of the function `external`.
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

/// Parse exactly the file at `path`, whatever its name looks like.
///
/// `decompress` inflates a gzip file; without it, such a file is not XML. The other options are those of `parse`. Files
/// in the folder of `path` are read only if `external` names that folder.
///
/// Raises OSError if the file can't be read, and the exceptions of `parse`.
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
