//! Reads of fields in a process in which C never keeps a handle in another one. There a read looks at a word and two
//! numbers, which no other test does: a method that gives C a handle to keep changes all reads of a process.

use std::mem::forget;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use leakproof::prelude::*;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::ptr::with_exposed_provenance_mut;
    use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

    pub struct well {
        pub depth: c_int,
    }
    pub struct shovel {
        well: *mut well,
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

    #[calls(ffi::shovel_new, fails = null)]
    fn shovel(&mut self) -> Result<Owned<Shovel>>;

    #[field(depth)]
    fn depth(&self) -> i32;
}

/// Has its well alone.
#[handle(raw = ffi::shovel, release = ffi::shovel_free, parent = &mut Well)]
struct Shovel;

/// Reads the depth of the last well.
#[derive(Default, Attachment)]
struct Visitor(Mutex<Vec<i32>>);

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

/// One test, because the second half changes all reads of the process.
#[test]
fn field_is_not_read_while_something_uses_its_handle_exclusively() {
    let mut well = Well::new().unwrap();
    assert_eq!(Well::last().unwrap().depth(), 1);
    let visitor = Visitor::default();
    assert!(is_refused(|| well.dig(&visitor)));
    assert_eq!(*visitor.0.lock().unwrap(), [0; 0]);
    assert_eq!(Well::last().unwrap().depth(), 2);
    forget(well.shovel().unwrap());
    assert!(is_refused(|| well.depth()));
    assert!(is_refused(|| Well::last().unwrap().depth()));
    drop(well);
}
