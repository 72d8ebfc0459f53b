//! The methods of documents and nodes that write them.

use leakproof::prelude::*;

use super::argument::Argument;
use super::encode::{Encoder, Encoding, Place};
use super::inherited::Inherited;
use super::options::{Canonical, Inclusive, Method, Options, Version, Written};
use super::output::Sink;
use super::target::{Destination, Target};
use super::uris::Uris;
use super::{c14n, markup, xml};
use crate::node::Node;

/// Writes `node` to `encoder`, and returns what the encoder has written to.
fn write(node: &Node, written: &Written, mut encoder: Encoder) -> Result<Destination> {
    if written.is_xml_1_1 {
        encoder.set_xml_1_1();
    }
    let uris = Uris::of(node, false);
    let inherited = match written.method {
        Method::Html => None,
        Method::Xml | Method::Xhtml => Inherited::of(node, uris.as_ref())?,
    };
    let written_as_is = uris.clone().filter(|_| cfg!(not(refers_in_uris)));
    let sink = Sink::new(encoder, xml::lacks_encoding(node), written_as_is);
    if let Some(declaration) = written.declaration(node) {
        sink.verbatim(&declaration, Place::Declaration)?;
    }
    if let Some(inherited) = inherited {
        sink.inherit(inherited);
    }
    match written.method {
        Method::Xml if !node.is_attribute() => xml::write(node, written.indent, &sink)?,
        _ => markup::write(node, written, &sink, uris)?,
    }
    Ok(sink.finish()?.into_destination())
}

