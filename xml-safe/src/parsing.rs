//! Parsing: one parser lives for one document, or for one attempt at it.

use std::borrow::Cow;
use std::ffi::c_int;
#[cfg(has_max_amplification)]
use std::ffi::c_uint;
use std::io::Read as _;

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{
    Bound, FromPyObject, PyAny, PyAnyMethods, PyBytesMethods, PyErr, PyResult, PyStringMethods,
    PyTypeMethods,
};
use leakproof::pyo3::types::{PyByteArray, PyBytes, PyMemoryView, PyString};
use leakproof::pyo3::{self, PyTypeInfo, type_hint_union};

use crate::decode::{Decoder, Utf8};
use crate::document::Document;
use crate::errors::{Report, Reports};
use crate::external_entities::{Content, External};
use crate::ffi;
use crate::ids;
use crate::info::SourceEncoding;
use crate::parser::Parser;
use crate::sax::Handlers;
use crate::serialize::uris::note_source;

/// The maximum number of line ends in a document whose line numbers all fit into the nodes.
const LINES: usize = 65_534;

/// The options that the user passed to `parse`.
#[derive(Clone, Copy)]
struct Options {
    recover: bool,
    huge: bool,
    no_blanks: bool,
    no_cdata: bool,
    resolve_entities: bool,
    load_dtd: bool,
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
    #[calls(
        ffi::xmlCtxtReadMemory,
        args = (self, data.ptr, data.len, url, encoding, options),
        fields(
            _private = handlers.data,
            (*sax).reference = handlers.reference,
            (*sax).entityDecl = handlers.declared
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
            (*sax).reference = handlers.reference,
            (*sax).entityDecl = handlers.declared
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
}

/// The input of `parse`: bytes in any encoding, or text.
enum Source<'py> {
    Bytes(Bound<'py, PyBytes>),
    Text(Bound<'py, PyString>),
}

/// Implemented by hand: the code that PyO3 derives raises an exception for each type that it tries. Raising releases
/// the GIL, and the interpreter may be finalized meanwhile.
impl<'py> FromPyObject<'_, 'py> for Source<'py> {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = type_hint_union!(
        PyBytes::TYPE_HINT,
        PyByteArray::TYPE_HINT,
        PyMemoryView::TYPE_HINT,
        PyString::TYPE_HINT
    );

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Source::Bytes(bytes.to_owned()));
        }
        match object.cast::<PyString>() {
            Ok(text) => Ok(Source::Text(text.to_owned())),
            Err(_) => {
                let is_memory = object.is_instance_of::<PyByteArray>()
                    || object.is_instance_of::<PyMemoryView>();
                if is_memory {
                    let bytes = object.py().get_type::<PyBytes>().call1((object,))?;
                    return Ok(Source::Bytes(bytes.cast_into::<PyBytes>()?));
                }
                let class = object.get_type().name()?;
                let hint = match object.hasattr("read")? || object.hasattr("__fspath__")? {
                    true => {
                        ": parse_file takes the path of a file, and parse what its `read` returns"
                    }
                    false => "",
                };
                let message = format!("bytes or a str expected, not {class}{hint}");
                Err(PyTypeError::new_err(message))
            }
        }
    }
}

/// Parse a document (xmlCtxtReadMemory).
///
/// `data` is a str, bytes, a bytearray or a memoryview, of which a copy is made. Bytes are decoded according to their
/// byte order mark or their XML declaration. The encoding that a str declares is
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
            parsed(utf8, None, options, external.as_ref(), true)
        }
        Source::Text(text) => {
            let utf8 = decoder.text(text.to_str()?)?;
            parsed(utf8, None, options, external.as_ref(), true)
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
    parsed(
        utf8,
        Some(path.as_c_str()),
        options,
        external.as_ref(),
        false,
    )
}

/// Parses XML that this package wrote of a document in an encoding. Nothing external is read, and texts and depth have
/// no limits.
pub(crate) fn parse_again(
    xml: &[u8],
    encoding: Option<String>,
) -> Result<Owned<'static, Document>> {
    let options = Options {
        recover: false,
        huge: true,
        no_blanks: false,
        no_cdata: false,
        resolve_entities: false,
        load_dtd: false,
    };
    let decoder = Decoder {
        recover: false,
        file: None,
    };
    let mut utf8 = decoder.bytes(xml)?;
    utf8.encoding = encoding.map(Cow::Owned);
    parsed(utf8, None, options, None, true)
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

/// Parses a document that another one includes. Entities are replaced by their texts, by the same policy.
pub(crate) fn parse_included(
    content: &Content,
    url: &CStr,
    external: Option<&External>,
    in_folder: bool,
    huge: bool,
) -> Result<Owned<'static, Document>> {
    let options = Options {
        recover: false,
        huge,
        no_blanks: false,
        no_cdata: false,
        resolve_entities: true,
        load_dtd: false,
    };
    let decoder = Decoder {
        recover: false,
        file: Some(url),
    };
    let utf8 = match content {
        Content::Bytes(bytes) => decoder.bytes(bytes)?,
        Content::Text(text) => decoder.text(text)?,
    };
    parsed(utf8, Some(url), options, external, in_folder)
}

/// Parses one document. `in_folder` says that relative addresses in it are below the folder of `external`.
fn parsed(
    utf8: Utf8<'_>,
    url: Option<&CStr>,
    options: Options,
    external: Option<&External>,
    in_folder: bool,
) -> Result<Owned<'static, Document>> {
    // libxml2 initializes itself on first use. The GIL is held here, so that only one thread does so.
    Parser::initialize();
    let reading = Reading {
        data: &utf8.bytes,
        url,
        ignore_declared: utf8.ignore_declared,
        in_folder,
        options,
    };
    let (mut document, reported) = match options.resolves() {
        true => reading.resolving(external)?,
        false => reading.without_external()?,
    };
    #[cfg(marks_entities)]
    crate::turn::prepare(&document);
    if options.resolves() || utf8.bytes.contains(&b'&') {
        ids::mend(&mut document)?;
    }
    note_source(&document, &utf8.bytes);
    if let Some(encoding) = utf8.encoding {
        attach(&*document, SourceEncoding(encoding));
    }
    let mut reports = utf8.reports;
    reports.extend(reported);
    if !reports.is_empty() {
        attach(&*document, Reports(reports));
    }
    Ok(document)
}

/// A document to parse, and the options for it.
struct Reading<'d> {
    data: &'d [u8],
    url: Option<&'d CStr>,
    ignore_declared: bool,
    in_folder: bool,
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
    fn without_external(&self) -> Read {
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
            external.read_all(wanted, url, self.in_folder, &mut loaded)?;
            handlers.restart(loaded);
        }
    }
}
