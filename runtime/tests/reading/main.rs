//! Calls and reads of fields in a process in which C never keeps a handle in another one, and passes none to callbacks.
//! There a call looks at a word, and a read at that and two numbers, which no other test does: a method that gives C a
//! handle to keep changes all calls and reads of a process.

use std::cell::RefCell;
use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use leakproof::prelude::*;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr::{null_mut, with_exposed_provenance_mut};
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    pub struct well {
        pub depth: c_int,
    }
    pub struct shovel {
        well: *mut well,
    }
    pub struct spade {
        well: *mut well,
    }
    pub struct bell {
        _hangs: c_int,
    }
    pub type visit = Option<unsafe extern "C" fn(*mut c_void)>;

    /// The well that was made last.
    static LAST: AtomicUsize = AtomicUsize::new(0);

    pub unsafe extern "C" fn well_last() -> *mut well {
        with_exposed_provenance_mut(LAST.load(Relaxed))
    }

    pub unsafe extern "C" fn well_new() -> *mut well {
        let well = Box::into_raw(Box::new(well { depth: 1 }));
        LAST.store(well.expose_provenance(), Relaxed);
        well
    }

    pub unsafe extern "C" fn well_free(well: *mut well) {
        drop(unsafe { Box::from_raw(well) });
    }

    /// Nothing else may read the well meanwhile.
    pub unsafe extern "C" fn well_dig(well: *mut well, visit: visit, data: *mut c_void) {
        unsafe { (*well).depth = -1 };
        if let Some(visit) = visit {
            unsafe { visit(data) };
        }
        unsafe { (*well).depth = 2 };
    }

    /// Reads the depth twice: nothing may change it in between.
    pub unsafe extern "C" fn well_watch(
        well: *const well,
        visit: visit,
        data: *mut c_void,
    ) -> c_int {
        let before = unsafe { (*well).depth };
        if let Some(visit) = visit {
            unsafe { visit(data) };
        }
        unsafe { (*well).depth - before }
    }

    thread_local! {
        /// The visit that the bell of the thread announces.
        static ANNOUNCED: Cell<(visit, *mut c_void)> = const { Cell::new((None, null_mut())) };
    }

    /// Digs, while the bell of the thread announces a visit.
    pub unsafe extern "C" fn well_dig_aloud(well: *mut well) {
        let (visit, data) = ANNOUNCED.get();
        unsafe { well_dig(well, visit, data) };
    }

    pub unsafe extern "C" fn bell_new() -> *mut bell {
        Box::into_raw(Box::new(bell { _hangs: 1 }))
    }

    pub unsafe extern "C" fn bell_free(bell: *mut bell) {
        ANNOUNCED.set((None, null_mut()));
        drop(unsafe { Box::from_raw(bell) });
    }

    pub unsafe extern "C" fn bell_announce(_: *mut bell, visit: visit, data: *mut c_void) {
        ANNOUNCED.set((visit, data));
    }

    pub unsafe extern "C" fn spade_new(well: *mut well) -> *mut spade {
        Box::into_raw(Box::new(spade { well }))
    }

    pub unsafe extern "C" fn spade_free(spade: *mut spade) {
        drop(unsafe { Box::from_raw(spade) });
    }

    pub unsafe extern "C" fn spade_dig(spade: *mut spade) {
        unsafe { (*(*spade).well).depth += 1 };
    }

    pub unsafe extern "C" fn shovel_new(well: *mut well) -> *mut shovel {
        Box::into_raw(Box::new(shovel { well }))
    }

    pub unsafe extern "C" fn shovel_free(shovel: *mut shovel) {
        let shovel = unsafe { Box::from_raw(shovel) };
        unsafe { (*shovel.well).depth += 1 };
    }
}

#[handle(raw = ffi::well, release = ffi::well_free)]
struct Well;

#[methods(unsafe, rust_only)]
impl Well {
    #[calls(ffi::well_new, fails = null)]
    fn new() -> Result<Owned<Well>>;

    /// The well that was made last, which the library lends to everybody.
    #[calls(ffi::well_last)]
    fn last() -> Option<Borrowed<Well>>;

    #[calls(ffi::well_dig, args = (self, visitor.visit, visitor.data))]
    fn dig(&mut self, visitor: &Visitor);

    #[calls(ffi::well_watch, args = (self, digger.dig, digger.data))]
    fn watch(&self, digger: &Digger) -> i32;

