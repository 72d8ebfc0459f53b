//! Encodes what is written, by Python's codecs.
//!
//! A character that the encoding has not becomes a character reference in text and in values of attributes. Elsewhere
//! the character is a `UnicodeEncodeError`, because a reference would be read as other text.

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyLookupError, PyUnicodeEncodeError};
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{
    Bound, Py, PyAny, PyAnyMethods, PyBytesMethods, PyErr, PyResult, PyStringMethods,
};
use leakproof::pyo3::types::{PyBytes, PyString};
use leakproof::pyo3::{PyTypeInfo, Python};

use super::argument::FromArgument;
use super::python::{LOOKUP, exception, name, string};
use super::target::Destination;
use crate::decode::NOT_FOR_DOCUMENTS;

/// The number of bytes that are encoded at once.
const PART: usize = 32 << 10;

/// A place in which a character reference is no character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Declaration,
    Markup,
    Name,
    Comment,
    Instruction,
    Dtd,
    Script,
}

impl Place {
    fn describe(self) -> &'static str {
        match self {
            Place::Declaration => "an XML declaration",
            Place::Markup => "markup",
            Place::Name => "a name",
            Place::Comment => "a comment",
            Place::Instruction => "a processing instruction",
            Place::Dtd => "a DTD",
            Place::Script => "the text of a script or a style",
        }
    }
}

/// An encoding, by its Python codec.
#[derive(Debug)]
pub(super) struct Encoding {
    /// The name for the XML declaration.
    pub(super) name: String,
    codec: Option<Codec>,
}

/// The codec of an encoding other than UTF-8.
#[derive(Debug)]
struct Codec {
    encoder: Py<PyAny>,
    encode: Callable,
    /// Set if the encoding has all characters of Unicode.
    is_unicode: bool,
    /// Set if the encoding has all characters of ASCII.
    has_ascii: bool,
}

impl Encoding {
    /// The encoding of text, which is none.
    pub(super) fn utf8() -> Self {
        Encoding {
            name: "UTF-8".into(),
            codec: None,
        }
    }

    /// Finds an encoding by one of its names in Python.
    fn find(object: &Bound<'_, PyString>) -> PyResult<Self> {
        let (py, asked) = (object.py(), object.to_str()?);
        let info = LOOKUP.get(py)?.call1((object,))?;
        let python: String = info.getattr(&name(py, "name")?)?.extract()?;
        let is_text: bool = match info.getattr_opt(&name(py, "_is_text_encoding")?)? {
            Some(is_text) => is_text.extract()?,
            None => true,
        };
        let make = info.getattr(&name(py, "incrementalencoder")?)?;
        if !is_text || make.is_none() || NOT_FOR_DOCUMENTS.contains(&&*python.replace('_', "-")) {
            let message = format!("{asked:?} is no encoding of documents");
            return Err(exception::<PyLookupError>(py, &message));
        }
        let declared = declared_name(asked, &python);
        if python == "utf-8" {
            return Ok(Encoding {
                name: declared,
                codec: None,
            });
        }
        let ascii: String = ('\t'..='~').filter(|c| !c.is_control()).collect();
        let ascii = PyString::from_bytes(py, ascii.as_bytes())?;
        let strict = &name(py, "strict")?;
        let tried = make.call1((strict,))?;
        let tried = tried.call_method1(&name(py, "encode")?, (ascii, true));
        let has_ascii = match tried {
            Ok(_) => true,
            Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(py) => false,
            Err(error) => return Err(error),
        };
        let encoder = make.call1((strict,))?;
        let is_unicode = python.starts_with("utf") || python == "gb18030";
        Ok(Encoding {
            name: declared,
            codec: Some(Codec {
                encode: encoder.getattr(&name(py, "encode")?)?.into(),
                encoder: encoder.unbind(),
                is_unicode,
                has_ascii,
            }),
        })
    }

    /// Returns `true` if a character of Unicode may not be in this encoding.
    pub(super) fn lacks_characters(&self) -> bool {
        self.codec.as_ref().is_some_and(|codec| !codec.is_unicode)
    }

    /// Returns `true` if a parser needs no declaration for this encoding.
    pub(super) fn is_default(&self) -> bool {
        matches!(&*self.name, "UTF-8" | "US-ASCII")
    }
}

