//! The memory of the Python objects of handles.
//!
//! PyO3 makes an object through the base class's `__new__`, and drops it on a thread that it registers first. Objects
//! of handles need neither: they are a header, the state and the list of weak references, and a word behind these where
//! the class may have derived ones. The first object of a process is made by PyO3. If it has that layout, later objects
//! are made and dropped here. Free-threaded Python makes and drops all objects through PyO3.
//!
//! Objects of classes that derive from a handle class are made by PyO3. They have what CPython adds behind and before
//! the layout of the handle class: a dict, slots. CPython drops these, and then calls the function of the handle class.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicPtr, Ordering};

use pyo3::ffi;
use pyo3::impl_::pymethods::tp_new_impl;
use pyo3::prelude::*;
use pyo3::types::PyType;
use pyo3::{PyClass, PyClassInitializer};

use super::handle_class::HandleClass;
use super::state::HandleState;
use crate::interpreter::{ReentrancyGuard, known_to_pyo3};

/// The place of the state in an object.
const STATE: usize = size_of::<ffi::PyObject>();
/// The place of the list of weak references in an object.
const WEAK_REFERENCES: usize = STATE + size_of::<HandleClass>();
/// The size of an object, without the data of its class.
const SIZE: usize = WEAK_REFERENCES + size_of::<*mut ffi::PyObject>();

/// The data of a handle class that other classes may derive from: a word that nobody reads. A class with data of its
/// own is no other class's equal in layout. So CPython refuses a class that derives from two of them, and to make an
/// object, or a derived class, of the one an object or a derived class of the other.
#[derive(Debug)]
pub struct Distinct(#[expect(dead_code, reason = "only the size matters")] usize);

impl Distinct {
    /// The data of a new object.
    #[expect(clippy::new_without_default, reason = "each is a constant")]
    pub const fn new() -> Self {
        Distinct(0)
    }
}

/// Set once an object of PyO3's was seen that has its state at [`STATE`].
static IS_LAYOUT_KNOWN: AtomicBool = AtomicBool::new(false);

/// PyO3's function that drops an object of the base class; null until a class is installed.
static PYO3_DEALLOC: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// PyO3's function that shows an object of the base class to the garbage collector; null until a class is installed.
static PYO3_TRAVERSE: AtomicPtr<()> = AtomicPtr::new(ptr::null_mut());

/// Returns whether the objects of `class` have a head, [`HandleClass`], a list of weak references, `data` bytes of the
/// class, and nothing else.
///
/// # Safety
///
/// `class` is a handle class, or derived from one.
#[inline(always)]
unsafe fn has_layout(class: *mut ffi::PyTypeObject, data: usize) -> bool {
    // SAFETY: the caller's promise.
    unsafe {
        (*class).tp_basicsize == (SIZE + data).cast_signed()
            && (*class).tp_weaklistoffset == WEAK_REFERENCES.cast_signed()
    }
}

/// Lets the objects of `class` be dropped, and shown to the garbage collector, here.
pub(super) fn install(class: &Bound<'_, PyType>) {
    let base = class.py().get_type::<HandleClass>().as_type_ptr();
    let class = class.as_type_ptr();
    // SAFETY: CPython: PyO3 has made these classes, on the heap: that of a handle for the module that is being
    // initialized, and its base, which keeps its function.
    unsafe {
        let is_known = has_layout(class, 0) || has_layout(class, size_of::<Distinct>());
        if cfg!(Py_GIL_DISABLED) || !is_known {
            return;
        }
        if let Some(pyo3) = (*base).tp_dealloc {
            // PyO3's function of the base class does for all handle classes, because their data need no drop.
            PYO3_DEALLOC.store(pyo3 as *mut (), Ordering::Release);
            (*class).tp_dealloc = Some(dealloc);
        }
        if let Some(pyo3) = (*base).tp_traverse {
            PYO3_TRAVERSE.store(pyo3 as *mut (), Ordering::Release);
            (*class).tp_traverse = Some(traverse);
        }
    }
}

/// Makes an object of the class `C`. `may_be_in_cycle` says whether the garbage collector tracks it.
///
/// # Errors
///
/// `MemoryError`. The state is dropped then.
///
/// # Safety
///
/// `C` is the class of the handle that `state` is of.
#[inline(always)]
pub(super) unsafe fn new_object<C: PyClass<BaseType = HandleClass>>(
    py: Python<'_>,
    class: C,
    state: HandleState,
    may_be_in_cycle: bool,
) -> PyResult<Bound<'_, C>> {
    const {
        let is_known = size_of::<C>() == 0 || size_of::<C>() == size_of::<Distinct>();
        assert!(is_known && align_of::<C>() <= align_of::<Distinct>());
        assert!(
            !std::mem::needs_drop::<C>(),
            "the data of a class is not dropped"
        );
    };
    let type_object = C::type_object_raw(py);
    // SAFETY: the caller's promise: this is the class of a handle. CPython: the new object is written whole before
    // anybody sees it. It is of the class.
    unsafe {
        if !IS_LAYOUT_KNOWN.load(Ordering::Relaxed) || !has_layout(type_object, size_of::<C>()) {
            return new_object_by_pyo3(py, class, state, may_be_in_cycle);
        }
        let object = allocate::<C>(type_object);
        if object.is_null() {
            return Err(no_memory_for(py, Some(state)));
        }
        finish(object, class, state, may_be_in_cycle);
        Ok(Bound::from_owned_ptr(py, object).cast_into_unchecked())
    }
}

