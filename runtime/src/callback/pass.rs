//! The callbacks that a call passes to C, and other values that C keeps.

use std::cell::Cell;
use std::ffi::c_void;
use std::iter;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use super::frame::{CallbackFailure, enter_frame, raise};
use super::function::Function;
use super::traits::HasCallbacks;
use super::user_data::{self, BoxedUserData, StoredValue};
use crate::attachment::Attachment;
use crate::children;
use crate::handle::HasAttachments;
use crate::handle::kind::Id;
use crate::outcome::Outcome;
use crate::panics::Caught;
use crate::side_table::{AttachmentSlot, ErasedAttachment, Replaced, Scope, SideData, entry_of};
use crate::uses::AtCallbackEnd;
use crate::uses::depth::Inside;

/// The destroy function that C gets with a callback that C keeps.
unsafe extern "C" fn destroy<S: Attachment>(data: *mut c_void) {
    let Some(stored) = NonNull::new(data.cast::<StoredValue<S>>()) else {
        return;
    };
    let outer = enter_frame(ptr::null());
    let _at_end = outer.previous().is_null().then(|| AtCallbackEnd);
    let _inside = Inside::begin();
    let _paused = crate::thread_locals::pause();
    let caught = Caught::new();
    caught.run(|| {
        // SAFETY: annotation `destroy`: C calls this once, with the user data that it was given; guarantee 8: so the
        // list still holds the box, also after the handle's release.
        let attached = unsafe { &(*stored.cast::<BoxedUserData<S>>().as_ptr()).attached }.clone();
        if let Some(attached) = attached {
            attached.remove(stored, &caught);
        }
    });
    if let Some(panic) = caught.take() {
        // SAFETY: Rust: null, or on the stack of the C call that this thread runs: `framed` takes it away when that
        // ends.
        let frame = unsafe { outer.previous().as_ref() };
        raise(frame, CallbackFailure::Panic(panic));
    }
}

/// A callback for the length of one call, which only borrows its state.
#[doc(hidden)]
pub struct BorrowedCallback<S: HasCallbacks>(BoxedUserData<S>);

/// Borrows `state` for one call of C on these handles.
#[doc(hidden)]
#[inline]
pub fn borrow<S: HasCallbacks, const N: usize>(
    state: &S,
    handles: [Option<Id>; N],
) -> BorrowedCallback<S> {
    let handles = handles.into_iter().flatten();
    let with_owners = handles.flat_map(|id| iter::once(id).chain(children::owners(id)));
    BorrowedCallback(BoxedUserData::lent(state, with_owners))
}

impl<S: HasCallbacks> BorrowedCallback<S> {
    /// Returns the user data.
    #[inline]
    pub fn data(&self) -> *mut c_void {
        ptr::from_ref(&self.0).cast_mut().cast()
    }

    /// Returns the function pointer.
    #[inline]
    pub fn function<F>(&self, function: Function<S, F>) -> F {
        function.pointer
    }
}

/// A value that is passed to C, which may keep it: a callback, or the owner of a handle. Dropping it after the call
/// ends the hold on the values that C does not have.
#[doc(hidden)]
pub struct PendingValue<S: Attachment> {
    attached: Arc<SideData>,
    stored: Option<NonNull<StoredValue<S>>>,
    scope: Scope,
    /// Set while C does not have the value: it is dropped after the call.
    is_left: Cell<bool>,
    /// The values that were in the same place before, which are dropped after the call.
    replaced: Cell<Replaced>,
}

/// Stores a callback for as long as C has it.
///
/// # Safety
///
/// As for [`store_value`].
#[doc(hidden)]
pub unsafe fn store<T: HasAttachments, V: IntoState>(
    handle: &T,
    scope: Scope,
    value: V,
) -> PendingValue<V::State> {
    // SAFETY: the caller's promise.
    unsafe { store_value(entry_of(handle), scope, value.into_state()) }
}

/// Stores a value for as long as C has it.
///
/// # Safety
///
/// C gets the value by one call and keeps it as `scope` says. [`PendingValue::record_outcome`] is told how that call
/// ended: the values that were in the same place before may be dropped then.
pub(crate) unsafe fn store_value<S: Attachment>(
    attached: Arc<SideData>,
    scope: Scope,
    value: Option<S>,
) -> PendingValue<S> {
    let stored = value.map(|value| {
        let value = user_data::store(attached.clone(), value);
        attached.change(|values| {
            values.push(AttachmentSlot {
                scope,
                stays: false,
                is_prepared: true,
                value,
            })
        });
        value
    });
    PendingValue {
        attached,
        stored,
        scope,
        is_left: Cell::new(true),
        replaced: Cell::default(),
    }
}

impl<S: Attachment> PendingValue<S> {
    /// Returns the user data; null for no callback.
    pub fn data(&self) -> *mut c_void {
        self.stored
            .map_or(ptr::null_mut(), |stored| stored.as_ptr().cast())
    }

    /// Returns the function pointer; null for no callback.
    pub fn function<F>(&self, function: Function<S, Option<F>>) -> Option<F> {
        function.pointer.filter(|_| self.stored.is_some())
    }

    /// Returns the destroy function, which C calls when it no longer needs the callback; null for no callback.
    pub fn destroy(&self) -> Option<unsafe extern "C" fn(*mut c_void)> {
        self.stored.map(|_| destroy::<S> as _)
    }

    /// Records how the call ended; `left` says that a failing call leaves the value to the runtime. If it is unknown
    /// whether C has the value, both this one and those that were in the same place before stay.
    ///
    /// Right after C returned: the author's code may replace the value before the drop, and while it was prepared.
    #[inline]
    pub fn record_outcome(&self, outcome: Outcome, left: bool) {
        let takes = outcome.takes(left);
        self.is_left.set(takes == Some(false));
        if let (Scope::UntilReplaced(_), None | Some(true)) = (self.scope, takes) {
            let newest = self.stored;
            let newest = newest.map(|stored| stored as NonNull<dyn ErasedAttachment>);
            let replaced = self.attached.passed(self.scope, newest, takes.is_some());
            self.replaced.set(replaced);
        }
    }
}

impl<S: Attachment> Drop for PendingValue<S> {
    fn drop(&mut self) {
        let caught = Caught::new();
        if let Some(stored) = self.stored.filter(|_| self.is_left.get()) {
            self.attached.remove(stored, &caught);
        }
        self.replaced.take().drop_all(&caught);
        caught.resume_in_drop();
    }
}

/// A callback, or an optional one.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not what a callback of C leads to",
    label = "`.data` passes a callback, and this is none",
    note = "write `#[callbacks(unsafe)]` above an `impl` block of the type, and `#[derive(Attachment)]` above the type"
)]
pub trait IntoState: state::Sealed {
    /// The type of the value that the user data leads to.
    type State: HasCallbacks;
    /// Returns the value, if there is one.
    fn into_state(self) -> Option<Self::State>;
}

mod state {
    use super::HasCallbacks;

    /// The bound of [`IntoState`](super::IntoState): C gets NULL only for what is written `Option<State>`.
    pub trait Sealed {}

    impl<S: HasCallbacks> Sealed for S {}
    impl<S: HasCallbacks> Sealed for Option<S> {}
}

impl<S: HasCallbacks> IntoState for S {
    type State = S;
    fn into_state(self) -> Option<S> {
        Some(self)
    }
}

impl<S: HasCallbacks> IntoState for Option<S> {
    type State = S;
    fn into_state(self) -> Option<S> {
        self
    }
}
