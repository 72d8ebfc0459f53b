//! Side data: values that live exactly as long as a native handle, such as the callbacks that C keeps.
//!
//! A guard is one pointer and has no room for values. One table holds the side data of each handle, by the handle's
//! kind and address, from the instruction after C made the handle until its release has ended. Only kinds annotated
//! `attachments` have side data.
//!
//! Values may hold Python objects. Only threads that are attached to the interpreter add and remove values, in sections
//! that run no Python code. The garbage collector, which traverses the values, therefore needs no lock.

use std::any::Any;
use std::cell::{RefCell, UnsafeCell};
use std::collections::BTreeMap;
use std::fmt;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::fork::{Lock, forks};
use crate::handle::HasAttachments;
use crate::handle::kind::{HandleKind, Id};
use crate::idle::IdleList;
use crate::interpreter::{ReentrancyGuard, attach_if_running, report};
#[cfg(feature = "python")]
use crate::interpreter::{begin_traversing, is_traversing};
use crate::panics::Caught;

/// The lifetime of a value.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Ends when C calls the destroy function that it was given.
    Notified,
    /// Ends when another value takes this place: one parameter of one method.
    UntilReplaced(&'static str),
    /// Ends with the handle.
    Forever,
}

/// An entry in a handle's list of values. The list holds the value.
#[derive(Clone, Copy)]
pub(crate) struct AttachmentSlot {
    pub(crate) scope: Scope,
    /// Set if no call can remove the value before the handle is released: [`attach`] added it.
    pub(crate) stays: bool,
    /// Set until the call has returned that passes the value to C: until then no other call replaces it.
    pub(crate) is_prepared: bool,
    pub(crate) value: NonNull<dyn ErasedAttachment>,
}

/// A stored value with its type forgotten.
pub(crate) trait ErasedAttachment {
    /// Shows the Python objects in the value to the garbage collector.
    #[cfg(feature = "python")]
    fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError>;

    /// Moves the Python objects in the value to `taken`.
    #[cfg(feature = "python")]
    fn clear(&self, taken: &mut Vec<pyo3::Py<pyo3::PyAny>>);

    /// Returns the value, for callers that know its type.
    fn value(&self) -> &dyn Any;

    /// Returns the number of holders of the box.
    fn holds(&self) -> &AtomicUsize;
}

/// Holds a stored value once more.
///
/// # Safety
///
/// The value has a holder.
#[cfg(feature = "python")]
pub(crate) unsafe fn add_holder(value: NonNull<dyn ErasedAttachment>) {
    // SAFETY: the caller's promise.
    unsafe { value.as_ref() }
        .holds()
        .fetch_add(1, Ordering::Relaxed);
}

/// Ends one hold on a stored value; the last one drops it, which runs the author's code.
///
/// # Safety
///
/// The caller is a holder.
pub(crate) unsafe fn remove_holder(value: NonNull<dyn ErasedAttachment>) {
    // SAFETY: the caller's promise.
    let holds = unsafe { value.as_ref() }.holds();
    if holds.fetch_sub(1, Ordering::AcqRel) == 1 {
        // SAFETY: guarantee 8: the pointer came from `store`, and nobody else holds the box any more.
        drop_value(unsafe { Box::from_raw(value.as_ptr()) });
    }
}

/// Drops a value that a handle kept. The `Drop` may run Python code, which must not wait for the call that this thread
/// is in.
pub(crate) fn drop_value<V: ?Sized>(value: Box<V>) {
    attach_if_running(|| {
        let _python = ReentrancyGuard::begin();
        drop(value);
    });
}

// SAFETY: Rust: the value is an `Attachment`, which is `Send` and `Sync`.
unsafe impl Send for AttachmentSlot {}

impl AttachmentSlot {
    /// Ends the list's hold on the value.
    ///
    /// # Safety
    ///
    /// The entry was taken out of the list.
    unsafe fn drop_fn(self) {
        // SAFETY: the caller's promise: the entry was taken out of the list, which held the value; guarantee 8: a
        // holder may leave.
        unsafe { remove_holder(self.value) }
    }
}

/// Ends the list's hold on several values, even if the `Drop` of one panics.
///
/// # Safety
///
/// The entries were removed from a list.
unsafe fn drop_all(entries: impl IntoIterator<Item = AttachmentSlot>, caught: &Caught) {
    for entry in entries {
        // SAFETY: the caller's promise.
        caught.run(|| unsafe { entry.drop_fn() });
    }
}

