//! Parts that C keeps a pointer to.

use crate::attachment::Attachment;
use crate::error::{Error, Result};
use crate::handle::kind::Id;
use crate::tree::{TreePart, unlinked};

/// A part of a tree that C keeps a pointer to, such as the context node of an XPath context. While this value lives and
/// the owner is open, the part is not released.
///
/// A handle that C keeps the part in attaches the value ([`attach`](crate::attach)), in the body of the method that
/// gives the part to C. The parameter stays `&T`.
///
/// ```
/// # use leakproof::prelude::*;
/// # mod ffi { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/ffi.rs")); }
/// use std::sync::{Mutex, PoisonError};
///
/// use leakproof::KeptPart;
///
/// # #[handle(raw = ffi::outline, release = ffi::outline_free, tree)]
/// # pub struct Outline;
/// #
/// # #[handle(raw = ffi::topic, part_of = Outline, owner_field = outline, tree(
/// #     parent = up, children = first, next = next, object = user, release = ffi::topic_free,
/// # ))]
/// # pub struct Topic;
/// #[handle(raw = ffi::bookmark, release = ffi::bookmark_free, parent = Outline, attachments)]
/// pub struct Bookmark;
///
/// #[derive(Attachment)]
/// struct Marked(Mutex<Option<KeptPart>>);
///
/// #[methods(unsafe)]
/// impl Bookmark {
///     #[rust_only]
///     #[calls(ffi::bookmark_set)]
///     fn keep(&mut self, topic: &Topic);
///
///     /// Move the bookmark to `topic`.
///     fn set(&mut self, topic: &Topic) -> Result<()> {
///         let kept = KeptPart::of(topic)?;
///         self.keep(topic);
///         match attached::<Marked, _>(self) {
///             Some(Marked(place)) => {
///                 *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
///             }
///             None => attach(self, Marked(Mutex::new(Some(kept)))),
///         }
///         Ok(())
///     }
/// }
/// # fn main() {}
/// ```
#[derive(Debug)]
pub struct KeptPart {
    part: Id,
    owner: Id,
}

impl KeptPart {
    /// Keeps `part` until the value is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::Value`] if the part belongs to no owner, [`Error::OutOfMemory`].
    pub fn of<T: TreePart>(part: &T) -> Result<Self> {
        let part = Id::of(part);
        // SAFETY: guarantee 3: the part is borrowed, and so it is valid.
        let owner = unsafe { part.kind().owner(part.raw()) };
        let owner =
            owner.ok_or_else(|| Error::Value(format!("this {} belongs to no owner", T::NAME)))?;
        unlinked::keep(part.raw())?;
        Ok(KeptPart { part, owner })
    }

    /// Returns whether the part is unlinked, and not below another part.
    pub fn is_topmost_of_unlinked(&self) -> bool {
        unlinked::contains(self.part.raw())
    }
}

impl Drop for KeptPart {
    fn drop(&mut self) {
        unlinked::end_keeping(self.part.raw(), self.owner);
    }
}

impl Attachment for KeptPart {}
