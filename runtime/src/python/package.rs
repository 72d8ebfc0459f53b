//! The package whose module this extension module is.

use std::sync::OnceLock;

/// The name of the package, from when its module is initialized.
pub(super) static PACKAGE: OnceLock<String> = OnceLock::new();

/// Returns the name of the package, or `leakproof` before its module is initialized.
pub(super) fn package_name() -> &'static str {
    PACKAGE.get().map_or("leakproof", String::as_str)
}