/// The side data of one native handle.
pub(crate) struct SideData {
    kind: &'static HandleKind,
    /// The address of the handle.
    raw: *mut (),
    forks: u32,
    /// The state of the Python object, while there is one.
    pub(crate) state: AtomicPtr<()>,
    /// The number of running callbacks that use the handle exclusively.
    pub(crate) exclusive_callbacks: AtomicU32,
    /// Twice the number of callbacks that have the handle, and one more if the handle is gone.
    lent: AtomicUsize,
    lock: Mutex<()>,
    values: UnsafeCell<Vec<AttachmentSlot>>,
    /// The handles that live in this one and are kept for reuse.
    pub(crate) idle: IdleList,
}

/// Added to [`SideData::lent`] for a callback that has the handle.
const ONE_CALLBACK: usize = 2;
/// Added to [`SideData::lent`] when the handle is gone.
const GONE: usize = 1;

// SAFETY: guarantee 9: `values` is changed only under `lock` (`change`), and traversed while nobody can change it.
unsafe impl Sync for SideData {}
// SAFETY: Rust: its pointers are to values that are `Send` and `Sync`, and an address that nobody follows.
unsafe impl Send for SideData {}

type Table = BTreeMap<(usize, usize), Arc<SideData>>;

/// The side data of all live handles of kinds that have some. Locked for a few instructions.
static TABLE: Mutex<Table> = Mutex::new(Table::new());

inventory::submit! { Lock(|| Box::new(table())) }

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Creates the side data of the handle at `raw`, which C just made.
pub(crate) fn insert(kind: &'static HandleKind, raw: *mut ()) {
    let attached = Arc::new(SideData {
        kind,
        raw,
        forks: forks(),
        state: AtomicPtr::new(ptr::null_mut()),
        exclusive_callbacks: AtomicU32::new(0),
        lent: AtomicUsize::new(0),
        lock: Mutex::new(()),
        values: UnsafeCell::new(Vec::new()),
        idle: IdleList::default(),
    });
    let before = table().insert(kind.key(raw), attached);
    assert!(before.is_none(), "C gave out a handle that is not released");
}

/// Returns the side data of the handle at `raw`; `None` for a handle that C owns. The side data stays in the table
/// until the handle is released.
pub(crate) fn get(kind: &'static HandleKind, raw: *mut ()) -> Option<Arc<SideData>> {
    table().get(&kind.key(raw)).cloned()
}

/// Releases the idle handles that live in the handle, which is about to be released, or to be given to C.
pub(crate) fn release_idle(parent: Id) {
    if parent.kind.keeps_values() {
        let side_data = get(parent.kind, parent.raw);
        drop(side_data.map(|side_data| side_data.idle.take_all()));
    }
}

/// The values of a handle that a callback has: none of them is dropped until the callback has ended. C may lend a
/// callback on one thread what its owner releases on another.
pub(crate) struct LentValues(Arc<SideData>);

impl fmt::Debug for LentValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LentValues({})", self.0.kind.name())
    }
}

/// Returns whether the handle at `raw` keeps values.
pub(crate) fn has_values(kind: &'static HandleKind, raw: *mut ()) -> bool {
    kind.keeps_values()
        && get(kind, raw).is_some_and(|side_data| side_data.change(|values| !values.is_empty()))
}

/// Holds the values of the handle at `raw`; `None` for a handle that C owns.
pub(crate) fn lend_values(kind: &'static HandleKind, raw: *mut ()) -> Option<LentValues> {
    let table = table();
    let attached = table.get(&kind.key(raw))?;
    // Under the lock of the table: the handle is not gone.
    attached.lent.fetch_add(ONE_CALLBACK, Ordering::Relaxed);
    Some(LentValues(attached.clone()))
}

/// Adds the values, or returns them if they are there.
pub(crate) fn add_once(all: &mut Vec<LentValues>, values: LentValues) -> Option<LentValues> {
    let is_there = all.iter().any(|held| Arc::ptr_eq(&held.0, &values.0));
    match is_there {
        true => Some(values),
        false => {
            all.push(values);
            None
        }
    }
}

thread_local! {
    /// The values that the running callback got by what C lent to it; `None` where no callback runs.
    static LENT_HERE: RefCell<Option<Vec<LentValues>>> = const { RefCell::new(None) };
}

/// Replaces the values of the running callback. Returns `None` for a thread that has dropped its variables.
fn replace_lent_here(by: Option<Vec<LentValues>>) -> Option<Vec<LentValues>> {
    let replaced = LENT_HERE.try_with(|lent| lent.replace(by));
    replaced.ok().flatten()
}

