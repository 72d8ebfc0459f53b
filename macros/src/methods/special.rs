//! Python's special methods that CPython calls through slots: the results and the operands that PyO3 wants there.

use proc_macro2::{TokenStream, TokenTree};
use syn::ext::IdentExt;
use syn::{Lit, Type};

use crate::methods::ast::{Method, Receiver};

/// Special methods whose result CPython reads directly.
const PLAIN_RESULT: &[&str] = &["__len__", "__bool__", "__contains__", "__hash__"];

/// Special methods that return nothing.
const NO_RESULT: &[&str] = &[
    "__init__",
    "__setitem__",
    "__delitem__",
    "__setattr__",
    "__delattr__",
    "__set__",
    "__delete__",
];

/// Comparisons.
const COMPARISONS: &[&str] = &[
    "__lt__",
    "__le__",
    "__eq__",
    "__ne__",
    "__gt__",
    "__ge__",
    "__richcmp__",
];

/// Operators, without the prefix `__`, that of the reflected form, `__r`, or that of the in-place form, `__i`.
const OPERATORS: &[&str] = &[
    "add__",
    "sub__",
    "mul__",
    "matmul__",
    "truediv__",
    "floordiv__",
    "mod__",
    "divmod__",
    "pow__",
    "lshift__",
    "rshift__",
    "and__",
    "xor__",
    "or__",
];

/// Returns `true` for an in-place operator, such as `__iadd__`.
fn is_in_place(name: &str) -> bool {
    let operator = name.strip_prefix("__i").filter(|name| *name != "divmod__");
    operator.is_some_and(|name| OPERATORS.contains(&name))
}

impl Method {
    /// The name in Python, unless an attribute makes the method a property: that of `#[pyo3(name = "…")]`, or its own.
    pub(crate) fn special_name(&self) -> String {
        let attributes = self.python_attributes.iter();
        let renamed = attributes
            .filter(|attribute| attribute.path().is_ident("pyo3"))
            .find_map(|attribute| name_in(attribute.parse_args().ok()?));
        renamed.unwrap_or_else(|| self.signature.ident.unraw().to_string())
    }

    /// Returns `true` if CPython takes the result of the method as it is in Rust: a number, or nothing.
    pub(crate) fn has_plain_result(&self) -> bool {
        let name = self.special_name();
        PLAIN_RESULT.contains(&name.as_str())
            || self.returns_nothing(&name)
            || self.has_python_attribute("setter")
    }

    fn returns_nothing(&self, name: &str) -> bool {
        NO_RESULT.contains(&name) || is_in_place(name)
    }

    /// The name of a special method that CPython wants no result of.
    pub(crate) fn without_result(&self) -> Option<String> {
        Some(self.special_name()).filter(|name| self.returns_nothing(name))
    }

    /// Returns `true` for an `__enter__` that returns nothing: the `with` block gets the handle itself.
    pub(crate) fn enters_itself(&self) -> bool {
        let returns_nothing =
            matches!(&self.output.value, Type::Tuple(tuple) if tuple.elems.is_empty());
        self.special_name() == "__enter__" && self.receiver != Receiver::None && returns_nothing
    }

    /// Returns `true` for `__buffer__`, which CPython calls through the buffer protocol.
    pub(crate) fn exports_memory(&self) -> bool {
        self.signature.ident == "__buffer__"
    }

    /// Returns `true` for a comparison or an operator, which returns `NotImplemented` for an operand of another type.
    pub(crate) fn is_operator(&self) -> bool {
        let name = self.special_name();
        let prefixes = ["__r", "__i", "__"];
        let mut operators = prefixes
            .iter()
            .filter_map(|prefix| name.strip_prefix(prefix));
        COMPARISONS.contains(&name.as_str()) || operators.any(|name| OPERATORS.contains(&name))
    }
}

/// The value of `name = "…"` in the arguments of `#[pyo3(…)]`.
fn name_in(arguments: TokenStream) -> Option<String> {
    let tokens: Vec<TokenTree> = arguments.into_iter().collect();
    tokens.windows(3).find_map(|window| match window {
        [
            TokenTree::Ident(key),
            TokenTree::Punct(_),
            TokenTree::Literal(value),
        ] if *key == "name" => match Lit::new(value.clone()) {
            Lit::Str(name) => Some(name.value()),
            _ => None,
        },
        _ => None,
    })
}
