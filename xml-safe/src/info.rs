//! The version, encoding and address of a document, and the base addresses of nodes.

use std::borrow::Cow;

use leakproof::prelude::*;

use crate::errors::TreeErrors;
use crate::ffi;

/// The encoding that a document was read in, as side data.
pub(crate) struct SourceEncoding(pub(crate) Cow<'static, str>);

impl Attachment for SourceEncoding {}

/// A URI reference.
#[handle(
    raw = ffi::xmlURI,
    release = ffi::xmlFreeURI,
    errors(TreeErrors, thread_callback = ffi::__xmlStructuredError, thread_messages = ffi::__xmlGenericError),
    fork_safe
)]
struct Uri;

#[methods(unsafe, rust_only)]
impl Uri {
    /// `None` for text that is no URI reference.
    #[calls(ffi::xmlParseURI, fails = sticky)]
    fn parse(text: &CStr) -> Result<Option<Owned<Uri>>>;
}

/// Returns `true` for a URI reference.
pub(crate) fn is_uri(text: &CStr) -> Result<bool> {
    Uri::parse(text).map(|uri| uri.is_some())
}

/// Returns the text as a URI reference: characters that a URI can't have are escaped.
pub(crate) fn escaped(text: &CStr) -> Result<CString> {
    let bytes = text.to_bytes();
    let mut uri = Vec::new();
    uri.try_reserve(bytes.len().saturating_mul(3))?;
    for byte in bytes {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' => uri.push(*byte),
            other if b"-._~:/?#[]@!$&'()*+,;=%".contains(other) => uri.push(*other),
            other => uri.extend_from_slice(format!("%{other:02X}").as_bytes()),
        }
    }
    let refused = || Error::Value(format!("{:?} is no URI", text.to_string_lossy()));
    let uri = CString::new(uri).map_err(|_| refused())?;
    Uri::parse(&uri)?.map(drop).ok_or_else(refused)?;
    Ok(uri)
}

#[methods(unsafe, rust_only, utf8 = lossy)]
impl crate::document::Document {
    #[field(URL)]
    fn address(&self) -> Option<String>;
}

#[methods(unsafe, rust_only)]
impl crate::node::Node {
    /// Sets the address of a document.
    #[calls(ffi::xmlNodeSetBase, fails = when(|_| false))]
    fn set_address(&mut self, uri: Option<&CStr>) -> Result<()>;
}

#[methods(unsafe, utf8 = lossy)]
impl crate::document::Document {
    /// The version of XML that the document declares, such as "1.0". None if libxml2 knows none.
    #[getter(version)]
    fn declared_version(&self) -> Option<String> {
        self.version()
    }

    /// The encoding of the bytes that the document was parsed from, as its XML declaration or its byte order mark says;
    /// "UTF-8" if neither says one. None for a document that was parsed from a str, or made. It has no effect on
    /// writing.
    #[getter(encoding)]
    pub(crate) fn source_encoding(&self) -> Option<String> {
        attached::<SourceEncoding, _>(self).map(|encoding| encoding.0.clone().into_owned())
    }

    /// The standalone declaration: True for "yes", False for "no", None if there is none.
    #[getter(standalone)]
    fn declared_standalone(&self) -> Option<bool> {
        match self.standalone() {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    /// The address of the document: for a file its path, as a URI. None if there is none. Relative addresses in the
    /// document start from here.
    #[getter]
    pub(crate) fn url(&self) -> Option<String> {
        self.address()
    }

    /// Sets the address (xmlNodeSetBase). Characters that a URI can't have, such as spaces, are escaped.
    ///
    /// Raises ValueError for what is no URI.
    #[setter]
    pub(crate) fn set_url(&mut self, url: Option<&CStr>) -> Result<()> {
        let url = url.map(escaped).transpose()?;
        let tree = Tree::of(self);
        match tree.owner().as_node() {
            Some(node) => tree.edit(node)?.set_address(url.as_deref()),
            None => Err(Error::Value("the document has no node".into())),
        }
    }
}

#[methods(unsafe, utf8 = lossy)]
impl crate::node::Node {
    /// The address that relative addresses in this node start from: the nearest `xml:base`, resolved by those above,
    /// or the address of the document (xmlNodeGetBase). None if there is none.
    #[getter]
    #[calls(ffi::xmlNodeGetBase, args = (null, self), free = ffi::xmlFree.expect("libxml2 always has one"), fails = sticky)]
    pub(crate) fn base(&self) -> Result<Option<String>>;
}
