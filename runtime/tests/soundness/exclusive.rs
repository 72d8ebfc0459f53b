//! A handle that a running call has by `&mut`, which C passes to a callback of that call.

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

use crate::native::{Native, log, note};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};

    use crate::native::{acquire, release, touch};

    pub type visit = Option<unsafe extern "C" fn(*mut heap, *mut *mut heap, *mut c_void) -> c_int>;

    pub struct heap {
        pub value: *mut c_int,
        pub size: c_int,
        pub itself: *mut heap,
    }

    pub unsafe extern "C" fn heap_new() -> *mut heap {
        let value = acquire("Value", 1);
        let itself = std::ptr::null_mut();
        let heap = acquire(
            "Heap",
            heap {
                value,
                size: 3,
                itself,
            },
        );
        unsafe { (*heap).itself = heap };
        heap
    }

    pub unsafe extern "C" fn heap_free(heap: *mut heap) {
        release(unsafe { (*heap).value });
        release(heap);
    }

    /// Nothing else may be called on the heap meanwhile.
    pub unsafe extern "C" fn heap_rebuild(
        heap: *mut heap,
        visit: visit,
        data: *mut c_void,
    ) -> c_int {
        touch(heap);
        release(unsafe { (*heap).value });
        let mut array = heap;
        let status = visit.map_or(0, |visit| unsafe { visit(heap, &raw mut array, data) });
        unsafe { (*heap).value = acquire("Value", 2) };
        status
    }

    /// [`heap_rebuild`], which calls back on a thread of its own.
    pub unsafe extern "C" fn heap_rebuild_beside(
        heap: *mut heap,
        visit: visit,
        data: *mut c_void,
    ) -> c_int {
        let (heap, data) = (heap.expose_provenance(), data.expose_provenance());
        let beside = std::thread::spawn(move || {
            let heap = std::ptr::with_exposed_provenance_mut::<heap>(heap);
            let data = std::ptr::with_exposed_provenance_mut(data);
            let mut array = heap;
            visit.map_or(0, |visit| unsafe { visit(heap, &raw mut array, data) })
        });
        beside.join().unwrap_or(-1)
    }

    /// Frees the heap, after it called back when its value was gone.
    pub unsafe extern "C" fn heap_end(heap: *mut heap, visit: visit, data: *mut c_void) -> c_int {
        touch(heap);
        release(unsafe { (*heap).value });
        let mut array = heap;
        let status = visit.map_or(0, |visit| unsafe { visit(heap, &raw mut array, data) });
        release(heap);
        status
    }

    pub struct cell {
        heap: *mut heap,
    }

    pub unsafe extern "C" fn heap_cell(heap: *mut heap) -> *mut cell {
        acquire("Cell", cell { heap })
    }

    pub unsafe extern "C" fn cell_free(cell: *mut cell) {
        release(cell);
    }

    /// Rebuilds the heap of the cell.
    pub unsafe extern "C" fn cell_rebuild(
        cell: *mut cell,
        visit: visit,
        data: *mut c_void,
    ) -> c_int {
        unsafe { heap_rebuild((*cell).heap, visit, data) }
    }

    /// The root of the heap: it stands at the same place.
    pub unsafe extern "C" fn heap_root(heap: *mut heap) -> *mut heap {
        heap
    }

    /// Any function may be called on the heap meanwhile.
    pub unsafe extern "C" fn heap_visit(heap: *mut heap, visit: visit, data: *mut c_void) -> c_int {
        let mut array = heap;
        visit.map_or(0, |visit| unsafe { visit(heap, &raw mut array, data) })
    }

    pub unsafe extern "C" fn heap_visit_two(
        _: *mut heap,
        other: *mut heap,
        visit: visit,
        data: *mut c_void,
    ) -> c_int {
        unsafe { heap_rebuild(other, visit, data) }
    }

    pub unsafe extern "C" fn heap_peek(heap: *mut heap) -> c_int {
        touch(heap);
        touch(unsafe { (*heap).value });
        unsafe { *(*heap).value }
    }
}

#[handle(raw = ffi::heap, release = ffi::heap_free)]
struct Heap;

/// A handle whose exclusive calls change its parent.
#[handle(raw = ffi::cell, release = ffi::cell_free, parent = Heap, mut_parent)]
struct Cell;

#[methods(unsafe, rust_only)]
impl Cell {
    #[calls(ffi::cell_rebuild, args = (self, visitor.peek, visitor.data), fails = negative)]
    fn rebuild(&mut self, visitor: &Visitor) -> Result<()>;
}

