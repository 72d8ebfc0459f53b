//! Functions of Python code that expressions call.
//!
//! libxml2 knows such a function by its name and one C function for all of them. The user data is a field of the
//! context, which is set for the length of one evaluation. So nothing outlives the evaluation, and a function without
//! user data is an error.

use std::collections::BTreeMap;
use std::ffi::c_int;
use std::sync::Arc;

use leakproof::prelude::*;
use leakproof::pyo3::Python;
use leakproof::pyo3::exceptions::PyTypeError;
use leakproof::pyo3::intern;
use leakproof::pyo3::prelude::{Bound, Py, PyAny, PyAnyMethods, PyTypeMethods};
use leakproof::with_handle;

use crate::document::Document;
use crate::ffi;
use crate::xpath::causes::CORE;
use crate::xpath::options::{Key, items, key_of};
use crate::xpath::values::{XPathObject, object_into_python};

/// The state of an evaluation, as passed to a function.
#[handle(raw = ffi::xmlXPathParserContext, callback_only)]
pub(crate) struct Evaluation;

#[methods(unsafe, rust_only)]
impl Evaluation {
    /// The local name of the called function.
    #[field((*context).function)]
    fn function(&self) -> Option<CString>;

    /// The namespace of the called function.
    #[field((*context).functionURI)]
    fn namespace(&self) -> Option<CString>;
}

#[methods(unsafe, rust_only)]
impl crate::document::Document {
    /// Takes the last argument of a function.
    #[calls(ffi::valuePop, args = (evaluation))]
    fn pop(&self, evaluation: &Evaluation) -> Option<Owned<XPathObject>>;
}

/// Returns the error of a function with the name of one that is there already.
pub(crate) fn is_built_in(key: &Key) -> Error {
    Error::Value(format!(
        "{key}() is a function of XPath itself: choose another name"
    ))
}

/// Functions by name.
#[derive(Debug, Default, Attachment)]
pub(crate) struct Functions(BTreeMap<Key, Callable>);

impl Functions {
    /// Reads a mapping of names to callables. `namespace` returns the URI of a prefix.
    pub(crate) fn of(
        mapping: Option<&Bound<'_, PyAny>>,
        namespace: impl Fn(&CStr) -> Option<String>,
    ) -> Result<Self> {
        let mut functions = BTreeMap::new();
        let Some(mapping) = mapping else {
            return Ok(Functions(functions));
        };
        for (name, function) in items(mapping, "functions")? {
            let key = key_of(&name, "function", &namespace)?;
            if !function.is_callable() {
                let class = function.get_type().qualname()?;
                let message = format!("the function {key} is a callable, not {class}");
                return Err(PyTypeError::new_err(message).into());
            }
            if key.uri.is_none()
                && CORE
                    .iter()
                    .any(|(core, ..)| key.local.to_bytes() == core.as_bytes())
            {
                return Err(is_built_in(&key));
            }
            functions.insert(key, Callable::from(function));
        }
        Ok(Functions(functions))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &Key> {
        self.0.keys()
    }

    /// Returns `true` if a compiled expression may remember the address of a function's namespace. The address is valid
    /// as long as the context of the evaluation.
    pub(crate) fn have_namespaces(&self) -> bool {
        self.0.keys().any(|key| key.uri.is_some())
    }
}

/// The Python object of a document. The garbage collector need not see it: it is in use all the time.
#[derive(Debug)]
struct Owner(Py<PyAny>);

impl Attachment for Owner {}

/// The functions of one evaluation.
#[derive(Debug, Attachment)]
pub(crate) struct Calls {
    functions: Arc<Functions>,
    /// The Python object of the document. The context may have another one meanwhile.
    owner: Owner,
    /// Converts a value that the document keeps.
    take: Callable,
}

impl Calls {
    /// Makes the functions of an evaluation. `owner` is the Python object of the document.
    pub(crate) fn new(
        functions: &Arc<Functions>,
        document: &Document,
        owner: &Bound<'_, PyAny>,
    ) -> Result<Self> {
        let take = Callable::from(owner.getattr(intern!(owner.py(), "_take"))?);
        let document = Borrowed::from(document);
        match with_handle(owner, |owner: &Document| Borrowed::from(owner) == document)? {
            true => Ok(Calls {
                functions: functions.clone(),
                owner: Owner(owner.clone().unbind()),
                take,
            }),
            false => Err(Error::Value("the owner is another document".into())),
        }
    }

    /// Calls a function.
    fn result(
        &self,
        key: &Key,
        arguments: &[Owned<'_, XPathObject>],
        document: &Document,
    ) -> Result<Py<PyAny>> {
        let Some(function) = self.functions.0.get(key) else {
            return Err(Error::Value(format!(
                "{key} is no function of this evaluation"
            )));
        };
        let mut objects = Vec::new();
        for argument in arguments {
            objects.try_reserve(1)?;
            objects.push(object_into_python(argument, document, &self.take)?);
        }
        function.call_varargs(objects)
    }
}

#[callbacks(unsafe)]
impl Calls {
    #[callback(
        ffi::xmlXPathFunction,
        args = (evaluation, count),
        data = (*(*evaluation).context).funcLookupData,
        on_error = ffi::xmlXPathErr(evaluation, ffi::XPATH_EXPR_ERROR as c_int)
    )]
    pub(crate) fn call(&self, evaluation: &Evaluation, count: c_int) -> Result<()> {
        let key = Key {
            uri: evaluation.namespace(),
            local: evaluation.function().unwrap_or_default(),
        };
        Python::attach(|py| {
            with_handle(self.owner.0.bind(py), |document: &Document| {
                let mut arguments = Vec::new();
                for _ in 0..count {
                    arguments.try_reserve(1)?;
                    arguments.extend(document.pop(evaluation));
                }
                arguments.reverse();
                let result = self.result(&key, &arguments, document)?;
                evaluation.return_value(document, result.bind(py), || {
                    format!("the result of the function {key}")
                })
            })?
        })
    }
}
