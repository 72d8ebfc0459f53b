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
    }

    pub unsafe extern "C" fn heap_new() -> *mut heap {
        let value = acquire("Value", 1);
        acquire("Heap", heap { value })
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

/// What C allows while it rebuilds.
#[handle(raw = ffi::heap, lent)]
struct Rebuilding;

#[derive(Attachment)]
struct Visitor(());

type Visit = unsafe extern "C" fn(*mut ffi::heap, *mut *mut ffi::heap, *mut c_void) -> c_int;

#[callbacks(unsafe)]
impl Visitor {
    #[called(Visit, args = (heap, _, data), stop = -1)]
    fn peek(&self, heap: &Heap) {
        note(format!("peek {}", heap.peek()));
    }

    #[called(Visit, args = (heap, _, data), stop = -1)]
    fn peek_perhaps(&self, heap: Option<Borrowed<'_, Heap>>) {
        note(format!("peek {:?}", heap.map(|heap| heap.peek())));
    }

    #[called(Visit, args = (heap, _, data), stop = -1)]
    fn look(&self, heap: &Rebuilding) {
        let _ = heap;
        note("looked");
    }
}

#[methods(unsafe, private)]
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