/// A type of the same object in C.
#[handle(raw = ffi::heap, part_of = Heap, owner_field = itself)]
struct Root;

#[methods(unsafe, rust_only)]
impl Root {
    #[calls(ffi::heap_peek)]
    fn peek(&self) -> c_int;

    #[calls(ffi::heap_root)]
    fn heap(&self) -> Option<Borrowed<Heap>>;
}

/// The calls that C allows while it rebuilds.
#[handle(raw = ffi::heap, callback_only)]
struct Rebuilding;

#[derive(Attachment)]
struct Visitor(());

type Visit = unsafe extern "C" fn(*mut ffi::heap, *mut *mut ffi::heap, *mut c_void) -> c_int;

#[callbacks(unsafe)]
impl Visitor {
    #[callback(Visit, args = (heap, _, data), on_error = -1)]
    fn peek(&self, heap: &Heap) {
        note(format!("peek {}", heap.peek()));
    }

    #[callback(Visit, args = (heap, _, data), on_error = -1)]
    fn peek_perhaps(&self, heap: Option<Borrowed<'_, Heap>>) {
        note(format!("peek {:?}", heap.map(|heap| heap.peek())));
    }

    #[callback(Visit, args = (heap, _, data), on_error = -1)]
    fn look(&self, heap: &Rebuilding) {
        let _ = heap;
        note("looked");
    }

    #[callback(Visit, args = (rebuilding, _, data), on_error = -1)]
    fn look_alone(&self, rebuilding: &mut Rebuilding) -> Result<c_int> {
        note(format!("alone {}", rebuilding.size()));
        // C passes the same one to the callback of this call.
        rebuilding.visit(self)?;
        Ok(0)
    }

    #[callback(Visit, args = (root, _, data), on_error = -1)]
    fn peek_root(&self, root: &Root) {
        note(format!("peek {}", root.peek()));
    }

    #[callback(Visit, args = (rebuilding, _, data), on_error = -1)]
    fn peek_through(&self, rebuilding: &Rebuilding) {
        let heap = rebuilding.heap().map(|heap| heap.peek());
        note(format!("peek {heap:?}"));
    }

    #[callback(Visit, args = (rebuilding, _, data), on_error = -1)]
    fn try_through(&self, rebuilding: &Rebuilding) -> Result<c_int> {
        let peeked = rebuilding.heap().map(|heap| heap.try_peek());
        peeked.transpose()?;
        note("peek");
        Ok(0)
    }
}

#[methods(unsafe, rust_only)]
impl Rebuilding {
    #[field(size)]
    fn size(&self) -> c_int;

    #[calls(ffi::heap_visit, args = (self, visitor.look_alone, visitor.data), fails = negative)]
    fn visit(&self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_root)]
    fn heap(&self) -> Option<Borrowed<Heap>>;
}

#[methods(unsafe, rust_only)]
impl Heap {
    #[calls(ffi::heap_new, fails = null)]
    fn new() -> Result<Owned<Heap>>;

    #[calls(ffi::heap_peek)]
    fn peek(&self) -> c_int;

    #[calls(ffi::heap_rebuild, args = (self, visitor.peek, visitor.data), fails = negative)]
    fn rebuild(&mut self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_rebuild, args = (self, visitor.peek_perhaps, visitor.data), fails = negative)]
    fn rebuild_perhaps(&mut self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_rebuild, args = (self, visitor.look, visitor.data), fails = negative)]
    fn rebuild_and_look(&mut self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_cell, fails = null)]
    fn cell(&mut self) -> Result<Owned<Cell>>;

    #[calls(ffi::heap_peek, fails = negative)]
    fn try_peek(&self) -> Result<c_int>;

    #[calls(ffi::heap_rebuild, args = (self, visitor.look_alone, visitor.data), fails = negative)]
    fn rebuild_and_look_alone(&mut self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_rebuild, args = (self, visitor.peek_root, visitor.data), fails = negative)]
    fn rebuild_by_root(&mut self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_rebuild, args = (self, visitor.peek_through, visitor.data), fails = negative)]
    fn rebuild_through(&mut self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_rebuild, args = (self, visitor.try_through, visitor.data), fails = negative)]
    fn rebuild_trying(&mut self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_rebuild, args = (heap, visitor.peek, visitor.data), fails = negative)]
    fn rebuild_optional(heap: Option<&mut Heap>, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_end, args = (this, visitor.peek, visitor.data), fails = negative, consumes = always)]
    fn end(this: Owned<Heap>, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_rebuild_beside, args = (self, visitor.peek, visitor.data), fails = negative)]
    fn rebuild_beside(&mut self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_visit, args = (self, visitor.peek, visitor.data), fails = negative)]
    fn visit(&self, visitor: &Visitor) -> Result<()>;

    #[calls(ffi::heap_visit_two, args = (self, other, visitor.peek, visitor.data), fails = negative)]
    fn rebuild_other(&self, other: &mut Heap, visitor: &Visitor) -> Result<()>;
}