fn text(node: &Node, options: Options) -> Result<String> {
    let written = options.check(node, None)?;
    let encoder = Encoder::new(Destination::memory(), Encoding::utf8());
    let bytes = write(node, &written, encoder)?.into_bytes();
    Ok(String::from_utf8(bytes)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

impl Node {
    /// Returns the node as XML in UTF-8.
    pub(crate) fn xml(&self) -> Result<Vec<u8>> {
        let options = Options {
            method: Method::Xml,
            declaration: None,
            indent: false,
            standalone: None,
        };
        bytes(self, Encoding::utf8(), options).map(|Bytes(bytes)| bytes)
    }
}

fn bytes(node: &Node, encoding: Encoding, options: Options) -> Result<Bytes> {
    let written = options.check(node, Some(&encoding))?;
    let encoder = Encoder::new(Destination::memory(), encoding);
    Ok(Bytes(write(node, &written, encoder)?.into_bytes()))
}

fn file(
    node: &Node,
    target: &Target,
    encoding: &Argument<Encoding>,
    options: Options,
) -> Result<()> {
    let tried = encoding.get()?;
    let written = options.check(node, Some(&tried))?;
    // What can't be written is no reason to empty a file.
    if target.is_path() && (written.may_be_refused() || tried.lacks_characters()) {
        write(node, &written, Encoder::new(Destination::Nowhere, tried))?;
    }
    let encoding = encoding.get()?;
    target.write(|destination| {
        let encoder = Encoder::new(destination, encoding);
        write(node, &written, encoder).map(drop)
    })
}

fn canonical_bytes(node: &Node, canonical: Canonical) -> Result<Bytes> {
    let written = c14n::write(node, canonical, Destination::memory())?;
    Ok(Bytes(written.into_bytes()))
}

fn canonical_file(node: &Node, target: &Target, canonical: Canonical) -> Result<()> {
    if target.is_path() {
        c14n::write(node, canonical.clone(), Destination::Nowhere)?;
    }
    target.write(|destination| c14n::write(node, canonical, destination).map(drop))
}

#[methods]
impl crate::node::Node {
    /// Return the node as text: XML, HTML or XHTML, by `method`.
    ///
    /// A document is written whole. An element in XML or XHTML declares all namespaces that are in scope there, also
    /// those that are declared above it. The text has no XML declaration, unless `declaration` or `standalone` asks for
    /// one or the document is XML 1.1, and never names an encoding. The other options are those of `to_bytes`.
    ///
    /// Raises ValueError for options that contradict each other, and for content that HTML or XML 1.1 can't express.
    #[pyo3(
        signature = (*, method = Argument::OMITTED, declaration = None, indent = false, standalone = None),
        text_signature = "($self, *, method='xml', declaration=None, indent=False, standalone=None)"
    )]
    fn to_string(
        &self,
        method: Argument<Method>,
        declaration: Option<bool>,
        indent: bool,
        standalone: Option<bool>,
    ) -> Result<String> {
        let options = Options {
            method: method.get()?,
            declaration,
            indent,
            standalone,
        };
        text(self, options)
    }

    /// Return the node as bytes, in an encoding of Python.
    ///
    /// In text and in values of attributes, character references stand for characters that the encoding does not have.
    /// `method` is "xml", "html" or "xhtml"; a document type declaration makes no difference. `declaration` adds or
    /// leaves out the XML declaration. By default a document has one, and an element in another encoding than UTF-8 and
    /// ASCII. `indent` puts elements on lines of their own where no text is beside them. `standalone` is said in the
    /// declaration; by default as the document says. In HTML and XHTML, a `<meta>` that names an encoding names this
    /// one.
    ///
    /// Raises LookupError for an unknown encoding, UnicodeEncodeError if the encoding does not have a character of a
    /// name, a comment or a processing instruction, and ValueError as `to_string` does.
    #[pyo3(
        signature = (*, encoding = Argument::OMITTED, method = Argument::OMITTED, declaration = None, indent = false, standalone = None),
        text_signature = "($self, *, encoding='UTF-8', method='xml', declaration=None, indent=False, standalone=None)"
    )]
    fn to_bytes(
        &self,
        encoding: Argument<Encoding>,
        method: Argument<Method>,
        declaration: Option<bool>,
        indent: bool,
        standalone: Option<bool>,
    ) -> Result<Bytes> {
        let options = Options {
            method: method.get()?,
            declaration,
            indent,
            standalone,
        };
        bytes(self, encoding.get()?, options)
    }

    /// Write the node to a file: a path, the number of a descriptor, or an object whose method `write` takes bytes.
    ///
    /// The document is written in parts, never in memory as a whole. A path is created or truncated; a descriptor and a
    /// file object stay open. The options are those of `to_bytes`, and are checked before the file is opened.
    ///
    /// Raises OSError if the file can't be opened, written or closed, the exceptions of the file object, TypeError for
    /// a file that is open for text, and the exceptions of `to_bytes`. These come before a path is opened. After
    /// another exception the file is incomplete.
    #[pyo3(
        signature = (target, *, encoding = Argument::OMITTED, method = Argument::OMITTED, declaration = None, indent = false, standalone = None),
        text_signature = "($self, target, *, encoding='UTF-8', method='xml', declaration=None, indent=False, standalone=None)"
    )]
    fn write(
        &self,
        target: Argument<Target>,
        encoding: Argument<Encoding>,
        method: Argument<Method>,
        declaration: Option<bool>,
        indent: bool,
        standalone: Option<bool>,
    ) -> Result<()> {
        let options = Options {
            method: method.get()?,
            declaration,
            indent,
            standalone,
        };
        file(self, &target.get()?, &encoding, options)
    }

    /// Return the canonical form of a document or an element (xmlC14NExecute).
    ///
    /// `version` is "1.0" or "1.1". With `exclusive`, only the namespaces that are used are written, and those whose
    /// prefixes are in `inclusive_prefixes`; "#default" is the default namespace. Comments are left out unless
    /// `comments` is true. Attributes that only a DTD gives, as default values, are not added.
    ///
    /// Raises ValueError for options that contradict each other, for a relative namespace URI, and for an entity
    /// reference: parse the document with `resolve_entities`.
    #[pyo3(
        signature = (*, version = Argument::OMITTED, exclusive = false, inclusive_prefixes = Argument::OMITTED, comments = false),
        text_signature = "($self, *, version='1.0', exclusive=False, inclusive_prefixes=None, comments=False)"
    )]
    fn to_c14n(
        &self,
        version: Argument<Version>,
        exclusive: bool,
        inclusive_prefixes: Argument<Inclusive>,
        comments: bool,
    ) -> Result<Bytes> {
        let canonical = Canonical::new(
            self,
            version.get()?,
            exclusive,
            inclusive_prefixes.get()?,
            comments,
        )?;
        canonical_bytes(self, canonical)
    }

    /// Write the canonical form of a document or an element to a file.
    ///
    /// The file and its errors are as for `write`, the options and their errors as for `to_c14n`.
    #[pyo3(
        signature = (target, *, version = Argument::OMITTED, exclusive = false, inclusive_prefixes = Argument::OMITTED, comments = false),
        text_signature = "($self, target, *, version='1.0', exclusive=False, inclusive_prefixes=None, comments=False)"
    )]
    fn write_c14n(
        &self,
        target: Argument<Target>,
        version: Argument<Version>,
        exclusive: bool,
        inclusive_prefixes: Argument<Inclusive>,
        comments: bool,
    ) -> Result<()> {
        let canonical = Canonical::new(
            self,
            version.get()?,
            exclusive,
            inclusive_prefixes.get()?,
            comments,
        )?;
        canonical_file(self, &target.get()?, canonical)
    }
}

