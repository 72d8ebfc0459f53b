//! The arguments of an evaluation: namespaces, names of variables and functions, limits.

use std::collections::BTreeMap;
use std::ffi::c_ulong;
use std::fmt;
use std::sync::Arc;

use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::prelude::{Bound, PyAny, PyAnyMethods, PyErr, PyTypeMethods};
use leakproof::pyo3::types::PyString;

use crate::numbers::Count;
use crate::serialize::python::name;
use crate::xpath::context::XPathContext;
use crate::xpath::errors::XPathError;
use crate::xpath::functions::Functions;
use crate::xpath::names;
use crate::xpath::values::c_string;

/// The namespaces by prefix.
pub(crate) type Namespaces = BTreeMap<CString, CString>;

/// The URI that the prefix "xml" always stands for.
const XML: &str = "http://www.w3.org/XML/1998/namespace";

/// The name of a variable or of a function.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key {
    pub(crate) uri: Option<CString>,
    pub(crate) local: CString,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(uri) = &self.uri {
            write!(f, "{{{}}}", uri.to_string_lossy())?;
        }
        f.write_str(&self.local.to_string_lossy())
    }
}

/// Reads the name of a variable or a function: "name", "prefix:name", "{uri}name", or a tuple of URI and name. `kind`
/// says in errors which of both.
pub(crate) fn key_of(
    object: &Bound<'_, PyAny>,
    kind: &str,
    namespace: impl Fn(&CStr) -> Option<String>,
) -> Result<Key> {
    if let Ok((uri, local)) = object.extract::<(Option<Bound<'_, PyString>>, Bound<'_, PyString>)>()
    {
        let uri = uri.map(|uri| text_of(&uri, kind)).transpose()?;
        return key(uri.as_deref(), &text_of(&local, kind)?, kind);
    }
    let Ok(text) = object.cast::<PyString>() else {
        let class = object.get_type().qualname()?;
        return Err(PyTypeError::new_err(format!(
            "the name of a {kind} is a str, or a tuple of URI and name, not {class}"
        ))
        .into());
    };
    let text = text_of(text, kind)?;
    if let Some((uri, local)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
        return key(Some(uri), local, kind);
    }
    let Some((prefix, local)) = text.split_once(':') else {
        return key(None, &text, kind);
    };
    let bound = CString::new(prefix)
        .ok()
        .and_then(|prefix| namespace(&prefix));
    match bound {
        Some(uri) => key(Some(&uri), local, kind),
        None => Err(Error::Value(format!(
            "the {kind} {text:?} has the prefix {prefix:?}, which stands for no namespace"
        ))),
    }
}

fn text_of(text: &Bound<'_, PyString>, kind: &str) -> Result<String> {
    let text = c_string(text, || format!("the name of a {kind}"))?;
    Ok(text.to_string_lossy().into_owned())
}

fn key(uri: Option<&str>, local: &str, kind: &str) -> Result<Key> {
    let text = |text: &str| {
        CString::new(text).map_err(|_| Error::Value(format!("the name of a {kind} contains a NUL")))
    };
    let key = Key {
        uri: uri.filter(|uri| !uri.is_empty()).map(text).transpose()?,
        local: text(local)?,
    };
    match XPathContext::check_name(&key.local) {
        0 => Ok(key),
        _ => Err(Error::Value(format!("{local:?} is no name of a {kind}"))),
    }
}

/// Returns the items of a mapping.
pub(crate) fn items<'py>(
    mapping: &Bound<'py, PyAny>,
    argument: &str,
) -> Result<Vec<(Bound<'py, PyAny>, Bound<'py, PyAny>)>> {
    let method = name(mapping.py(), "items")?;
    let no_mapping = |error: PyErr| match mapping.hasattr(&method) {
        Ok(false) => match mapping.get_type().qualname() {
            Ok(class) => PyTypeError::new_err(format!("{argument} is a mapping, not {class}")),
            Err(error) => error,
        },
        _ => error,
    };
    let mut all = Vec::new();
    for item in mapping
        .call_method0(&method)
        .map_err(no_mapping)?
        .try_iter()?
    {
        all.try_reserve(1)?;
        all.push(item?.extract()?);
    }
    Ok(all)
}