/// Holds the values until the running callback of this thread returns. Where none runs, or the thread ends, they are
/// held for good.
pub(crate) fn hold_in_callback(values: LentValues) {
    let mut values = Some(values);
    let _ = LENT_HERE.try_with(|lent| {
        if let Some(lent) = &mut *lent.borrow_mut() {
            // Values that are there already have another holder, so this drops none.
            drop(values.take().and_then(|values| add_once(lent, values)));
        }
    });
    values.into_iter().for_each(hold_for_good);
}

/// The values that nobody drops, by their addresses. What tools that look for leaks find here is not lost.
static HELD_FOR_GOOD: Mutex<BTreeMap<usize, LentValues>> = Mutex::new(BTreeMap::new());

inventory::submit! { Lock(|| Box::new(held_for_good())) }

fn held_for_good() -> MutexGuard<'static, BTreeMap<usize, LentValues>> {
    HELD_FOR_GOOD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds the values for good.
pub(crate) fn hold_for_good(values: LentValues) {
    let replaced = held_for_good().insert(Arc::as_ptr(&values.0).addr(), values);
    // Others hold these values now, so this drops none.
    drop(replaced);
}

/// The time of a callback. When it is dropped, the values of [`hold_in_callback`] are no longer held.
pub(crate) struct CallbackValues {
    outer: Option<Vec<LentValues>>,
}

impl CallbackValues {
    pub(crate) fn begin() -> Self {
        CallbackValues {
            outer: replace_lent_here(Some(Vec::new())),
        }
    }
}

impl Drop for CallbackValues {
    fn drop(&mut self) {
        drop(replace_lent_here(self.outer.take()));
    }
}

impl Drop for LentValues {
    fn drop(&mut self) {
        if self.0.lent.fetch_sub(ONE_CALLBACK, Ordering::AcqRel) != ONE_CALLBACK + GONE {
            return;
        }
        let caught = Caught::new();
        let stayed = |values: &mut Vec<AttachmentSlot>| {
            let stayed = values.extract_if(.., |entry| entry.stays);
            stayed.collect::<Vec<_>>()
        };
        // SAFETY: guarantee 8: the entries were just taken out of the list, which held their boxes.
        unsafe { drop_all(self.0.change(stayed), &caught) };
        caught.resume_in_drop();
    }
}

/// Side data removed from the table before C's release function runs. During the release C may give the address to
/// another handle, and C may call what the handle keeps until the release has ended.
///
/// Dropping it without [`DetachedSideData::finish`] leaks the values, because C may still use them.
pub(crate) struct DetachedSideData(Arc<SideData>);

/// Removes the side data of the handle at `raw`, which is about to be released.
pub(crate) fn remove(kind: &'static HandleKind, raw: *mut ()) -> Option<DetachedSideData> {
    table().remove(&kind.key(raw)).map(DetachedSideData)
}

impl DetachedSideData {
    /// Returns whether this process was forked since the handle was made.
    pub(crate) fn is_from_before_a_fork(&self) -> bool {
        self.0.forks != forks()
    }

    /// Puts the side data back into the table: C kept the handle.
    pub(crate) fn put_back(self, raw: *mut ()) {
        let kind = self.0.kind;
        table().insert(kind.key(raw), self.0);
    }

    /// Drops every value after the release, even if the `Drop` of another one panics. A callback that C has not
    /// destroyed stays until C destroys it, because C may keep the callback elsewhere, such as in a queue. What a
    /// callback may have borrowed from the handle (`attached`) stays until that callback has ended.
    pub(crate) fn finish(self, caught: &Caught) {
        let is_lent = self.0.lent.fetch_or(GONE, Ordering::AcqRel) != 0;
        let is_left =
            |entry: &AttachmentSlot| entry.scope != Scope::Notified && !(entry.stays && is_lent);
        let (stays, left): (bool, _) = self.0.change(|values| {
            let left = values.extract_if(.., |entry| is_left(entry));
            let left = left.collect::<Vec<_>>();
            let stays = values.iter().any(|entry| entry.scope == Scope::Notified);
            (stays, left)
        });
        if stays && !self.is_from_before_a_fork() {
            let name = self.0.kind.name();
            report(Error::Value(format!(
                "a {name} was released, and C has not destroyed a callback that it was given: it stays until C does"
            )));
        }
        // SAFETY: guarantee 8: the entries were just taken out of the list, which held their boxes.
        unsafe { drop_all(left, caught) };
    }
}

