//! Converts documents and entities in any encoding to UTF-8 before libxml2 sees them.
//!
//! libxml2's conversion functions have no parser to report to: they call the process-wide handler for bytes that they
//! can't convert. libxml2 also takes a NUL for the end of the document. This module detects the encoding as in appendix
//! F of the XML specification, lets Python decode, and reports a NUL as an error with its position.

use std::borrow::Cow;
use std::ffi::c_int;

use leakproof::prelude::*;
use leakproof::pyo3::types::{PyAnyMethods, PyBytes, PyString, PyStringMethods};
use leakproof::pyo3::{Bound, PyResult, Python};

use crate::errors::{ParseError, Report};
use crate::ffi;

/// Python's encodings that are not encodings of documents.
pub(crate) const NOT_FOR_DOCUMENTS: &[&str] = &[
    "idna",
    "mbcs",
    "oem",
    "punycode",
    "raw-unicode-escape",
    "undefined",
    "unicode-escape",
];

/// A document in UTF-8.
pub(crate) struct Utf8<'d> {
    pub(crate) bytes: Cow<'d, [u8]>,
    /// Set if the encoding that the document declares no longer applies.
    pub(crate) ignore_declared: bool,
    /// The encoding of the bytes; `None` for text.
    pub(crate) encoding: Option<Cow<'static, str>>,
    /// The errors that were recovered from.
    pub(crate) reports: Vec<Report>,
}

/// The options for decoding.
#[derive(Clone, Copy)]
pub(crate) struct Decoder<'a> {
    /// Set if bytes that can't be decoded are replaced.
    pub(crate) recover: bool,
    /// The name of the file, for reports.
    pub(crate) file: Option<&'a CStr>,
}

/// An encoding, and the length in bytes of the byte order mark before the text.
struct Detected<'d> {
    name: Cow<'d, str>,
    mark: usize,
}

impl Detected<'_> {
    /// Returns the name for users: as the document declares it, or for a byte order mark.
    fn shown(self) -> Cow<'static, str> {
        match &*self.name {
            "utf-16-be" | "utf-16-le" => Cow::Borrowed("UTF-16"),
            "utf-32-be" | "utf-32-le" => Cow::Borrowed("UTF-32"),
            name => Cow::Owned(name.to_owned()),
        }
    }
}

