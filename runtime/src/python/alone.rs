//! Callbacks during which nobody may use the handle that they belong to.

use std::sync::atomic::Ordering;

use super::header::Header;
use crate::attachments::Attached;

/// A callback that has its handle alone: nobody else may use that, the Python code that is called included.
pub(crate) struct Alone<'a>(&'a Attached);

impl<'a> Alone<'a> {
    /// Begin, unless there is no Python object, or the call that called back has it alone anyway.
    pub(crate) fn begin(attached: &'a Attached) -> Option<Self> {
        let header = attached.header.load(Ordering::Acquire).cast::<Header>();
        // SAFETY: the object is held by the call that calls back, and takes its pointer out of there before it goes.
        let header = unsafe { header.as_ref() }?;
        if attached.alone.load(Ordering::Acquire) == 0 && header.state.try_bar().is_err() {
            return None;
        }
        attached.alone.fetch_add(1, Ordering::AcqRel);
        Some(Alone(attached))
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if self.0.alone.fetch_sub(1, Ordering::AcqRel) == 1 {
            let header = self.0.header.load(Ordering::Acquire).cast::<Header>();
            // SAFETY: as in `begin`.
            if let Some(header) = unsafe { header.as_ref() } {
                header.leave_exclusive();
            }
        }
    }
}