/// Values that C has no longer, because others took their place.
#[derive(Default)]
pub(crate) struct Replaced(Vec<AttachmentSlot>);

impl Replaced {
    /// Ends the list's hold on them.
    pub(crate) fn drop_all(self, caught: &Caught) {
        // SAFETY: guarantee 8: `passed` took the entries out of the list, which held their boxes.
        unsafe { drop_all(self.0, caught) };
    }
}

impl SideData {
    /// Returns the handle whose side data this is.
    pub(crate) fn handle(&self) -> Id {
        Id::new(self.kind, self.raw)
    }

    /// Changes the list of values.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Vec<AttachmentSlot>) -> R) -> R {
        #[cfg(feature = "python")]
        assert!(
            !is_traversing(),
            "what a handle keeps cannot be changed by the `traverse` of a value that it keeps"
        );
        // Attached to the interpreter, so that no garbage is collected meanwhile.
        attach_if_running(|| {
            let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            // SAFETY: guarantee 9: the lock is held, and `change` does not come back here: it only looks and moves.
            change(unsafe { &mut *self.values.get() })
        })
    }

    /// Ends the list's hold on one value, if the list still has it.
    pub(crate) fn remove(&self, value: NonNull<dyn ErasedAttachment>, caught: &Caught) {
        let found = self.change(|values| {
            let index = values
                .iter()
                .position(|entry| entry.value.addr() == value.addr())?;
            Some(values.remove(index))
        });
        // SAFETY: guarantee 8: the entry was just taken out of the list, which held its box.
        unsafe { drop_all(found, caught) };
    }

    /// Notes that C may have the value at `newest` from now on, or has none in the place `scope`. If `is_known`, takes
    /// out all other values in that place, except those of calls that are still being prepared.
    pub(crate) fn passed(
        &self,
        scope: Scope,
        newest: Option<NonNull<dyn ErasedAttachment>>,
        is_known: bool,
    ) -> Replaced {
        Replaced(self.change(|values| {
            let is_newest =
                |entry: &AttachmentSlot| newest.map(NonNull::addr) == Some(entry.value.addr());
            let passed = values.iter_mut().find(|entry| is_newest(entry));
            if let Some(passed) = passed {
                passed.is_prepared = false;
            }
            let is_old = |entry: &mut AttachmentSlot| {
                is_known && entry.scope == scope && !entry.is_prepared && !is_newest(entry)
            };
            values.extract_if(.., is_old).collect()
        }))
    }

    /// Shows the values to the garbage collector.
    #[cfg(feature = "python")]
    pub(crate) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        // SAFETY: guarantee 9: who changes the list is attached to the interpreter and runs no Python meanwhile; so
        // nobody does while this thread collects garbage.
        let values = unsafe { &*self.values.get() };
        let _traversing = begin_traversing();
        for entry in values {
            // SAFETY: guarantee 8: the list holds the box of each entry.
            unsafe { entry.value.as_ref() }.traverse(visit)?;
        }
        Ok(())
    }

    /// Drops the Python objects in the values.
    #[cfg(feature = "python")]
    pub(crate) fn clear(&self) {
        let caught = Caught::new();
        // What runs meanwhile may take values out of the list; so each is held until it is cleared.
        let values = self.change(|values| {
            for entry in &*values {
                // SAFETY: guarantee 8: the list holds the box of each entry.
                unsafe { add_holder(entry.value) };
            }
            values.clone()
        });
        let mut taken = Vec::new();
        for entry in values {
            // SAFETY: guarantee 8: the box is held since `add_holder` above.
            caught.run(|| unsafe { entry.value.as_ref() }.clear(&mut taken));
            // SAFETY: guarantee 8: this ends the hold from above.
            caught.run(|| unsafe { remove_holder(entry.value) });
        }
        // Under no lock of a value: the drop of an object runs anything, also a callback that asks for that lock.
        for object in taken {
            caught.run(|| drop(object));
        }
    }
}

/// Returns the side data of the handle. Panics if C owns the handle.
pub(crate) fn entry_of<T: HasAttachments>(handle: &T) -> Arc<SideData> {
    match get(T::kind(), handle.as_raw().cast()) {
        Some(attached) => attached,
        None => keeps_nothing(T::NAME),
    }
}

#[cold]
fn keeps_nothing(name: &str) -> ! {
    panic!(
        "this {name} belongs to C, so nobody knows when it ends, and it cannot keep a value: attach the value to a \
         handle that is `Owned`"
    )
}
