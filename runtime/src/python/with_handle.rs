//! Handles that a body gets as Python objects.

use pyo3::prelude::*;

use super::call::{CallContext, MethodInfo, call_beside, call_method};
use super::object::PyHandle;

crate::__site!(SITE, "with_handle", "");
const BODY: &MethodInfo = &MethodInfo::new(&SITE, 0, true);

/// Calls `f` with the handle of a Python object, such as an item of a list that a body got. The handle is borrowed
/// shared meanwhile.
///
/// ```
/// # use leakproof::prelude::*;
/// # mod ffi { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/ffi.rs")); }
/// # #[handle(raw = ffi::store, release = ffi::store_close)]
/// # pub struct Store;
/// use leakproof::pyo3::prelude::*;
///
/// #[methods(unsafe)]
/// impl Store {
///     #[getter]
///     #[calls(ffi::store_size)]
///     fn size(&self) -> i32;
///
///     /// Return the size of this store and of the others together.
///     fn size_with(&self, others: Vec<Bound<'_, PyAny>>) -> PyResult<i32> {
///         others.iter().try_fold(self.size(), |sum, other| {
///             Ok(sum + leakproof::with_handle(other, Store::size)?)
///         })
///     }
/// }
/// # fn main() {}
/// ```
///
/// # Errors
///
/// `TypeError` if the object is of another class, `ClosedError`, and `BusyError` if a call uses the handle exclusively.
pub fn with_handle<T: PyHandle, R>(
    object: &Bound<'_, PyAny>,
    f: impl FnOnce(&T) -> R,
) -> PyResult<R> {
    let handle = object.cast::<T::Class>()?.as_super();
    call_beside(object.py(), handle, BODY, |context| {
        let raw = context.entered_handle();
        // SAFETY: guarantee 3: the call has borrowed the handle. trait `PyHandle`: an object of `T`'s class holds a
        // pointer to a `T`.
        Ok(f(unsafe { T::from_raw(raw.cast()) }))
    })
}

/// Calls `f` with the handle of a Python object, as [`with_handle`] does, and with the running call, by which `f`
/// converts results of the handle: as if `f` were a method of the object. An iterator that is a class of the package
/// takes its steps so.
///
/// ```
/// # use leakproof::prelude::*;
/// # mod ffi { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/src/reference/ffi.rs")); }
/// # #[handle(raw = ffi::outline, release = ffi::outline_free, tree)]
/// # pub struct Outline;
/// #
/// # #[handle(raw = ffi::topic, part_of = Outline, owner_field = outline, tree(
/// #     parent = up, children = first, next = next, object = user, release = ffi::topic_free,
/// # ))]
/// # pub struct Topic;
/// use leakproof::pyo3::prelude::*;
///
/// #[methods(unsafe)]
/// impl Topic {
///     #[getter]
///     #[field(next)]
///     fn next(&self) -> Option<Borrowed<Topic>>;
/// }
///
/// /// Returns the object of the topic behind that of `object`.
/// fn behind<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
///     leakproof::with_receiver(object, |topic: &Topic, context| {
///         topic.next().map(|next| next.into_python(context)).transpose()
///     })
/// }
/// # fn main() {}
/// ```
///
/// # Errors
///
/// The error of `f`, and those of [`with_handle`].
pub fn with_receiver<'py, T: PyHandle, R>(
    object: &Bound<'py, PyAny>,
    f: impl for<'a> FnOnce(&'a T, &CallContext<'a, 'py>) -> PyResult<R>,
) -> PyResult<R> {
    call_method::<T, R>(object.cast::<T::Class>()?, BODY, &[], f)
}
