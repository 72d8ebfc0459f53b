//! The options of writing, and which of them go together.

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::{PyTypeError, PyValueError};
use leakproof::pyo3::inspect::{PyStaticConstant, PyStaticExpr};
use leakproof::pyo3::prelude::{Bound, PyAny, PyAnyMethods, PyResult, PyStringMethods};
use leakproof::pyo3::types::PyString;
use leakproof::pyo3::{PyTypeInfo, type_hint_union};

use super::argument::FromArgument;
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

impl FromArgument for Method {
    const TYPE: PyStaticExpr = PyStaticExpr::Subscript {
        value: &LITERAL,
        slice: &PyStaticExpr::Tuple {
            elts: &[word("xml"), word("html"), word("xhtml")],
        },
    };

    fn omitted() -> Self {
        Method::Xml
    }

    fn from_argument(object: &Bound<'_, PyAny>) -> PyResult<Self> {
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

impl FromArgument for Version {
    const TYPE: PyStaticExpr = PyStaticExpr::Subscript {
        value: &LITERAL,
        slice: &PyStaticExpr::Tuple {
            elts: &[word("1.0"), word("1.1")],
        },
    };

    fn omitted() -> Self {
        Version::First
    }

    fn from_argument(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let versions = [("1.0", Version::First), ("1.1", Version::Second)];
        chosen("version", object, &versions)
    }
}

/// The prefixes of namespaces that exclusive canonical XML writes as the inclusive one does.
#[derive(Debug)]
pub(super) struct Inclusive(Option<Vec<CString>>);

impl FromArgument for Inclusive {
    const TYPE: PyStaticExpr = type_hint_union!(
        PyStaticExpr::Subscript {
            value: &PyStaticExpr::Attribute {
                value: &PyStaticExpr::Attribute {
                    value: &PyStaticExpr::Name { id: "collections" },
                    attr: "abc",
                },
                attr: "Iterable",
            },
            slice: &PyString::TYPE_HINT,
        },
        PyStaticExpr::Constant {
            value: PyStaticConstant::None,
        }
    );

    fn omitted() -> Self {
        Inclusive(None)
    }

    fn from_argument(object: &Bound<'_, PyAny>) -> PyResult<Self> {
        let py = object.py();
        if object.is_none() {
            return Ok(Inclusive(None));
        }
        if object.is_instance_of::<PyString>() {
            let message = "inclusive_prefixes is a list of prefixes, not a str";
            return Err(exception::<PyTypeError>(py, message));
        }
        let mut prefixes = Vec::new();
        for prefix in object.try_iter()? {
            let prefix = prefix?;
            let prefix = match string("each of inclusive_prefixes", &prefix)?.to_str()? {
                "" => "#default",
                prefix => prefix,
            };
            let prefix = CString::new(prefix)
                .map_err(|_| exception::<PyValueError>(py, "a NUL in a prefix"))?;
            prefixes.push(prefix);
        }
        Ok(Inclusive(Some(prefixes)))
    }
}

/// Returns the choice that the user named.
fn chosen<T: Copy>(option: &str, object: &Bound<'_, PyAny>, choices: &[(&str, T)]) -> PyResult<T> {
    let py = object.py();
    let name = string(option, object)?;
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
    /// Set for XML of a newer version than 1.0.
    pub(super) is_xml_1_1: bool,
    /// Set if there is an XML declaration.
    declares: bool,
    standalone: Option<bool>,
    /// The name of the encoding; `None` for text.
    pub(super) encoding: Option<String>,
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
        let is_xml_1_1 = method != Method::Html && version(node) != "1.0";
        let is_needed = match encoding {
            // Text in memory needs a declaration only for what it says besides the encoding.
            None => document && (self.standalone.is_some() || is_xml_1_1),
            Some(encoding) => document || (node.is_element() && !encoding.is_default()),
        };
        Ok(Written {
            method,
            indent: self.indent,
            is_xml_1_1,
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
    /// Returns `true` if some content can't be written by these rules.
    pub(super) fn may_be_refused(&self) -> bool {
        self.method == Method::Html || self.is_xml_1_1
    }

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
#[derive(Debug, Clone)]
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
        inclusive: Inclusive,
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
        if inclusive.0.is_some() && !exclusive {
            return refused("inclusive_prefixes needs exclusive=True".into());
        }
        if !node.is_document() && !node.is_element() {
            return refused("only a document or an element has a canonical form".into());
        }
        let mut above = Successors::new(node.parent(), Node::parent);
        if !node.is_document() && !above.any(|above| above.is_document()) {
            return refused("the element is not in the tree of its document: add it first".into());
        }
        Ok(Canonical {
            mode,
            comments,
            prefixes: inclusive.0.unwrap_or_default(),
        })
    }
}
