//! Values that live exactly as long as a native handle, such as the callbacks that C keeps.
//!
//! A guard in Rust is one pointer and has no place for these. So they stand in one table, by the handle's kind and
//! address, from the instruction after C made the handle until its release has ended. Only kinds that say so have an
//! entry.
//!
//! Values may hold Python objects. They are added and removed only by threads that are attached to the interpreter, in
//! sections that run no Python: so the garbage collector, which traverses them, needs no lock.

use std::cell::UnsafeCell;
use std::collections::BTreeMap;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU32};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::callback::user_data::{self, ErasedAttachment};
use crate::error::Error;
use crate::fork::{Lock, forks, watch_forks};
use crate::handle::HasAttachments;
use crate::handle::kind::HandleKind;
#[cfg(feature = "python")]
use crate::interpreter::{Traversing, is_traversing};
use crate::interpreter::{attach_if_running, report};
use crate::panics::Caught;

/// A value that a handle can keep: see [`attach`] and `#[callbacks]`.
///
/// `#[derive(Attachment)]` makes one of a struct or an enum whose fields are. What holds no Python objects and has no
/// macro implements the trait with nothing in it. A value in an `Arc` is shown to the garbage collector while nobody else
/// shares it.
#[diagnostic::on_unimplemented(
    message = "a handle cannot keep a `{Self}`",
    label = "this is not known to the garbage collector",
    note = "derive `Attachment` for it; if it holds no Python objects, `impl Attachment for {Self} {{}}` is enough"
)]
pub trait Attachment: Send + Sync + 'static {
    /// Show every Python object in it to the garbage collector. Never waits: what is locked is left out.
    ///
    /// # Errors
    ///
    /// What `visit` returns, at once.
    #[cfg(feature = "python")]
    fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        let _ = visit;
        Ok(())
    }

    /// Drop every Python object in it: the handle can no longer be reached.
    #[cfg(feature = "python")]
    fn clear(&self) {}
}

macro_rules! nothing_inside {
    ($($type:ty)+) => {$(impl Attachment for $type {})+};
}

nothing_inside! { () bool char i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64 String std::ffi::CString std::path::PathBuf }

macro_rules! all_inside {
    ($([$($parameter:ident)*] $type:ty, $self:ident => $each:expr;)+) => {$(
        impl<$($parameter: Attachment),*> Attachment for $type {
            #[cfg(feature = "python")]
            fn traverse(&$self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
                $each.try_for_each(|inside| inside.traverse(visit))
            }

            #[cfg(feature = "python")]
            fn clear(&$self) {
                $each.for_each(Attachment::clear);
            }
        }
    )+};
}

all_inside! {
    [T] Option<T>, self => self.iter();
    [T] Vec<T>, self => self.iter();
    [T] Box<T>, self => std::iter::once(&**self);
    [T] Arc<T>, self => sole(self).into_iter();
    [T] Mutex<T>, self => self.try_lock().iter().map(|guard| &**guard);
}

/// The value, while nobody shares it. The garbage collector subtracts what it is shown from an object's references: a value
/// that several show, or that something else still reaches, would be collected while it is in use. So a cycle through a
/// shared value is not collected.
#[cfg(feature = "python")]
fn sole<T>(shared: &Arc<T>) -> Option<&T> {
    (Arc::strong_count(shared) == 1).then_some(&**shared)
}

impl<K: Send + Sync + 'static, T: Attachment> Attachment for BTreeMap<K, T> {
    #[cfg(feature = "python")]
    fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.values().try_for_each(|inside| inside.traverse(visit))
    }

    #[cfg(feature = "python")]
    fn clear(&self) {
        self.values().for_each(Attachment::clear);
    }
}

/// How long a value stays.
#[doc(hidden)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Until C calls the destroy function that it was given.
    Notified,
    /// Until another value takes this place: one parameter of one method.
    UntilReplaced(&'static str),
    /// As long as the handle.
    Forever,
}

/// One value of a handle's list, which holds it.
#[derive(Clone, Copy)]
pub(crate) struct AttachmentSlot {
    pub(crate) scope: Scope,
    /// Set where no call can take it away before the handle is released: [`attach`] added it.
    pub(crate) stays: bool,
    pub(crate) value: NonNull<dyn ErasedAttachment>,
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
        unsafe { user_data::leave(self.value) }
    }
}

