//! Callbacks during which nothing else may use the handle that they belong to.

use crate::interpreter::{exclude_others, include_others};
use crate::side_table::SideData;

/// A running callback that excludes all other uses of its handle, those of the Python code that it calls included.
pub(super) struct ExclusiveCallback<'a>(&'a SideData);

impl<'a> ExclusiveCallback<'a> {
    /// Begins, unless there is no Python object, or the call that called back uses the handle exclusively anyway.
    pub(super) fn begin(side_data: &'a SideData) -> Option<Self> {
        exclude_others(&side_data.state, &side_data.exclusive_callbacks)?;
        Some(ExclusiveCallback(side_data))
    }
}

impl Drop for ExclusiveCallback<'_> {
    fn drop(&mut self) {
        include_others(&self.0.state, &self.0.exclusive_callbacks);
    }
}
