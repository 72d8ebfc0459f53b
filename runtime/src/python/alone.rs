//! Callbacks during which nobody may use the handle that they belong to.

use std::sync::atomic::Ordering;

use super::header::Header;
use crate::attachments::{Attached, with_python};

/// A callback that has its handle alone: nobody else may use that, the Python code that is called included.
pub(crate) struct Alone<'a>(&'a Attached);

impl<'a> Alone<'a> {
    /// Begin, unless there is no Python object, or the call that called back has it alone anyway.
    pub(crate) fn begin(attached: &'a Attached) -> Option<Self> {
        let begun = with_header(attached, |header| {
            if attached.alone.load(Ordering::Acquire) == 0 && header.state.try_bar().is_err() {
                return None;
            }
            attached.alone.fetch_add(1, Ordering::AcqRel);
            Some(())
        });
        begun.flatten().map(|()| Alone(attached))
    }
}

impl Drop for Alone<'_> {
    fn drop(&mut self) {
        if self.0.alone.fetch_sub(1, Ordering::AcqRel) == 1 {
            with_header(self.0, Header::leave_exclusive);
        }
    }
}

/// Calls `f` with the header of the handle's Python object, while there is one. C may call back on a thread of its own, so
/// this thread attaches first: the object, which takes its pointer away before it goes, goes on a thread that is attached.
fn with_header<R>(attached: &Attached, f: impl FnOnce(&Header) -> R) -> Option<R> {
    let header = || attached.header.load(Ordering::Acquire).cast::<Header>();
    if header().is_null() {
        return None;
    }
    // SAFETY: CPython: no other thread is attached meanwhile, so none drops the object; a call of this thread holds it.
    with_python(|| unsafe { header().as_ref() }.map(f))
}