/// Makes an object of the class `C` as [`new_object`] does, with a state that is made once there is memory for it.
/// Returns `None` if [`new_object`] has to do it.
///
/// # Errors
///
/// `MemoryError`.
///
/// # Safety
///
/// `C` is the class of the handle that the state is of.
#[inline(always)]
pub(super) unsafe fn try_new_object<C: PyClass<BaseType = HandleClass>>(
    py: Python<'_>,
    class: C,
    state: impl FnOnce() -> HandleState,
    may_be_in_cycle: bool,
) -> PyResult<Option<Bound<'_, C>>> {
    let type_object = C::type_object_raw(py);
    // SAFETY: the caller's promise: this is the class of a handle. CPython: the new object is written whole before
    // anybody sees it. It is of the class.
    unsafe {
        if !IS_LAYOUT_KNOWN.load(Ordering::Relaxed) || !has_layout(type_object, size_of::<C>()) {
            return Ok(None);
        }
        let object = allocate::<C>(type_object);
        if object.is_null() {
            return Err(no_memory_for(py, None));
        }
        finish(object, class, state(), may_be_in_cycle);
        let object = Bound::from_owned_ptr(py, object).cast_into_unchecked();
        Ok(Some(object))
    }
}

/// Writes what a new object consists of.
///
/// # Safety
///
/// The object is new, nobody has seen it, and it has the layout of the class `C`.
#[inline(always)]
unsafe fn finish<C>(
    object: *mut ffi::PyObject,
    class: C,
    state: HandleState,
    may_be_in_cycle: bool,
) {
    // SAFETY: the caller's promise.
    unsafe {
        object
            .byte_add(STATE)
            .cast::<HandleClass>()
            .write(HandleClass::new(state));
        object
            .byte_add(WEAK_REFERENCES)
            .cast::<*mut ffi::PyObject>()
            .write(ptr::null_mut());
        object.byte_add(SIZE).cast::<C>().write(class);
        if may_be_in_cycle {
            ffi::PyObject_GC_Track(object.cast());
        }
    }
}

