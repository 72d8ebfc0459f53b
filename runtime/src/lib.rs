//! Placeholder docs.

#[cfg(panic = "abort")]
compile_error!(
    "leakproof releases while a panic unwinds: remove `panic = \"abort\"` from the profile"
);

pub mod arguments;
#[doc(hidden)]
pub mod call;
pub mod error;
pub mod errors;
pub mod handle;
pub mod ledger;
#[cfg(feature = "python")]
pub mod python;
pub mod returns;
#[cfg_attr(
    not(feature = "python"),
    allow(dead_code, reason = "only Python shares handles")
)]
#[doc(hidden)]
pub mod state;
pub mod steps;

pub use call::detached;
pub use error::{Error, Result};
pub use handle::{Borrowed, Owned};
pub use leakproof_macros::{IntoPython, exception, function, handle, methods, module};
pub use ledger::live_handles;
#[cfg(feature = "python")]
pub use pyo3;

/// What a wrapping crate uses.
pub mod prelude {
    pub use std::ffi::{CStr, CString};

    pub use crate::arguments::{Buffer, FsPath};
    pub use crate::error::{Error, Result};
    pub use crate::errors::{Call, Collect, Errors};
    pub use crate::handle::{Borrowed, Owned};
    pub use crate::steps::{Dict, Steps};
    pub use leakproof_macros::{IntoPython, exception, function, handle, methods};
}

#[doc(hidden)]
pub mod __private {
    pub use inventory;
}

/// Passes its tokens on if this crate was built with Python.
#[cfg(feature = "python")]
#[doc(hidden)]
#[macro_export]
macro_rules! __python {
    ($($tokens:tt)*) => { $($tokens)* };
}

/// Passes its tokens on if this crate was built with Python.
#[cfg(not(feature = "python"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __python {
    ($($tokens:tt)*) => {};
}

/// Passes the first group on if this crate was built with Python, the second one otherwise.
#[cfg(feature = "python")]
#[doc(hidden)]
#[macro_export]
macro_rules! __either {
    ({ $($with:tt)* } { $($without:tt)* }) => { $($with)* };
}

/// Passes the first group on if this crate was built with Python, the second one otherwise.
#[cfg(not(feature = "python"))]
#[doc(hidden)]
#[macro_export]
macro_rules! __either {
    ({ $($with:tt)* } { $($without:tt)* }) => { $($without)* };
}
