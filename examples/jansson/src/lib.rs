//! Jansson for Python: counted values that contain each other, failures in a struct of the caller's, text through
//! callbacks.

mod convert;
mod text;
mod value;

#[allow(warnings, clippy::all, reason = "generated from Jansson's header")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/jansson.rs"));
}

/// Jansson for Python: JSON as a tree of shared values.
#[leakproof::module]
mod jansson_safe {
    #[pymodule_export]
    use crate::text::{JSONDecodeError, load, load_file, loads};
    #[pymodule_export]
    use crate::value::{Kind, Value};
}