/// Lets go of several values, each whatever the others' `Drop` does.
///
/// # Safety
///
/// The entries were taken out of a list.
unsafe fn drop_all(entries: impl IntoIterator<Item = AttachmentSlot>, caught: &Caught) {
    for entry in entries {
        // SAFETY: the caller's promise.
        caught.run(|| unsafe { entry.drop_fn() });
    }
}

/// The values of one native handle.
pub(crate) struct SideData {
    kind: &'static HandleKind,
    forks: u32,
    /// The state of the Python object, while there is one.
    pub(crate) state: AtomicPtr<()>,
    /// The number of running callbacks that use the handle exclusively.
    pub(crate) exclusive_callbacks: AtomicU32,
    lock: Mutex<()>,
    values: UnsafeCell<Vec<AttachmentSlot>>,
}

// SAFETY: guarantee 9: `values` is changed under `lock` alone (`change`), and traversed while nobody can change it.
unsafe impl Sync for SideData {}
// SAFETY: Rust: its pointers are to values that are `Send` and `Sync`.
unsafe impl Send for SideData {}

type Table = BTreeMap<(usize, usize), Arc<SideData>>;

/// The entries of all live handles of kinds that have some. Locked for a few instructions.
static TABLE: Mutex<Table> = Mutex::new(Table::new());

inventory::submit! { Lock(|| Box::new(table())) }

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// C just made the handle at `raw`.
pub(crate) fn begin(kind: &'static HandleKind, raw: *mut ()) {
    watch_forks();
    let attached = Arc::new(SideData {
        kind,
        forks: forks(),
        state: AtomicPtr::new(ptr::null_mut()),
        exclusive_callbacks: AtomicU32::new(0),
        lock: Mutex::new(()),
        values: UnsafeCell::new(Vec::new()),
    });
    let before = table().insert(kind.key(raw), attached);
    assert!(before.is_none(), "C gave out a handle that is not released");
}

/// The entry of the handle at `raw`, which stays in the table until the handle is released; `None` for a handle that C
/// owns.
pub(crate) fn find(kind: &'static HandleKind, raw: *mut ()) -> Option<Arc<SideData>> {
    table().get(&kind.key(raw)).cloned()
}

/// The end of a handle's entry: taken out of the table before the release, for by then C may have given its address to
/// another handle; finished after that, since C may call what it keeps to the very end.
///
/// One that is dropped unfinished leaks the values, because C may still have them.
pub(crate) struct DetachedSideData(Arc<SideData>);

/// The handle at `raw` is about to be released.
pub(crate) fn end(kind: &'static HandleKind, raw: *mut ()) -> Option<DetachedSideData> {
    table().remove(&kind.key(raw)).map(DetachedSideData)
}

impl DetachedSideData {
    /// Whether this process was forked from the one that made the handle.
    pub(crate) fn is_from_before_a_fork(&self) -> bool {
        self.0.forks != forks()
    }

    /// The handle is still there: C kept it.
    pub(crate) fn put_back(self, raw: *mut ()) {
        let kind = self.0.kind;
        table().insert(kind.key(raw), self.0);
    }

    /// The handle is gone: drops every value, whatever the `Drop` of another one does. A callback that C has not destroyed
    /// stays until C does, because C may keep it elsewhere, such as in a queue.
    pub(crate) fn finish(self, caught: &Caught) {
        let (stay, left): (Vec<_>, _) = self.0.change(|values| {
            let left = values.extract_if(.., |entry| entry.scope != Scope::Notified);
            let left = left.collect::<Vec<_>>();
            (values.clone(), left)
        });
        if !stay.is_empty() && !self.is_from_before_a_fork() {
            let name = self.0.kind.name();
            report(Error::Value(format!(
                "a {name} was released, and C has not destroyed a callback that it was given: it stays until C does"
            )));
        }
        // SAFETY: guarantee 8: the entries were just taken out of the list, which held their boxes.
        unsafe { drop_all(left, caught) };
    }
}

impl SideData {
    /// Change the list of values.
    pub(crate) fn change<R>(&self, change: impl FnOnce(&mut Vec<AttachmentSlot>) -> R) -> R {
        #[cfg(feature = "python")]
        assert!(
            !is_traversing(),
            "what a handle keeps cannot be changed by the `traverse` of a value that it keeps"
        );
        // SideData to the interpreter, so that no garbage is collected meanwhile.
        attach_if_running(|| {
            let _lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
            // SAFETY: guarantee 9: the lock is held, and `change` does not come back here: it only looks and moves.
            change(unsafe { &mut *self.values.get() })
        })
    }

