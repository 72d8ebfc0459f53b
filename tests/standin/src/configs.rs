//! Settings of many types behind one C function, and an array that no memory holds.

use std::ffi::{c_char, c_double, c_int};

use leakproof::prelude::*;

use crate::ffi;

/// A configuration.
#[handle(raw = ffi::config, release = ffi::config_free, fork_safe)]
pub struct Config;

#[methods(unsafe)]
impl Config {
    /// Makes a configuration.
    #[new]
    #[calls(ffi::config_new, fails = null)]
    fn new() -> Result<Owned<Config>>;

    /// The level.
    #[getter]
    #[calls(ffi::config_get, args = (self, ffi::LEVEL, out as *mut c_int), fails = negative)]
    fn level(&self) -> Result<i64>;

    #[setter]
    #[calls(ffi::config_set, args = (self, ffi::LEVEL, &level as *const c_int), fails = negative)]
    fn set_level(&mut self, level: c_int) -> Result<()>;

    /// The half of the level.
    #[getter]
    #[calls(ffi::config_get, args = (self, ffi::RATIO, out as *mut c_double))]
    fn ratio(&self) -> f64;

    /// The title.
    #[getter]
    #[calls(ffi::config_get, args = (self, ffi::TITLE, out as *mut *const c_char), utf8 = lossy)]
    fn title(&self) -> Option<String>;

    #[setter]
    #[calls(ffi::config_set, args = (self, ffi::TITLE, title as *const c_char), fails = negative)]
    fn set_title(&mut self, title: &str) -> Result<()>;

    /// A label that the caller frees.
    #[calls(ffi::config_get, args = (self, ffi::LABEL, out as *mut *mut c_char), free = ffi::label_free, utf8 = lossy)]
    fn label(&self) -> Option<String>;

    /// A copy.
    #[calls(
        ffi::config_get,
        args = (self, ffi::COPY, out as *mut *mut ffi::config),
        fails = negative,
        on_failure = null
    )]
    fn duplicate(&self) -> Result<Owned<Config>>;

    /// A setting that there is not.
    #[calls(ffi::config_get, args = (self, 9, out as *mut c_int), fails = negative)]
    fn missing(&self) -> Result<c_int>;

    /// Numbers, as many as no memory holds.
    #[calls(ffi::config_numbers, args = (self, len))]
    fn numbers(&self) -> Vec<c_int>;
}
