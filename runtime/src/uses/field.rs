//! The uses of handles whose fields are read and written.

use super::argument::{Argument, OfHandle};
use super::author_code::runs_author_code;
use super::call::{Uses, begin};
use super::table::is_any_exclusive;
use crate::error::Result;
use crate::handle::Handle;
use crate::interpreter::Attached;
use crate::quiet::{may_be_quiet, may_read_quietly};

/// The use of a handle whose field is read or written, until the value was copied. One word, which is null for a quiet
/// access.
#[derive(Debug)]
pub struct FieldUse {
    watched: Option<Box<WatchedUse>>,
}

impl Drop for FieldUse {
    #[inline(always)]
    fn drop(&mut self) {
        if let Some(watched) = self.watched.take() {
            end(watched);
        }
    }
}

/// Ends a use that is not quiet.
#[cold]
fn end(watched: Box<WatchedUse>) {
    drop(watched);
}

#[derive(Debug)]
struct WatchedUse {
    _uses: Option<Uses>,
    _attached: Option<Attached>,
}

impl FieldUse {
    #[cold]
    fn watched<T: Handle>(handle: &T, exclusive: bool, attaches: bool) -> Result<Self> {
        let uses = begin([Argument(handle).in_use(exclusive)])?;
        let attached = match attaches {
            true => Attached::reattach(),
            false => None,
        };
        let is_watched = uses.is_some() || attached.is_some();
        let watched = is_watched.then(|| {
            Box::new(WatchedUse {
                _uses: uses,
                _attached: attached,
            })
        });
        Ok(FieldUse { watched })
    }
}

/// Returns whether nobody has to know of a read of handles, which callbacks may write if `is_written` says so.
#[inline(always)]
pub(crate) fn may_read(is_written: impl FnOnce() -> bool) -> bool {
    may_read_quietly(is_written) && !is_any_exclusive()
}

/// The pointer to a handle whose field is read or written, and the use.
///
/// # Errors
///
/// As for [`begin`].
#[inline(always)]
pub fn field<T: Handle>(handle: &T, exclusive: bool) -> Result<(*mut T::Raw, FieldUse)> {
    let attaches = const { !T::SPEC.is_callback_only() };
    field_by(handle, exclusive, attaches)
}

/// Begins the use of a field that is read and written beside calls on other threads.
///
/// # Errors
///
/// The same as for [`begin`].
#[inline]
pub fn atomic_field<T: Handle>(handle: &T, exclusive: bool) -> Result<(*mut T::Raw, FieldUse)> {
    field_by(handle, exclusive, false)
}

#[inline(always)]
fn field_by<T: Handle>(
    handle: &T,
    exclusive: bool,
    attaches: bool,
) -> Result<(*mut T::Raw, FieldUse)> {
    let is_quiet = match exclusive {
        true => may_be_quiet(true) && !(const { T::SPEC.edits_tree() } && runs_author_code()),
        false => may_read(|| T::kind().is_written_by_callbacks()),
    };
    let used = match is_quiet && const { !T::SPEC.meets_counted() } {
        true => FieldUse { watched: None },
        false => FieldUse::watched(handle, exclusive, attaches)?,
    };
    Ok((handle.as_raw(), used))
}