    /// Let go of one value, if it is still there.
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

    /// Let go of all in that place but the one at `newest`.
    pub(crate) fn replace(
        &self,
        scope: Scope,
        newest: Option<NonNull<dyn ErasedAttachment>>,
        caught: &Caught,
    ) {
        let old = self.change(|values| {
            let is_old = |entry: &mut AttachmentSlot| {
                entry.scope == scope && newest.map(NonNull::addr) != Some(entry.value.addr())
            };
            values.extract_if(.., is_old).collect::<Vec<_>>()
        });
        // SAFETY: guarantee 8: the entries were just taken out of the list, which held their boxes.
        unsafe { drop_all(old, caught) };
    }

    /// Show what it holds to the garbage collector.
    #[cfg(feature = "python")]
    pub(crate) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        // SAFETY: guarantee 9: who changes the list is attached to the interpreter and runs no Python meanwhile; so
        // nobody does while this thread collects garbage.
        let values = unsafe { &*self.values.get() };
        let _traversing = Traversing::begin();
        for entry in values {
            // SAFETY: guarantee 8: the list holds the box of each entry.
            unsafe { entry.value.as_ref() }
                .attachment()
                .traverse(visit)?;
        }
        Ok(())
    }

    /// Drop the Python objects in it.
    #[cfg(feature = "python")]
    pub(crate) fn clear(&self) {
        let caught = Caught::new();
        // What runs meanwhile may take values out of the list; so each is held until it is cleared.
        let values = self.change(|values| {
            for entry in &*values {
                // SAFETY: guarantee 8: the list holds the box of each entry.
                unsafe { user_data::hold(entry.value) };
            }
            values.clone()
        });
        for entry in values {
            // SAFETY: guarantee 8: the box is held since `hold` above.
            caught.run(|| unsafe { entry.value.as_ref() }.attachment().clear());
            // SAFETY: guarantee 8: this ends the hold from above.
            caught.run(|| unsafe { user_data::leave(entry.value) });
        }
    }
}

/// Keep `value` exactly as long as the native handle: it is dropped right after the handle was released. If it holds
/// Python objects, the garbage collector sees them through the handle's.
///
/// # Panics
///
/// If C owns the handle, as it does what is [`Borrowed`](crate::Borrowed) from another handle: nobody would know when the
/// handle ends.
pub fn attach<T: HasAttachments>(handle: &T, value: impl Attachment) {
    let attached = of(handle);
    let value = user_data::store(attached.clone(), value);
    attached.change(|values| {
        values.push(AttachmentSlot {
            scope: Scope::Forever,
            stays: true,
            value,
        });
    });
}

/// What the handle has besides its pointer.
pub(crate) fn of<T: HasAttachments>(handle: &T) -> Arc<SideData> {
    match find(T::kind(), handle.as_raw().cast()) {
        Some(attached) => attached,
        None => keeps_nothing(T::NAME),
    }
}

/// The newest value of type `V` that [`attach`] added to the handle.
pub fn attached<V: Attachment, T: HasAttachments>(handle: &T) -> Option<&V> {
    let found = find(T::kind(), handle.as_raw().cast())?.change(|values| {
        let mut newest = values.iter().rev();
        newest.find_map(|entry| {
            // What may go before the handle is not lent for as long: also a callback that C is just being given, and may
            // refuse.
            // SAFETY: guarantee 8: the list holds the box of each entry.
            let value = unsafe { entry.value.as_ref() }.value();
            value
                .downcast_ref::<V>()
                .filter(|_| entry.stays)
                .map(ptr::from_ref)
        })
    });
    // SAFETY: guarantee 8: what `attach` added stays in its box until the handle was released; guarantee 3: the
    // handle is borrowed as long as the result.
    found.map(|value| unsafe { &*value })
}

#[cold]
fn keeps_nothing(name: &str) -> ! {
    panic!(
        "this {name} belongs to C, so nobody knows when it ends, and it cannot keep a value: attach the value to a \
         handle that is `Owned`"
    )
}