/// Reads the namespaces by prefix.
pub(crate) fn namespaces_of(mapping: Option<&Bound<'_, PyAny>>) -> Result<Namespaces> {
    let mut namespaces = Namespaces::new();
    let Some(mapping) = mapping else {
        return Ok(namespaces);
    };
    for (prefix, uri) in items(mapping, "namespaces")? {
        let is_empty = prefix.is_none() || prefix.extract::<&str>().is_ok_and(str::is_empty);
        if is_empty {
            let message = "XPath has no default namespace: give the namespace a prefix";
            return Err(Error::Value(message.into()));
        }
        let (prefix, uri) = (text(&prefix, "a prefix")?, text(&uri, "a namespace")?);
        let name = prefix.to_string_lossy();
        if XPathContext::check_name(&prefix) != 0 {
            return Err(Error::Value(format!("{name:?} is no prefix")));
        }
        if uri.is_empty() {
            return Err(Error::Value(format!(
                "the prefix {name:?} has an empty namespace"
            )));
        }
        if *name == *"xml" && uri.to_bytes() != XML.as_bytes() {
            return Err(Error::Value(format!(
                "the prefix \"xml\" always stands for {XML}"
            )));
        }
        namespaces.insert(prefix, uri);
    }
    Ok(namespaces)
}

fn text(object: &Bound<'_, PyAny>, what: &str) -> Result<CString> {
    match object.cast::<PyString>() {
        Ok(text) => c_string(text, || what.to_owned()),
        Err(_) => {
            let class = object.get_type().qualname()?;
            Err(PyTypeError::new_err(format!("{what} is a str, not {class}")).into())
        }
    }
}

/// Returns the URI of a prefix.
pub(crate) fn uri_of(namespaces: &Namespaces, prefix: &CStr) -> Option<String> {
    match prefix.to_bytes() {
        b"xml" => Some(XML.to_owned()),
        _ => namespaces
            .get(prefix)
            .map(|uri| uri.to_string_lossy().into_owned()),
    }
}

/// The limits of an evaluation.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Limits {
    /// The maximum number of operations of libxml2; 0 for no limit.
    pub(crate) operations: c_ulong,
    depth: Option<usize>,
}

impl Attachment for Limits {}

impl Limits {
    pub(crate) fn new(max_operations: Option<Count>, max_depth: Option<Count>) -> Result<Self> {
        let limit = |argument, count: Option<Count>| {
            count
                .map(|count| count.get(argument, 1, "; None is no limit"))
                .transpose()
        };
        let operations = limit("max_operations", max_operations)?;
        Ok(Limits {
            // Where `long` has fewer bits, no evaluation is so long.
            operations: operations
                .map_or(0, |most| c_ulong::try_from(most).unwrap_or(c_ulong::MAX)),
            depth: limit("max_depth", max_depth)?,
        })
    }

    /// The limits as values for Python.
    pub(crate) fn fields(self) -> (c_ulong, Option<usize>) {
        (self.operations, self.depth)
    }

    pub(crate) fn from_fields((operations, depth): (c_ulong, Option<usize>)) -> Self {
        Limits { operations, depth }
    }

    /// Returns `true` if nothing is limited.
    pub(crate) fn are_none(&self) -> bool {
        self.operations == 0 && self.depth.is_none()
    }

    /// Refuses an expression that is nested deeper than the limit.
    pub(crate) fn check_depth(&self, expr: &CStr) -> Result<()> {
        let Some(most) = self.depth else {
            return Ok(());
        };
        let text = expr.to_string_lossy();
        match names::first_deeper(&text, most) {
            None => Ok(()),
            Some(at) => Err(XPathError::too_deep(&text, at, most)),
        }
    }

    /// Returns the expression in parentheses, if libxml2 would evaluate it without counting operations.
    ///
    /// libxml2 passes a simple path to the pattern matcher of its streaming API, and no path with a parenthesis. What
    /// the result is made of has to be an expression by itself.
    pub(crate) fn counted(&self, expr: &CStr) -> Option<CString> {
        let is_simple = !expr.to_bytes().iter().any(|byte| b"[(@".contains(byte));
        if self.operations == 0 || !is_simple {
            return None;
        }
        CString::new([b"(", expr.to_bytes(), b")"].concat()).ok()
    }
}

/// The arguments of an evaluation that do not depend on a document.
#[derive(Debug, Default, Attachment)]
pub(crate) struct Options {
    pub(crate) namespaces: Namespaces,
    pub(crate) functions: Arc<Functions>,
    pub(crate) limits: Limits,
}

impl Options {
    pub(crate) fn new(
        namespaces: Option<&Bound<'_, PyAny>>,
        functions: Option<&Bound<'_, PyAny>>,
        limits: Limits,
    ) -> Result<Self> {
        let namespaces = namespaces_of(namespaces)?;
        let functions = Arc::new(Functions::of(functions, |prefix| {
            uri_of(&namespaces, prefix)
        })?);
        Ok(Options {
            namespaces,
            functions,
            limits,
        })
    }
}