    #[calls(ffi::well_dig_aloud)]
    fn dig_aloud(&mut self);

    #[calls(ffi::spade_new, fails = null)]
    fn spade(&mut self) -> Result<Owned<Spade>>;

    #[calls(ffi::shovel_new, fails = null)]
    fn shovel(&mut self) -> Result<Owned<Shovel>>;

    #[field(depth)]
    fn depth(&self) -> i32;
}

/// Has its well alone.
#[handle(raw = ffi::shovel, release = ffi::shovel_free, parent = &mut Well)]
struct Shovel;

/// Changes its well.
#[handle(raw = ffi::spade, release = ffi::spade_free, parent = Well, mut_parent)]
struct Spade;

#[methods(unsafe, rust_only)]
impl Spade {
    #[calls(ffi::spade_dig)]
    fn dig(&mut self);
}

/// Has a visitor announced.
#[handle(raw = ffi::bell, release = ffi::bell_free, attachments)]
struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_new, fails = null)]
    fn new() -> Result<Owned<Bell>>;

    #[calls(ffi::bell_announce, args = (self, visitor.visit, visitor.data), scope = handle)]
    fn announce(&mut self, visitor: Visitor);
}

thread_local! {
    static SPADE: RefCell<Option<Owned<'static, Spade>>> = const { RefCell::new(None) };
}

/// Digs with the spade of the thread.
#[derive(Attachment)]
struct Digger;

#[callbacks(unsafe)]
impl Digger {
    #[callback(ffi::visit, args = (data))]
    fn dig(&self) {
        SPADE.with_borrow_mut(|spade| spade.as_mut().unwrap().dig());
    }
}

/// Reads the depth of the last well.
#[derive(Clone, Default, Attachment)]
struct Visitor(Arc<Mutex<Vec<i32>>>);

#[callbacks(unsafe)]
impl Visitor {
    #[callback(ffi::visit, args = (data))]
    fn visit(&self) {
        let depth = Well::last().unwrap().depth();
        self.0.lock().unwrap().push(depth);
    }
}

fn is_refused<R>(call: impl FnOnce() -> R) -> bool {
    catch_unwind(AssertUnwindSafe(call)).is_err()
}

/// The first callback of the process digs in the well that the call reads.
fn first_callback_changes_nothing_that_the_call_uses() {
    let well = Box::leak(Box::new(Well::new().unwrap()));
    let place = std::ptr::from_mut(well);
    SPADE.set(Some(well.spade().unwrap()));
    assert!(is_refused(|| Well::last().unwrap().watch(&Digger)));
    SPADE.with_borrow_mut(|spade| spade.as_mut().unwrap().dig());
    assert_eq!(Well::last().unwrap().depth(), 2);
    SPADE.set(None);
    // SAFETY: the pointer came from the box above, and nothing else has it any more.
    drop(unsafe { Box::from_raw(place) });
}

/// The callback was passed to C by an earlier call.
fn callback_does_not_use_what_the_running_call_has_alone() {
    let mut well = Well::new().unwrap();
    let visitor = Visitor::default();
    let mut bell = Bell::new().unwrap();
    bell.announce(visitor.clone());
    assert!(is_refused(|| well.dig_aloud()));
    assert_eq!(*visitor.0.lock().unwrap(), [0; 0]);
    drop(bell);
    well.dig_aloud();
    assert_eq!(Well::last().unwrap().depth(), 2);
}

/// One test: a process has one first callback, and the last part changes all reads of the process.
#[test]
fn nothing_is_used_beside_what_excludes_the_use() {
    first_callback_changes_nothing_that_the_call_uses();
    field_is_not_read_while_something_uses_its_handle_exclusively();
}

fn field_is_not_read_while_something_uses_its_handle_exclusively() {
    let mut well = Well::new().unwrap();
    assert_eq!(Well::last().unwrap().depth(), 1);
    let visitor = Visitor::default();
    assert!(is_refused(|| well.dig(&visitor)));
    assert_eq!(*visitor.0.lock().unwrap(), [0; 0]);
    assert_eq!(Well::last().unwrap().depth(), 2);
    callback_does_not_use_what_the_running_call_has_alone();
    let mut well = Well::new().unwrap();
    forget(well.shovel().unwrap());
    assert!(is_refused(|| well.depth()));
    assert!(is_refused(|| Well::last().unwrap().depth()));
    drop(well);
}
