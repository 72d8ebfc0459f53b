//! libxml2 for Python, made with leakproof. The Python package is `xml_safe`; this is its native module.
//!
//! No `unsafe` block is needed. The assertions about libxml2 are in the annotations, one `#[methods(unsafe)]` per
//! handle.

mod adopt;
mod attribute_nodes;
mod attributes;
mod change;
mod children;
mod copy;
mod create;
mod decode;

mod doctype;
mod document;
mod dtd;
mod duplicate;
mod equality;
mod errors;
mod external_entities;
#[allow(warnings, clippy::all, reason = "generated from libxml2's headers")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/libxml2.rs"));

    // Newer versions of libxml2 have other names for these functions.
    #[cfg(has_pop_input)]
    pub use xmlCtxtPopInput as inputPop;
    #[cfg(has_value_push)]
    pub use {xmlXPathValuePop as valuePop, xmlXPathValuePush as valuePush};

    /// Returns a compiled expression unchanged, for its use as another type of handle.
    pub fn as_code(expression: *mut xmlXPathCompExpr) -> *mut xmlXPathCompExpr {
        expression
    }

    /// Returns a table of IDs, for which `xmlDoc` has a pointer to anything.
    pub fn as_table(table: *mut std::ffi::c_void) -> *mut xmlHashTable {
        table.cast()
    }

    /// Stands in for a variable that newer versions of libxml2 may lack.
    #[cfg(not(has_node_hooks))]
    pub fn __xmlRegisterNodeDefaultValue() -> *mut xmlRegisterNodeFunc {
        std::thread_local! {
            static NOTHING: std::cell::Cell<xmlRegisterNodeFunc> = const { std::cell::Cell::new(None) };
        }
        NOTHING.with(std::cell::Cell::as_ptr)
    }

    #[cfg(not(has_node_hooks))]
    pub use __xmlRegisterNodeDefaultValue as __xmlDeregisterNodeDefaultValue;

    /// Stands in for a variable that newer versions of libxml2 lack.
    #[cfg(not(has_debug_entities))]
    pub fn __xmlParserDebugEntities() -> *mut std::ffi::c_int {
        std::thread_local! {
            static NOTHING: std::cell::Cell<std::ffi::c_int> = const { std::cell::Cell::new(0) };
        }
        NOTHING.with(std::cell::Cell::as_ptr)
    }
}
mod ids;
mod info;
mod moves;
mod namespaces;
mod navigate;
mod node;
mod numbers;
mod order;
mod outer;
mod parser;
mod parsing;
mod path;
mod pickling;
mod reconcile;
mod redeclare;
mod references;
mod repr;
mod sax;
mod serialize;
mod tail;
mod text;
#[cfg(marks_entities)]
mod turn;
mod undo;
mod valid;
mod walk;
mod xinclude;
mod xpath;

/// The native half of xml_safe.
#[leakproof::module]
mod _native {
    #[pymodule_export]
    use crate::attributes::Attributes;
    #[pymodule_export]
    use crate::children::Children;
    #[pymodule_export]
    use crate::document::Document;
    #[pymodule_export]
    use crate::dtd::{AttributeValue, Dtd, EntityValue, NotationValue};
    #[pymodule_export]
    use crate::errors::{ParseError, Report, XIncludeError};
    #[pymodule_export]
    use crate::node::Node;
    #[pymodule_export]
    use crate::parsing::{parse, parse_file};
    #[pymodule_export]
    use crate::pickling::restored;
    #[pymodule_export]
    use crate::xpath::compiled::XPath;
    #[pymodule_export]
    use crate::xpath::context::XPathContext;
    #[pymodule_export]
    use crate::xpath::errors::{XPathError, XPathLimitError};
}
