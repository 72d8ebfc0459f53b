//! Side data: values that live exactly as long as a native handle, such as the callbacks that C keeps.
//!
//! A guard is one pointer and has no room for values. One table holds the side data of each handle, by the handle's
//! kind and address, from the instruction after C made the handle until its release has ended. Only kinds annotated
//! `attachments` have side data.
//!
//! Values may hold Python objects. Only threads that are attached to the interpreter add and remove values, in sections
//! that run no Python code. The garbage collector, which traverses the values, therefore needs no lock.

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
/// `#[derive(Attachment)]` implements the trait for a struct or an enum whose fields implement it. A type that holds no
/// Python objects can have an empty implementation. The garbage collector sees a value in an `Arc` only while nothing
/// else shares the value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not implement `Attachment`: the state of callbacks, and values that a handle keeps, implement it",
    label = "the garbage collector does not know the Python objects in this type",
    note = "write `#[derive(Attachment)]` above the type; a type of another crate that holds no Python objects goes into a \
            struct of yours with `impl Attachment for Name {{}}`"
)]
pub trait Attachment: Send + Sync + Sized + 'static {
    /// How the garbage collector finds the Python objects in it. Only the derive, or an `unsafe impl` of [`Traverse`], says
    /// more than that there are none.
    #[cfg(feature = "python")]
    #[doc(hidden)]
    const TRAVERSAL: Traversal<Self> = Traversal::nothing();
}

/// A value that shows its Python objects to the garbage collector. Implemented by `#[derive(Attachment)]`.
///
/// # Safety
///
/// `traverse` visits each reference to a Python object that the value owns at most once, and no other one. The garbage
/// collector takes an object of which it was shown all references for garbage, and clears it while it is in use.
#[cfg(feature = "python")]
#[doc(hidden)]
pub unsafe trait Traverse {
    /// Shows every Python object in it to the garbage collector. Never waits: what is locked is left out.
    ///
    /// # Errors
    ///
    /// What `visit` returns, at once.
    fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError>;

    /// Drops every Python object in it: the handle can no longer be reached.
    fn clear(&self);
}

/// The functions of a type that implements [`Traverse`], or none.
#[cfg(feature = "python")]
#[doc(hidden)]
#[derive(Debug)]
pub struct Traversal<S: ?Sized> {
    traverse: fn(&S, &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError>,
    clear: fn(&S),
}

#[cfg(feature = "python")]
impl<S: ?Sized> Traversal<S> {
    /// Nothing is shown.
    pub const fn nothing() -> Self {
        Traversal {
            traverse: |_, _| Ok(()),
            clear: |_| {},
        }
    }

    /// The functions of the type.
    pub const fn of() -> Self
    where
        S: Traverse,
    {
        Traversal {
            traverse: S::traverse,
            clear: S::clear,
        }
    }
}

/// Shows the Python objects in `value` to the garbage collector.
///
/// # Errors
///
/// What `visit` returns.
#[cfg(feature = "python")]
#[doc(hidden)]
pub fn traverse<T: Attachment>(
    value: &T,
    visit: &pyo3::PyVisit<'_>,
) -> Result<(), pyo3::PyTraverseError> {
    (T::TRAVERSAL.traverse)(value, visit)
}

/// Drops the Python objects in `value`.
#[cfg(feature = "python")]
#[doc(hidden)]
pub fn clear<T: Attachment>(value: &T) {
    (T::TRAVERSAL.clear)(value);
}

macro_rules! impl_no_py_objects {
    ($($type:ty)+) => {$(impl Attachment for $type {})+};
}

impl_no_py_objects! { () bool char i8 u8 i16 u16 i32 u32 i64 u64 isize usize f32 f64 String std::ffi::CString std::path::PathBuf }

macro_rules! impl_for_each_field {
    ($([$($parameter:ident)*] $type:ty, $self:ident => $each:expr;)+) => {$(
        impl<$($parameter: Attachment),*> Attachment for $type {
            #[cfg(feature = "python")]
            const TRAVERSAL: Traversal<Self> = Traversal::of();
        }

        // SAFETY: trait `Traverse`: each value inside is shown once, and shows each of its references once.
        #[cfg(feature = "python")]
        unsafe impl<$($parameter: Attachment),*> Traverse for $type {
            fn traverse(&$self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
                $each.try_for_each(|inside| traverse(inside, visit))
            }

            fn clear(&$self) {
                $each.for_each(clear);
            }
        }
    )+};
}

impl_for_each_field! {
    [T] Option<T>, self => self.iter();
    [T] Vec<T>, self => self.iter();
    [T] Box<T>, self => std::iter::once(&**self);
    [T] Arc<T>, self => sole(self).into_iter();
    [T] Mutex<T>, self => self.try_lock().iter().map(|guard| &**guard);
}

/// Returns the value while nothing else shares it. The garbage collector subtracts the references that it is shown from
/// an object's reference count. A value that is shown twice, or that something else still reaches, would be collected
/// while it is in use. So a cycle through a shared value is not collected.
#[cfg(feature = "python")]
fn sole<T>(shared: &Arc<T>) -> Option<&T> {
    (Arc::strong_count(shared) == 1).then_some(&**shared)
}

impl<K: Send + Sync + 'static, T: Attachment> Attachment for BTreeMap<K, T> {
    #[cfg(feature = "python")]
    const TRAVERSAL: Traversal<Self> = Traversal::of();
}

