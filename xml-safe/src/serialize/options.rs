//! The options of writing, and which of them go together.

use leakproof::prelude::*;
use leakproof::pyo3;
use leakproof::pyo3::exceptions::PyValueError;
use leakproof::pyo3::inspect::PyStaticExpr;
use leakproof::pyo3::prelude::{FromPyObject, PyAny, PyErr, PyResult, PyStringMethods};

use super::encode::Encoding;
use super::python::{LITERAL, exception, string, word};
use crate::ffi;
use crate::node::Node;

/// The rules that are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Xml,
    Html,
    Xhtml,
}

impl<'py> FromPyObject<'_, 'py> for Method {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = PyStaticExpr::Subscript {
        value: &LITERAL,
        slice: &PyStaticExpr::Tuple {
            elts: &[word("xml"), word("html"), word("xhtml")],
        },
    };

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let methods = [
            ("xml", Method::Xml),
            ("html", Method::Html),
            ("xhtml", Method::Xhtml),
        ];
        chosen("method", object, &methods)
    }
}

/// The version of canonical XML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    First,
    Second,
}

impl<'py> FromPyObject<'_, 'py> for Version {
    type Error = PyErr;

    const INPUT_TYPE: PyStaticExpr = PyStaticExpr::Subscript {
        value: &LITERAL,
        slice: &PyStaticExpr::Tuple {
            elts: &[word("1.0"), word("1.1")],
        },
    };

    fn extract(object: pyo3::Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let versions = [("1.0", Version::First), ("1.1", Version::Second)];
        chosen("version", object, &versions)
    }
}

/// Returns the choice that the user named.
fn chosen<T: Copy>(
    option: &str,
    object: pyo3::Borrowed<'_, '_, PyAny>,
    choices: &[(&str, T)],
) -> PyResult<T> {
    let py = object.py();
    let name = string(object)?;
    let name = name.to_str()?;
    if let Some((_, choice)) = choices.iter().find(|(known, _)| *known == name) {
        return Ok(*choice);
    }
    let known: Vec<_> = choices
        .iter()
        .map(|(known, _)| format!("{known:?}"))
        .collect();
    let known = known.join(", ");
    let message = format!("{option} must be one of {known}, not {name:?}");
    Err(exception::<PyValueError>(py, &message))
}

/// The options that the user passed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    pub(super) method: Method,
    pub(super) declaration: Option<bool>,
    pub(super) indent: bool,
    pub(super) standalone: Option<bool>,
}

/// The options for one node.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) method: Method,
    pub(super) indent: bool,
    /// Set if there is an XML declaration.
    declares: bool,
    standalone: Option<bool>,
    /// The encoding to declare; `None` for text.
    encoding: Option<String>,
}

impl Options {
    /// Checks the options for `node`, which is written in `encoding`, or as text.
    pub(super) fn check(&self, node: &Node, encoding: Option<&Encoding>) -> Result<Written> {
        let method = self.method;
        let refused = |message: &str| Err(Error::Value(message.into()));
        let document = node.is_document();
        if method == Method::Html && (self.declaration == Some(true) || self.standalone.is_some()) {
            return refused("HTML has no XML declaration: leave out declaration and standalone");
        }
        if self.standalone.is_some() && !document {
            return refused("only a document is standalone or not");
        }
        if self.standalone.is_some() && self.declaration == Some(false) {
            return refused(
                "standalone is part of the XML declaration: leave out declaration=False",
            );
        }
        if self.declaration == Some(true) && !document && !node.is_element() {
            return refused("only a document or an element can have an XML declaration");
        }
        let is_needed = match encoding {
            // Text in memory needs a declaration only for what it says besides the encoding.
            None => document && (self.standalone.is_some() || version(node) != "1.0"),
            Some(encoding) => document || (node.is_element() && !encoding.is_default()),
        };
        Ok(Written {
            method,
            indent: self.indent,
            declares: method != Method::Html && self.declaration.unwrap_or(is_needed),
            standalone: self.standalone,
            encoding: encoding.map(|encoding| encoding.name.clone()),
        })
    }
}

/// Returns the version of XML of the node's document.
fn version(node: &Node) -> String {
    node.owner()
        .and_then(|document| document.version())
        .unwrap_or_else(|| "1.0".into())
}

impl Written {
    /// Returns the XML declaration, if there is one.
    pub(super) fn declaration(&self, node: &Node) -> Option<String> {
        if !self.declares {
            return None;
        }
        let own = || {
            let document = node.owner().filter(|_| node.is_document())?;
            match document.standalone() {
                0 => Some(false),
                1 => Some(true),
                _ => None,
            }
        };
        let encoding = match &self.encoding {
            Some(encoding) => format!(" encoding=\"{encoding}\""),
            None => String::new(),
        };
        let standalone = match self.standalone.or_else(own) {
            Some(true) => " standalone=\"yes\"",
            Some(false) => " standalone=\"no\"",
            None => "",
        };
        let version = version(node);
        Some(format!(
            "<?xml version=\"{version}\"{encoding}{standalone}?>\n"
        ))
    }
}

/// The options of canonical XML.
#[derive(Debug)]
pub(super) struct Canonical {
    pub(super) mode: u32,
    pub(super) comments: bool,
    pub(super) prefixes: Vec<CString>,
}

impl Canonical {
    pub(super) fn new(
        node: &Node,
        version: Version,
        exclusive: bool,
        inclusive_prefixes: Option<Vec<String>>,
        comments: bool,
    ) -> Result<Self> {
        let refused = |message: String| Err(Error::Value(message));
        let mode = match (version, exclusive) {
            (Version::First, false) => ffi::XML_C14N_1_0,
            (Version::Second, false) => ffi::XML_C14N_1_1,
            (Version::First, true) => ffi::XML_C14N_EXCLUSIVE_1_0,
            (Version::Second, true) => {
                return refused("exclusive canonical XML has the version \"1.0\" only".into());
            }
        };
        if inclusive_prefixes.is_some() && !exclusive {
            return refused("inclusive_prefixes needs exclusive=True".into());
        }
        if !node.is_document() && !node.is_element() {
            return refused("only a document or an element has a canonical form".into());
        }
        let prefixes = inclusive_prefixes.unwrap_or_default().into_iter();
        let prefixes = prefixes.map(|prefix| match &*prefix {
            "" => Ok(c"#default".to_owned()),
            _ => CString::new(prefix).map_err(|_| Error::Value("a NUL in a prefix".into())),
        });
        Ok(Canonical {
            mode,
            comments,
            prefixes: prefixes.collect::<Result<_>>()?,
        })
    }
}
