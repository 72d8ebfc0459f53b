//! Reference-counted objects in Rust: what C lends of them is retained at once.
//!
//! Two guards may own one object, and objects may contain each other, so the borrow checker does not see that two
//! borrows meet. The generated calls see it ([`uses`](crate::uses)). Memory that such an object lends could be ended by
//! another owner at any time, so it is copied or retained.

use crate::handle::{Borrowed, Owned, RefCounted};

/// A lent result of C that is retained at once: `#[calls(…, retain)]`.
pub trait Retain {
    /// The owner.
    type Retained;
    /// Retains the object and returns the new owner.
    fn retain_now(self) -> Self::Retained;
}

impl<T: RefCounted> Retain for Borrowed<'_, T> {
    type Retained = Owned<'static, T>;

    fn retain_now(self) -> Self::Retained {
        self.retain()
    }
}

impl<R: Retain> Retain for Option<R> {
    type Retained = Option<R::Retained>;

    fn retain_now(self) -> Self::Retained {
        self.map(R::retain_now)
    }
}
