//! Values that a handle can keep, and how the garbage collector sees the Python objects in them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// A value that a handle can keep: see [`attach`](crate::attach) and `#[callbacks]`.
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
    /// The way in which the garbage collector finds the Python objects in the value. By default there are none. The
    /// derive writes another one, by an `unsafe impl` of [`Traverse`].
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

    /// Moves every Python object in it to `taken`: the handle can no longer be reached. Drops none, which may run
    /// anything: the value may be in a `Mutex` that is locked meanwhile.
    fn clear(&self, taken: &mut Vec<pyo3::Py<pyo3::PyAny>>);
}

/// The functions of a type that implements [`Traverse`], or none.
#[cfg(feature = "python")]
#[doc(hidden)]
#[derive(Debug)]
pub struct Traversal<S: ?Sized> {
    traverse: fn(&S, &pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError>,
    clear: fn(&S, &mut Vec<pyo3::Py<pyo3::PyAny>>),
}

#[cfg(feature = "python")]
impl<S: ?Sized> Traversal<S> {
    /// Nothing is shown.
    pub const fn nothing() -> Self {
        Traversal {
            traverse: |_, _| Ok(()),
            clear: |_, _| {},
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

/// Moves the Python objects in `value` to `taken`.
#[cfg(feature = "python")]
#[doc(hidden)]
pub fn clear<T: Attachment>(value: &T, taken: &mut Vec<pyo3::Py<pyo3::PyAny>>) {
    (T::TRAVERSAL.clear)(value, taken);
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

            fn clear(&$self, taken: &mut Vec<pyo3::Py<pyo3::PyAny>>) {
                $each.for_each(|inside| clear(inside, taken));
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

    fn clear(&self, taken: &mut Vec<pyo3::Py<pyo3::PyAny>>) {
        self.values().for_each(|inside| clear(inside, taken));
    }
}