#[methods]
impl crate::document::Document {
    /// Returns the document as a node.
    #[rust_only]
    fn whole(&self) -> Result<Borrowed<'_, Node>> {
        self.as_node()
            .ok_or_else(|| Error::Value("the document has no node".into()))
    }

    /// Return the document as text: XML, HTML or XHTML, by `method`.
    ///
    /// The text has no XML declaration, unless `declaration` or `standalone` asks for one or the document is XML 1.1,
    /// and never names an encoding. The other options are those of `to_bytes`.
    ///
    /// Raises ValueError for options that contradict each other, and for content that HTML or XML 1.1 can't express.
    #[pyo3(
        signature = (*, method = Argument::OMITTED, declaration = None, indent = false, standalone = None),
        text_signature = "($self, *, method='xml', declaration=None, indent=False, standalone=None)"
    )]
    fn to_string(
        &self,
        method: Argument<Method>,
        declaration: Option<bool>,
        indent: bool,
        standalone: Option<bool>,
    ) -> Result<String> {
        let node = self.whole()?;
        node.get()
            .to_string(method, declaration, indent, standalone)
    }

    /// Return the document as bytes, in an encoding of Python.
    ///
    /// In text and in values of attributes, character references stand for characters that the encoding does not have.
    /// `method` is "xml", "html" or "xhtml"; a document type declaration makes no difference. `declaration` adds or
    /// leaves out the XML declaration. By default there is one, except in HTML. `indent` puts elements on lines of
    /// their own where no text is beside them. `standalone` is said in the declaration; by default as the document
    /// says. In HTML and XHTML, a `<meta>` that names an encoding names this one.
    ///
    /// What is written can be read again, unless the document has no element, or `declaration` leaves out the name of
    /// an encoding other than UTF-8 and UTF-16.
    ///
    /// Raises LookupError for an unknown encoding, UnicodeEncodeError if the encoding does not have a character of a
    /// name, a comment or a processing instruction, and ValueError as `to_string` does.
    #[pyo3(
        signature = (*, encoding = Argument::OMITTED, method = Argument::OMITTED, declaration = None, indent = false, standalone = None),
        text_signature = "($self, *, encoding='UTF-8', method='xml', declaration=None, indent=False, standalone=None)"
    )]
    fn to_bytes(
        &self,
        encoding: Argument<Encoding>,
        method: Argument<Method>,
        declaration: Option<bool>,
        indent: bool,
        standalone: Option<bool>,
    ) -> Result<Bytes> {
        let node = self.whole()?;
        node.get()
            .to_bytes(encoding, method, declaration, indent, standalone)
    }

    /// Write the document to a file: a path, the number of a descriptor, or an object whose method `write` takes bytes.
    ///
    /// The document is written in parts, never in memory as a whole. A path is created or truncated; a descriptor and a
    /// file object stay open. The options are those of `to_bytes`, and are checked before the file is opened.
    ///
    /// Raises OSError if the file can't be opened, written or closed, the exceptions of the file object, TypeError for
    /// a file that is open for text, and the exceptions of `to_bytes`. These come before a path is opened. After
    /// another exception the file is incomplete.
    #[pyo3(
        signature = (target, *, encoding = Argument::OMITTED, method = Argument::OMITTED, declaration = None, indent = false, standalone = None),
        text_signature = "($self, target, *, encoding='UTF-8', method='xml', declaration=None, indent=False, standalone=None)"
    )]
    fn write(
        &self,
        target: Argument<Target>,
        encoding: Argument<Encoding>,
        method: Argument<Method>,
        declaration: Option<bool>,
        indent: bool,
        standalone: Option<bool>,
    ) -> Result<()> {
        let node = self.whole()?;
        node.get()
            .write(target, encoding, method, declaration, indent, standalone)
    }

    /// Return the canonical form of the document (xmlC14NExecute).
    ///
    /// `version` is "1.0" or "1.1". With `exclusive`, only the namespaces that are used are written, and those whose
    /// prefixes are in `inclusive_prefixes`; "#default" is the default namespace. Comments are left out unless
    /// `comments` is true. Attributes that only a DTD gives, as default values, are not added.
    ///
    /// Raises ValueError for options that contradict each other, for a relative namespace URI, and for an entity
    /// reference: parse the document with `resolve_entities`.
    #[pyo3(
        signature = (*, version = Argument::OMITTED, exclusive = false, inclusive_prefixes = Argument::OMITTED, comments = false),
        text_signature = "($self, *, version='1.0', exclusive=False, inclusive_prefixes=None, comments=False)"
    )]
    fn to_c14n(
        &self,
        version: Argument<Version>,
        exclusive: bool,
        inclusive_prefixes: Argument<Inclusive>,
        comments: bool,
    ) -> Result<Bytes> {
        let node = self.whole()?;
        node.get()
            .to_c14n(version, exclusive, inclusive_prefixes, comments)
    }

    /// Write the canonical form of the document to a file.
    ///
    /// The file and its errors are as for `write`, the options and their errors as for `to_c14n`.
    #[pyo3(
        signature = (target, *, version = Argument::OMITTED, exclusive = false, inclusive_prefixes = Argument::OMITTED, comments = false),
        text_signature = "($self, target, *, version='1.0', exclusive=False, inclusive_prefixes=None, comments=False)"
    )]
    fn write_c14n(
        &self,
        target: Argument<Target>,
        version: Argument<Version>,
        exclusive: bool,
        inclusive_prefixes: Argument<Inclusive>,
        comments: bool,
    ) -> Result<()> {
        let node = self.whole()?;
        node.get()
            .write_c14n(target, version, exclusive, inclusive_prefixes, comments)
    }
}
