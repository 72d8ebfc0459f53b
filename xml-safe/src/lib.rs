//! libxml2 for Python, made with leakproof. The Python package is `xml_safe`; this is its native module.
//!
//! There is no `unsafe` block here: what is asserted about libxml2 stands in the annotations, one `#[methods(unsafe)]`
//! per handle.

mod document;
mod errors;
mod expansion;
mod external;
#[allow(warnings, clippy::all, reason = "generated from libxml2's headers")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/libxml2.rs"));
}
mod node;
mod parser;
mod xpath;

/// The native half of xml_safe.
#[leakproof::module]
mod _native {
    #[pymodule_export]
    use crate::document::{Document, parse, parse_file};
    #[pymodule_export]
    use crate::errors::{ParseError, Report, XPathError};
    #[pymodule_export]
    use crate::node::Node;
    #[pymodule_export]
    use crate::xpath::XPathContext;
}
