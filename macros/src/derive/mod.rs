//! The derive macros.

pub(crate) mod attachment;
pub(crate) mod into_python;