impl FromArgument for Encoding {
    const TYPE: PyStaticExpr = PyString::TYPE_HINT;

    fn omitted() -> Self {
        Encoding::utf8()
    }

    fn from_argument(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        Encoding::find(string("encoding", object)?)
    }
}

/// Returns the name of an encoding for the XML declaration: its registered name, or the caller's, or Python's.
fn declared_name(name: &str, python: &str) -> String {
    let registered = match python {
        "utf-8" | "utf-8-sig" => "UTF-8",
        "utf-16" => "UTF-16",
        "utf-16-le" => "UTF-16LE",
        "utf-16-be" => "UTF-16BE",
        "utf-32" => "UTF-32",
        "utf-32-le" => "UTF-32LE",
        "utf-32-be" => "UTF-32BE",
        "ascii" => "US-ASCII",
        "shift_jis" => "Shift_JIS",
        "euc_jp" => "EUC-JP",
        "euc_kr" => "EUC-KR",
        "iso2022_jp" => "ISO-2022-JP",
        "koi8-r" => "KOI8-R",
        "koi8-u" => "KOI8-U",
        "big5" => "Big5",
        "gb2312" => "GB2312",
        "gbk" => "GBK",
        "gb18030" => "GB18030",
        _ => "",
    };
    if !registered.is_empty() {
        return registered.into();
    }
    if let Some(part) = python.strip_prefix("iso8859-") {
        return format!("ISO-8859-{part}");
    }
    if let Some(page) = python
        .strip_prefix("cp")
        .filter(|page| page.starts_with("125"))
    {
        return format!("windows-{page}");
    }
    let inner = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let is_name = name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.chars().all(inner);
    match is_name {
        true => name.into(),
        false => python.replace('_', "-"),
    }
}

/// Encodes text, and writes it to a destination.
#[derive(Debug)]
pub(super) struct Encoder {
    destination: Destination,
    codec: Option<Codec>,
    /// The text that is not encoded yet.
    pending: String,
    /// The place of the pending text; `None` if references may stand in it.
    place: Option<Place>,
    /// Set if the pending text is ASCII, so that its place makes no difference.
    is_plain: bool,
    /// Set for XML 1.1, which reads some characters as themselves only from references.
    is_xml_1_1: bool,
}

/// Returns `true` for a character that XML 1.1 reads as a line end, or refuses, unless it comes from a reference.
fn is_referred(character: char) -> bool {
    matches!(character, '\u{7F}'..='\u{9F}' | '\u{2028}')
}

impl Encoder {
    pub(super) fn new(destination: Destination, encoding: Encoding) -> Self {
        Encoder {
            destination,
            codec: encoding.codec,
            pending: String::new(),
            place: None,
            is_plain: true,
            is_xml_1_1: false,
        }
    }

    /// Writes as XML 1.1 needs it.
    pub(super) fn set_xml_1_1(&mut self) {
        self.is_xml_1_1 = true;
    }

    /// Returns `true` if UTF-8 may be written without a look at its parts.
    pub(super) fn takes_utf8(&self) -> bool {
        self.codec.is_none() && !self.is_xml_1_1
    }

    pub(super) fn is_to_memory(&self) -> bool {
        matches!(self.destination, Destination::Memory(_))
    }

    pub(super) fn utf8(&mut self, bytes: &[u8]) -> Result<()> {
        self.destination.write(bytes)
    }

    /// Writes text in which character references may stand.
    pub(super) fn content(&mut self, text: &str) -> Result<()> {
        let mut rest = text;
        while let Some((place, character)) = self.first_referred(rest) {
            self.add(&rest[..place], None)?;
            self.add(&format!("&#{};", u32::from(character)), None)?;
            rest = &rest[place + character.len_utf8()..];
        }
        self.add(rest, None)
    }

    /// Writes text in which no character reference may stand.
    pub(super) fn verbatim(&mut self, text: &str, place: Place) -> Result<()> {
        match self.first_referred(text) {
            None => self.add(text, Some(place)),
            Some((_, character)) => Err(Error::Value(format!(
                "XML 1.1 has the character U+{:04X} only as a reference, and {} can have no character references",
                u32::from(character),
                place.describe()
            ))),
        }
    }