impl Decoder<'_> {
    /// Converts text, whose declared encoding no longer applies.
    pub(crate) fn text<'d>(self, text: &'d str) -> Result<Utf8<'d>> {
        let utf8 = Utf8 {
            bytes: Cow::Borrowed(text.as_bytes()),
            ignore_declared: true,
            encoding: None,
            reports: Vec::new(),
        };
        self.without_nul(utf8)
    }

    /// Converts bytes from the encoding that they declare.
    pub(crate) fn bytes<'d>(self, data: &'d [u8]) -> Result<Utf8<'d>> {
        let detected = detect(data);
        let normal = detected.name.to_ascii_lowercase().replace('_', "-");
        if matches!(&*normal, "utf-8" | "utf8") {
            return self.utf8(data, detected.mark > 0);
        }
        let refused = match self.decoded(&data[detected.mark..], &normal) {
            Ok(mut utf8) => {
                utf8.encoding = Some(detected.shown());
                return self.without_nul(utf8);
            }
            Err(Undecodable::Error(error)) => return Err(error),
            Err(Undecodable::Report(report)) => *report,
        };
        if !self.recover {
            return Err(ParseError::of(refused).into());
        }
        let mut utf8 = self.utf8(data, true)?;
        utf8.reports.insert(0, refused);
        Ok(utf8)
    }

    fn utf8<'d>(self, data: &'d [u8], ignore_declared: bool) -> Result<Utf8<'d>> {
        let mut utf8 = Utf8 {
            bytes: Cow::Borrowed(data),
            ignore_declared,
            encoding: Some(Cow::Borrowed("UTF-8")),
            reports: Vec::new(),
        };
        // Without `recover`, libxml2 reports the error.
        if self.recover
            && let Err(error) = std::str::from_utf8(data)
        {
            let before = String::from_utf8_lossy(&data[..error.valid_up_to()]);
            let message = "the document is not proper UTF-8: replaced by U+FFFD".to_owned();
            utf8.reports
                .push(self.report(message, ffi::XML_ERR_INVALID_ENCODING, &before));
            utf8.bytes = Cow::Owned(String::from_utf8_lossy(data).into_owned().into_bytes());
        }
        self.without_nul(utf8)
    }

    /// Decodes `data` in Python.
    fn decoded<'d>(self, data: &[u8], name: &str) -> Result<Utf8<'d>, Undecodable> {
        let plain =
            |character: char| character.is_ascii_alphanumeric() || "-.:+()".contains(character);
        let unsupported = || {
            let message = format!("Unsupported encoding {name}");
            let report = self.report(message, ffi::XML_ERR_UNSUPPORTED_ENCODING, "");
            Undecodable::Report(Box::new(report))
        };
        if NOT_FOR_DOCUMENTS.contains(&name) || !name.chars().all(plain) {
            return Err(unsupported());
        }
        Python::attach(|py| {
            let bytes = PyBytes::new_with(py, data.len(), |bytes| {
                bytes.copy_from_slice(data);
                Ok(())
            })?;
            let mut reports = Vec::new();
            let text = match decode(&bytes, name, "strict") {
                Ok(text) => text,
                Err(error)
                    if error.is_instance_of::<leakproof::pyo3::exceptions::PyLookupError>(py) =>
                {
                    return Err(unsupported());
                }
                Err(error)
                    if error
                        .is_instance_of::<leakproof::pyo3::exceptions::PyUnicodeDecodeError>(
                            py,
                        ) =>
                {
                    let start: usize = error.value(py).getattr("start")?.extract()?;
                    let before = PyBytes::new(py, &data[..start.min(data.len())]);
                    let before = decode(&before, name, "replace")?;
                    let reason: String = error.value(py).getattr("reason")?.extract()?;
                    let message = format!("the document is not proper {name}: {reason}");
                    let report = self.report(
                        message,
                        ffi::XML_ERR_INVALID_ENCODING,
                        &before.to_string_lossy(),
                    );
                    if !self.recover {
                        return Err(Undecodable::Report(Box::new(report)));
                    }
                    reports.push(report);
                    decode(&bytes, name, "replace")?
                }
                Err(error) => return Err(error.into()),
            };
            Ok(Utf8 {
                bytes: Cow::Owned(text.to_cow()?.into_owned().into_bytes()),
                ignore_declared: true,
                encoding: None,
                reports,
            })
        })
    }

    /// Decodes a text that is no XML: by its byte order mark, or from an encoding, which is UTF-8 by default.
    pub(crate) fn plain(self, data: &[u8], encoding: Option<&str>) -> Result<String> {
        let detected = detect(data);
        let (name, data) = match (detected.mark, encoding) {
            (0, encoding) => (encoding.unwrap_or("utf-8").to_owned(), data),
            (mark, _) => (detected.name.into_owned(), &data[mark..]),
        };
        let normal = name.to_ascii_lowercase().replace('_', "-");
        match self.decoded(data, &normal) {
            Ok(utf8) => {
                let text = String::from_utf8(utf8.bytes.into_owned());
                let text = text.map_err(|_| Error::Value("the text is not UTF-8".into()))?;
                Ok(match text.strip_prefix('\u{feff}') {
                    Some(rest) => rest.to_owned(),
                    None => text,
                })
            }
            Err(Undecodable::Error(error)) => Err(error),
            Err(Undecodable::Report(mut report)) => {
                report.message = report.message.replace("the document", "the text");
                Err(ParseError::of(*report).into())
            }
        }
    }

    fn without_nul(self, mut utf8: Utf8<'_>) -> Result<Utf8<'_>> {
        if !utf8.bytes.contains(&0) {
            return Ok(utf8);
        }
        let place = utf8
            .bytes
            .iter()
            .position(|byte| *byte == 0)
            .unwrap_or_default();
        let before = String::from_utf8_lossy(&utf8.bytes[..place]).into_owned();
        let nul =
            |message: &str| self.report(message.to_owned(), ffi::XML_ERR_INVALID_CHAR, &before);
        if !self.recover {
            return Err(ParseError::of(nul("a NUL byte in the document")).into());
        }
        let report = nul("a NUL in the document: this and all others were replaced by U+FFFD");
        let text = String::from_utf8_lossy(&utf8.bytes).replace('\0', "\u{fffd}");
        utf8.bytes = Cow::Owned(text.into_bytes());
        utf8.reports.push(report);
        Ok(utf8)
    }

    fn report(self, message: String, code: u32, before: &str) -> Report {
        let count = |number: usize| c_int::try_from(number).unwrap_or(c_int::MAX);
        let last = before.rsplit('\n').next().unwrap_or_default();
        Report {
            message,
            line: count(1 + before.matches('\n').count()),
            column: count(1 + last.len()),
            ..Report::fatal(code, self.file)
        }
    }
}