/// Makes an object of `derived`, which the garbage collector tracks.
///
/// # Errors
///
/// `MemoryError`, or `TypeError` for an abstract class. The state is dropped then.
///
/// # Safety
///
/// As for [`new_object`]. `derived` is derived from that class.
#[cold]
pub(super) unsafe fn new_object_of<'py, C: PyClass<BaseType = HandleClass>>(
    derived: &Bound<'py, PyType>,
    class: C,
    state: HandleState,
) -> PyResult<Bound<'py, C>> {
    // Here the collector may run.
    let _python = ReentrancyGuard::begin();
    let py = derived.py();
    let object = PyClassInitializer::from(HandleClass::new(state)).add_subclass(class);
    // SAFETY: the caller's promise. CPython: the new object is of the derived class.
    unsafe {
        let object = tp_new_impl::<_, C>(py, object, derived.as_type_ptr())?;
        Ok(Bound::from_owned_ptr(py, object).cast_into_unchecked())
    }
}

/// Returns the exception of a failed allocation, and drops the state.
#[cold]
fn no_memory_for(py: Python<'_>, state: Option<HandleState>) -> PyErr {
    // Dropping objects may run Python code, while the call borrows the handle.
    let _python = ReentrancyGuard::begin();
    known_to_pyo3(py, |py| {
        drop(state);
        PyErr::fetch(py)
    })
}

/// Allocates an object. The garbage collector does not run: up to Python 3.11 it runs in allocations, and would run
/// Python code, while a call borrows its handles. It counts the object, and runs in the next allocation by others.
///
/// # Safety
///
/// This thread is attached to the interpreter. `class` is the type of `C`, which [`has_layout`], with the GIL.
#[inline(always)]
unsafe fn allocate<C>(class: *mut ffi::PyTypeObject) -> *mut ffi::PyObject {
    // SAFETY: the caller's promise. CPython: the memory of an object of the same size, which the collector does not
    // track, becomes a new object.
    unsafe {
        if size_of::<C>() == 0
            && let Some(object) = Spare::take()
        {
            return ffi::PyObject_Init(object, class);
        }
        if cfg!(Py_3_12) {
            return ffi::PyObject_GC_New(class);
        }
        let was_enabled = ffi::PyGC_Disable();
        let object = ffi::PyObject_GC_New(class);
        if was_enabled != 0 {
            ffi::PyGC_Enable();
        }
        object
    }
}

#[cold]
fn new_object_by_pyo3<C: PyClass<BaseType = HandleClass>>(
    py: Python<'_>,
    class: C,
    state: HandleState,
    may_be_in_cycle: bool,
) -> PyResult<Bound<'_, C>> {
    // Here the collector may run.
    let _python = ReentrancyGuard::begin();
    let object = PyClassInitializer::from(HandleClass::new(state)).add_subclass(class);
    let object = Bound::new(py, object)?;
    if !may_be_in_cycle {
        // SAFETY: CPython: the object is new and whole. It keeps only objects that are in no cycle, so the garbage
        // collector need not look at it.
        unsafe { ffi::PyObject_GC_UnTrack(object.as_ptr().cast()) };
    }
    let state = ptr::from_ref(object.as_super().get()).addr();
    if !cfg!(Py_GIL_DISABLED) && state == object.as_ptr().addr() + STATE {
        IS_LAYOUT_KNOWN.store(true, Ordering::Relaxed);
    }
    Ok(object)
}

/// The memory of some dropped objects of classes without data, for new ones, as CPython has it for types of its own. A
/// loop over the parts of a handle drops each object before it makes the next one.
struct Spare {
    objects: [*mut ffi::PyObject; Spare::MOST],
    count: usize,
}

/// The memory, which only a thread with the GIL uses.
struct SpareCell(UnsafeCell<Spare>);

// SAFETY: CPython: only a thread with the GIL uses it, and runs no Python code meanwhile.
unsafe impl Sync for SpareCell {}

static SPARE: SpareCell = SpareCell(UnsafeCell::new(Spare {
    objects: [ptr::null_mut(); Spare::MOST],
    count: 0,
}));

impl Spare {
    const MOST: usize = 32;