    /// Returns the first character that needs a reference in all encodings.
    fn first_referred(&self, text: &str) -> Option<(usize, char)> {
        match self.is_xml_1_1 {
            true => text.char_indices().find(|(_, it)| is_referred(*it)),
            false => None,
        }
    }

    /// Writes text in a CDATA section, and ends the section around characters that need a reference.
    pub(super) fn cdata(&mut self, text: &str) -> Result<()> {
        match &self.codec {
            Some(codec) if !codec.is_unicode && !text.is_ascii() => {}
            _ if self.first_referred(text).is_some() => {}
            _ => return self.content(text),
        }
        for character in text.chars() {
            let mut buffer = [0; 4];
            let character = character.encode_utf8(&mut buffer);
            if self.first_referred(character).is_none() && self.has(character)? {
                self.content(character)?;
            } else {
                self.content("]]>")?;
                self.content(character)?;
                self.content("<![CDATA[")?;
            }
        }
        Ok(())
    }

    /// Returns `true` if the encoding has the character.
    fn has(&self, character: &str) -> Result<bool> {
        let Some(codec) = self.codec.as_ref().filter(|_| !character.is_ascii()) else {
            return Ok(true);
        };
        Python::attach(|py| {
            let make = codec.encoder.bind(py).get_type();
            let character = PyString::from_bytes(py, character.as_bytes())?;
            let tried = make.call1((&name(py, "strict")?,))?;
            let tried = tried.call_method1(&name(py, "encode")?, (character, true));
            match tried {
                Ok(_) => Ok(true),
                Err(error) if error.is_instance_of::<PyUnicodeEncodeError>(py) => Ok(false),
                Err(error) => Err(error.into()),
            }
        })
    }

    fn add(&mut self, text: &str, place: Option<Place>) -> Result<()> {
        let Some(codec) = &self.codec else {
            return self.destination.write(text.as_bytes());
        };
        let is_plain = codec.is_unicode || (codec.has_ascii && text.is_ascii());
        if !is_plain && !self.is_plain && self.place != place {
            self.flush(false)?;
        }
        if !is_plain {
            self.place = place;
            self.is_plain = false;
        }
        self.pending.try_reserve(text.len())?;
        self.pending.push_str(text);
        match self.pending.len() < PART {
            true => Ok(()),
            false => self.flush(false),
        }
    }

    /// Encodes the pending text.
    fn flush(&mut self, is_last: bool) -> Result<()> {
        let Some(codec) = &self.codec else {
            return Ok(());
        };
        let (text, place) = (&*self.pending, self.place);
        let encoded = Python::attach(|py| -> Result<Py<PyBytes>> {
            let errors = match place {
                None => &name(py, "xmlcharrefreplace")?,
                Some(_) => &name(py, "strict")?,
            };
            let encoder = codec.encoder.bind(py);
            encoder.setattr(&name(py, "errors")?, errors)?;
            let text = PyString::from_bytes(py, text.as_bytes())?;
            codec
                .encode
                .call((text.unbind(), is_last))
                .map_err(|error| explained(py, error, place))
        })?;
        self.pending.clear();
        self.place = None;
        self.is_plain = true;
        // Dropped here: elsewhere the thread may have given up the GIL, and the drop would wait for it.
        Python::attach(|py| self.destination.write(encoded.into_bound(py).as_bytes()))
    }

    /// Writes the rest of what is pending.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.flush(true)?;
        self.destination.flush()
    }

    pub(super) fn into_destination(self) -> Destination {
        self.destination
    }
}

/// Adds the place of a character to the error that it can't be encoded.
fn explained(py: Python<'_>, error: Error, place: Option<Place>) -> Error {
    let (Error::Python(raised), Some(place)) = (&error, place) else {
        return error;
    };
    if !raised.is_instance_of::<PyUnicodeEncodeError>(py) {
        return error;
    }
    match with_reason(raised, py, place) {
        Ok(()) => error,
        Err(other) => other.into(),
    }
}

fn with_reason(raised: &PyErr, py: Python<'_>, place: Place) -> PyResult<()> {
    let value: &Bound<'_, _> = raised.value(py);
    let reason = value.getattr(&name(py, "reason")?)?;
    let place = place.describe();
    let reason = format!("{reason}; {place} can have no character references");
    let reason = PyString::from_bytes(py, reason.as_bytes())?;
    value.setattr(&name(py, "reason")?, reason)
}
