//! What all handles of one type share, and how many of them live.
//!
//! Every kind of handle that is linked in registers itself before `main`, so that counts start at zero and no type is
//! missing from them. Views have no resource of their own and are not listed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicIsize, Ordering};

use crate::handle::{Handle, Resource};

/// The facts and the count of one handle type.
#[derive(Debug)]
pub struct Kind {
    name: &'static str,
    release: Option<unsafe fn(*mut ())>,
    warns: bool,
    live: AtomicIsize,
}

/// A kind that is listed in [`live_handles`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Listed(pub &'static Kind);

inventory::collect!(Listed);

unsafe fn release_erased<T: Resource>(raw: *mut ()) {
    // SAFETY: `dispose` is called with a pointer of the kind's own type, once; see there.
    unsafe { T::release(raw.cast()) }
}

impl Kind {
    /// The kind of a type that is released.
    pub const fn resource<T: Resource>() -> Self {
        Kind {
            name: T::NAME,
            release: Some(release_erased::<T>),
            warns: false,
            live: AtomicIsize::new(0),
        }
    }

    /// The kind of a type that lives inside another one, or that C only lends.
    pub const fn view<T: Handle>() -> Self {
        Kind {
            name: T::NAME,
            release: None,
            warns: false,
            live: AtomicIsize::new(0),
        }
    }

    /// The same, and a handle that is dropped unclosed in Python emits a `ResourceWarning`.
    pub const fn warning(mut self) -> Self {
        self.warns = true;
        self
    }

    /// Whether dropping one unclosed is worth a warning.
    pub fn warns_unclosed(&self) -> bool {
        self.warns
    }

    /// The type's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether handles of this kind own nothing.
    pub fn is_view(&self) -> bool {
        self.release.is_none()
    }

    /// Count one more.
    pub(crate) fn acquired(&self) {
        self.live.fetch_add(1, Ordering::Relaxed);
    }

    /// Release the resource and count one less.
    ///
    /// # Safety
    ///
    /// `raw` is an acquired handle of this kind, and this is its only release.
    pub(crate) unsafe fn dispose(&self, raw: *mut ()) {
        if let Some(release) = self.release {
            // SAFETY: `raw` is of the type that `release` was made for; the caller promised the rest.
            unsafe { release(raw) };
            self.live.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// The number of live handles of every type that is linked in, by name.
///
/// Two types of the same name, in different modules of one crate, are added up.
pub fn live_handles() -> BTreeMap<&'static str, isize> {
    let mut counts = BTreeMap::new();
    for Listed(kind) in inventory::iter::<Listed> {
        *counts.entry(kind.name).or_insert(0) += kind.live.load(Ordering::Relaxed);
    }
    counts
}
