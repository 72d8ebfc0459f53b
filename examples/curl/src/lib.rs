//! libcurl for Python: options through variable arguments, callbacks that read and write, a list that libcurl keeps but
//! does not free, results behind pointers of several types, and messages in a buffer of the caller's.

mod callbacks;
mod easy;
mod error;
mod list;

#[allow(warnings, clippy::all, reason = "generated from libcurl's headers")]
mod ffi {
    include!(concat!(env!("OUT_DIR"), "/curl.rs"));
}

/// libcurl for Python: transfers by URL.
#[leakproof::module]
mod curl_safe {
    #[pymodule_export]
    use crate::easy::Easy;
    #[pymodule_export]
    use crate::error::{CurlError, CurlTimeoutError};
}