// SAFETY: trait `Traverse`: each value inside is shown once, and shows each of its references once.
#[cfg(feature = "python")]
unsafe impl<K: Send + Sync + 'static, T: Attachment> Traverse for BTreeMap<K, T> {
    fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        self.values().try_for_each(|inside| traverse(inside, visit))
    }

    fn clear(&self) {
        self.values().for_each(clear);
    }
}

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

/// The side data of all live handles of kinds that have some. Locked for a few instructions.
static TABLE: Mutex<Table> = Mutex::new(Table::new());

inventory::submit! { Lock(|| Box::new(table())) }

fn table() -> MutexGuard<'static, Table> {
    TABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Creates the side data of the handle at `raw`, which C just made.
pub(crate) fn insert(kind: &'static HandleKind, raw: *mut ()) {
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

/// Returns the side data of the handle at `raw`; `None` for a handle that C owns. The side data stays in the table
/// until the handle is released.
pub(crate) fn get(kind: &'static HandleKind, raw: *mut ()) -> Option<Arc<SideData>> {
    table().get(&kind.key(raw)).cloned()
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
    /// destroyed stays until C destroys it, because C may keep the callback elsewhere, such as in a queue.
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

    /// Ends the list's hold on all values in the place `scope` except the one at `newest`.
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

    /// Shows the values to the garbage collector.
    #[cfg(feature = "python")]
    pub(crate) fn traverse(&self, visit: &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        // SAFETY: guarantee 9: who changes the list is attached to the interpreter and runs no Python meanwhile; so
        // nobody does while this thread collects garbage.
        let values = unsafe { &*self.values.get() };
        let _traversing = Traversing::begin();
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
                unsafe { user_data::hold(entry.value) };
            }
            values.clone()
        });
        for entry in values {
            // SAFETY: guarantee 8: the box is held since `hold` above.
            caught.run(|| unsafe { entry.value.as_ref() }.clear());
            // SAFETY: guarantee 8: this ends the hold from above.
            caught.run(|| unsafe { user_data::leave(entry.value) });
        }
    }
}

/// Keeps `value` exactly as long as the native handle: `value` is dropped right after the handle was released. If
/// `value` holds Python objects, the garbage collector sees them through the handle's object.
///
/// # Panics
///
/// If C owns the handle, as with a handle that is [`Borrowed`](crate::Borrowed) from another one: the runtime does not
/// learn when such a handle ends.
pub fn attach<T: HasAttachments>(handle: &T, value: impl Attachment) {
    let attached = entry_of(handle);
    let value = user_data::store(attached.clone(), value);
    attached.change(|values| {
        values.push(AttachmentSlot {
            scope: Scope::Forever,
            stays: true,
            value,
        });
    });
}

/// Returns the side data of the handle. Panics if C owns the handle.
pub(crate) fn entry_of<T: HasAttachments>(handle: &T) -> Arc<SideData> {
    match get(T::kind(), handle.as_raw().cast()) {
        Some(attached) => attached,
        None => keeps_nothing(T::NAME),
    }
}

/// Returns the newest value of type `V` that [`attach`] added to the handle.
pub fn attached<V: Attachment, T: HasAttachments>(handle: &T) -> Option<&V> {
    let found = get(T::kind(), handle.as_raw().cast())?.change(|values| {
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