enum Undecodable {
    /// Data that is not in the encoding, or an encoding that Python does not know.
    Report(Box<Report>),
    /// Any other error.
    Error(Error),
}

impl From<leakproof::pyo3::PyErr> for Undecodable {
    fn from(error: leakproof::pyo3::PyErr) -> Self {
        Undecodable::Error(error.into())
    }
}

fn decode<'py>(
    bytes: &Bound<'py, PyBytes>,
    name: &str,
    errors: &str,
) -> PyResult<Bound<'py, PyString>> {
    let text = bytes.call_method1("decode", (name, errors))?;
    Ok(text.cast_into()?)
}

/// Detects the encoding of a document or an entity: from its byte order mark, its first bytes, or its declaration.
fn detect(data: &[u8]) -> Detected<'_> {
    let (name, mark) = match data {
        [0, 0, 0xfe, 0xff, ..] => ("utf-32-be", 4),
        [0xff, 0xfe, 0, 0, ..] => ("utf-32-le", 4),
        [0xfe, 0xff, ..] => ("utf-16-be", 2),
        [0xff, 0xfe, ..] => ("utf-16-le", 2),
        [0xef, 0xbb, 0xbf, ..] => ("utf-8", 3),
        [0, 0, 0, b'<', ..] => ("utf-32-be", 0),
        [b'<', 0, 0, 0, ..] => ("utf-32-le", 0),
        [0, b'<', 0, b'?', ..] => ("utf-16-be", 0),
        [b'<', 0, b'?', 0, ..] => ("utf-16-le", 0),
        [0x4c, 0x6f, 0xa7, 0x94, ..] => return ebcdic(data),
        _ => {
            let start = &data[..data.len().min(1000)];
            let start = String::from_utf8_lossy(start);
            return match declared(&start) {
                None => Detected {
                    name: "utf-8".into(),
                    mark: 0,
                },
                Some(name) => Detected {
                    name: name.to_owned().into(),
                    mark: 0,
                },
            };
        }
    };
    Detected {
        name: name.into(),
        mark,
    }
}

/// Detects a variant of EBCDIC. All variants agree on the characters of a declaration.
fn ebcdic(data: &[u8]) -> Detected<'_> {
    let start = &data[..data.len().min(1000)];
    let declared_name = Python::attach(|py| {
        let start = decode(&PyBytes::new(py, start), "cp037", "strict").ok()?;
        declared(&start.to_string_lossy()).map(str::to_owned)
    });
    let name = declared_name
        .filter(|name| !name.to_ascii_lowercase().starts_with("ebcdic"))
        .unwrap_or_else(|| "cp037".into());
    Detected {
        name: name.into(),
        mark: 0,
    }
}

/// Returns the encoding that an XML or text declaration names.
fn declared(start: &str) -> Option<&str> {
    let declaration = declaration(start)?;
    let (_, rest) = declaration.split_once("encoding")?;
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest
        .chars()
        .next()
        .filter(|quote| matches!(quote, '"' | '\''))?;
    rest[1..].split_once(quote).map(|(name, _)| name)
}

/// Returns the text between `<?xml` and `?>`.
fn declaration(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("<?xml")?;
    let (declaration, _) = rest.split_once("?>")?;
    declaration
        .starts_with([' ', '\t', '\r', '\n'])
        .then_some(declaration)
}

/// Decodes an external entity, and removes its text declaration.
pub(crate) fn entity(data: &[u8], file: &CStr) -> Result<CString> {
    let decoder = Decoder {
        recover: false,
        file: Some(file),
    };
    let utf8 = decoder.bytes(data)?;
    let text = match std::str::from_utf8(&utf8.bytes) {
        Ok(text) => text.strip_prefix('\u{feff}').unwrap_or(text),
        Err(error) => {
            let before = String::from_utf8_lossy(&utf8.bytes[..error.valid_up_to()]);
            let message = "the entity is not proper UTF-8".to_owned();
            let report = decoder.report(message, ffi::XML_ERR_INVALID_ENCODING, &before);
            return Err(ParseError::of(report).into());
        }
    };
    let text = match declaration(text) {
        None => text,
        Some(declaration) => &text["<?xml".len() + declaration.len() + "?>".len()..],
    };
    CString::new(text).map_err(|_| Error::Value("a NUL in an entity".into()))
}