    /// Takes the memory of an object, if there is any.
    ///
    /// # Safety
    ///
    /// This thread has the GIL.
    #[inline(always)]
    unsafe fn take() -> Option<*mut ffi::PyObject> {
        // SAFETY: the caller's promise.
        let spare = unsafe { &mut *SPARE.0.get() };
        let count = spare.count.checked_sub(1)?;
        let object = *spare.objects.get(count)?;
        spare.count = count;
        Some(object)
    }

    /// Keeps the memory of an object. Returns false if there is enough.
    ///
    /// # Safety
    ///
    /// This thread has the GIL. The object has the size [`SIZE`], and nothing in it is used any more.
    #[inline(always)]
    unsafe fn put(object: *mut ffi::PyObject) -> bool {
        // SAFETY: the caller's promise.
        let spare = unsafe { &mut *SPARE.0.get() };
        let Some(place) = spare.objects.get_mut(spare.count) else {
            return false;
        };
        *place = object;
        spare.count += 1;
        true
    }
}

/// Drops an object.
unsafe extern "C" fn dealloc(object: *mut ffi::PyObject) {
    // SAFETY: CPython: nobody refers to the object, which is of a handle class, or derived from one. `has_layout` held
    // for the handle class, and an object of a derived class begins in the same way.
    unsafe {
        let state = object.byte_add(STATE).cast::<HandleClass>();
        if !IS_LAYOUT_KNOWN.load(Ordering::Relaxed) {
            return dealloc_by_pyo3(object);
        }
        let Some(end) = (*state).state_mut().plain_end() else {
            return dealloc_by_pyo3(object);
        };
        ffi::PyObject_GC_UnTrack(object.cast());
        let owner = (*state).state_mut().end_plain(end);
        if !(*object
            .byte_add(WEAK_REFERENCES)
            .cast::<*mut ffi::PyObject>())
        .is_null()
        {
            ffi::PyObject_ClearWeakRefs(object);
        }
        let class = ffi::Py_TYPE(object);
        if !((*class).tp_basicsize == SIZE.cast_signed() && Spare::put(object))
            && let Some(free) = (*class).tp_free
        {
            free(object.cast());
        }
        ffi::Py_DECREF(class.cast());
        if let Some(owner) = owner {
            ffi::Py_DECREF(owner);
        }
    }
}

/// Drops an object through PyO3, on a thread that PyO3 knows: the state keeps Python objects besides the owner of a
/// view.
///
/// # Safety
///
/// As in [`dealloc`].
#[cold]
unsafe fn dealloc_by_pyo3(object: *mut ffi::PyObject) {
    let pyo3 = PYO3_DEALLOC.load(Ordering::Acquire);
    // SAFETY: the caller's promise; `install` has stored the function before it could be replaced.
    unsafe {
        let pyo3: ffi::destructor = std::mem::transmute(pyo3);
        pyo3(object);
    }
}

/// Shows an object to the garbage collector: what it refers to, and its class, as CPython asks of the function of the
/// first class that is on the heap. Trees have many views, and PyO3's function takes 150 instructions for each.
unsafe extern "C" fn traverse(
    object: *mut ffi::PyObject,
    visit: ffi::visitproc,
    argument: *mut c_void,
) -> c_int {
    // SAFETY: CPython: the object is of a handle class, or derived from one, and stays during the call. `has_layout`
    // held for the handle class, and `install` has stored PyO3's function before. That of the base class shows the
    // whole object.
    unsafe {
        let state = object.byte_add(STATE).cast::<HandleClass>();
        if IS_LAYOUT_KNOWN.load(Ordering::Relaxed)
            && let Some(view) = (*state).state().as_view()
        {
            return match visit(ffi::Py_TYPE(object).cast(), argument) {
                0 => visit(view.owner().as_ptr(), argument),
                stopped => stopped,
            };
        }
        let pyo3 = PYO3_TRAVERSE.load(Ordering::Acquire);
        let pyo3: ffi::traverseproc = std::mem::transmute(pyo3);
        pyo3(object, visit, argument)
    }
}