#[test]
fn handle_of_an_exclusive_call_is_refused_in_its_callback() {
    let _native = Native::start();
    let (mut heap, mut other) = (Heap::new().unwrap(), Heap::new().unwrap());
    let visitor = Visitor(());
    let busy = |result: Result<()>| assert!(matches!(result, Err(Error::Busy("Heap"))));
    busy(heap.rebuild(&visitor));
    busy(heap.rebuild_perhaps(&visitor));
    busy(heap.rebuild_other(&mut other, &visitor));
    assert!(!log().iter().any(|event| event.starts_with("peek")));
    heap.rebuild_and_look(&visitor).unwrap();
    assert!(log().contains(&"looked".into()));
}

#[test]
fn handle_of_a_shared_call_is_used_in_its_callback() {
    let _native = Native::start();
    let mut heap = Heap::new().unwrap();
    let visitor = Visitor(());
    heap.visit(&visitor).unwrap();
    assert_eq!(log(), ["peek 1"]);
    heap.rebuild(&visitor).unwrap_err();
    log();
    // After the exclusive call nothing is left of it.
    heap.visit(&visitor).unwrap();
    assert_eq!(log(), ["peek 2"]);
}

#[test]
fn object_of_an_exclusive_call_is_refused_in_its_callback_whatever_type_it_has() {
    let _native = Native::start();
    let mut heap = Heap::new().unwrap();
    let visitor = Visitor(());
    assert!(matches!(
        heap.rebuild_by_root(&visitor),
        Err(Error::Busy("Heap"))
    ));
    assert!(matches!(
        heap.rebuild_trying(&visitor),
        Err(Error::Busy("Heap"))
    ));
    let message = crate::panic_of(|| heap.rebuild_through(&visitor));
    assert_eq!(message, Error::Busy("Heap").to_string());
    assert!(!log().iter().any(|event| event.starts_with("peek")));
    assert_eq!(heap.peek(), 2);
}

#[test]
fn handle_of_an_exclusive_call_is_refused_in_a_callback_on_another_thread() {
    let _native = Native::start();
    let mut heap = Heap::new().unwrap();
    let visitor = Visitor(());
    assert!(heap.rebuild_beside(&visitor).is_err());
    assert!(!log().iter().any(|event| event.starts_with("peek")));
}

#[test]
fn handle_of_an_exclusive_call_is_refused_however_it_was_passed() {
    let _native = Native::start();
    let mut heap = Heap::new().unwrap();
    let visitor = Visitor(());
    let busy = |result: Result<()>| assert!(matches!(result, Err(Error::Busy("Heap"))));
    busy(Heap::rebuild_optional(Some(&mut heap), &visitor));
    busy(Heap::end(heap, &visitor));
    assert!(!log().iter().any(|event| event.starts_with("peek")));
}

#[test]
fn parent_of_a_handle_that_changes_it_is_refused_in_a_callback_of_that() {
    let _native = Native::start();
    let mut heap = Heap::new().unwrap();
    let mut cell = heap.cell().unwrap();
    let rebuilt = cell.rebuild(&Visitor(()));
    assert!(matches!(rebuilt, Err(Error::Busy("Heap"))));
    drop(cell);
    assert_eq!(heap.peek(), 2);
}

#[test]
fn handle_that_a_callback_has_alone_is_refused_in_a_callback_of_its_own() {
    let _native = Native::start();
    let mut heap = Heap::new().unwrap();
    let looked = heap.rebuild_and_look_alone(&Visitor(()));
    assert!(
        matches!(looked, Err(Error::Busy("Rebuilding"))),
        "{looked:?}"
    );
    let alone = log()
        .iter()
        .filter(|event| event.starts_with("alone"))
        .count();
    assert_eq!(alone, 1);
}
