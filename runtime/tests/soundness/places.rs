//! `errors(E, callback = place)`: a call may move the place, remove it, or put another function there.

use std::cell::RefCell;
use std::ffi::c_int;

use leakproof::ErrorSink;
use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr;

    use crate::native::{acquire, fault, release, touch};

    pub type report = Option<unsafe extern "C" fn(*mut c_void, *mut record)>;

    pub struct record {
        pub number: c_int,
    }

    pub struct drawer {
        pub report: report,
    }

    pub struct desk {
        pub drawer: *mut drawer,
    }

    unsafe extern "C" fn quiet(_: *mut c_void, _: *mut record) {}
    unsafe extern "C" fn own(_: *mut c_void, _: *mut record) {}
    /// Stands in what C has freed.
    unsafe extern "C" fn freed(_: *mut c_void, _: *mut record) {}

    fn is(report: report, function: unsafe extern "C" fn(*mut c_void, *mut record)) -> bool {
        report.map(|report| report as usize) == Some(function as usize)
    }

    thread_local! {
        /// The drawer that was freed last: the next one gets its memory.
        static FREED: Cell<*mut drawer> = const { Cell::new(ptr::null_mut()) };
    }

    unsafe fn drawer_new(report: report) -> *mut drawer {
        let memory = FREED.replace(ptr::null_mut());
        if memory.is_null() {
            return Box::into_raw(Box::new(drawer { report }));
        }
        unsafe {
            check_freed(memory);
            (*memory).report = report;
        }
        memory
    }

    unsafe fn check_freed(drawer: *mut drawer) {
        if !is(unsafe { (*drawer).report }, freed) {
            fault("freed memory was written");
        }
    }

    unsafe fn drawer_free(drawer: *mut drawer) {
        if drawer.is_null() {
            return;
        }
        unsafe { (*drawer).report = Some(freed) };
        let before = FREED.replace(drawer);
        if !before.is_null() {
            unsafe {
                check_freed(before);
                drop(Box::from_raw(before));
            }
        }
    }

    /// Frees the memory that waits for the next drawer.
    pub fn forget_freed() {
        let memory = FREED.replace(ptr::null_mut());
        if !memory.is_null() {
            unsafe {
                check_freed(memory);
                drop(Box::from_raw(memory));
            }
        }
    }

    pub unsafe extern "C" fn desk_new() -> *mut desk {
        let drawer = unsafe { drawer_new(Some(quiet)) };
        acquire("desk", desk { drawer })
    }

    pub unsafe extern "C" fn desk_free(desk: *mut desk) {
        unsafe { drawer_free((*desk).drawer) };
        release(desk);
    }

    pub unsafe extern "C" fn desk_check(desk: *mut desk, number: c_int) -> c_int {
        touch(desk);
        let drawer = unsafe { (*desk).drawer };
        if !drawer.is_null()
            && let Some(report) = unsafe { (*drawer).report }
        {
            unsafe { report(ptr::null_mut(), &mut record { number }) };
        }
        -c_int::from(number != 0)
    }

    /// Moves the drawer, and reports from there.
    pub unsafe extern "C" fn desk_grow(desk: *mut desk, number: c_int) -> c_int {
        touch(desk);
        unsafe {
            let old = (*desk).drawer;
            let new = Box::into_raw(Box::new(drawer {
                report: (*old).report,
            }));
            drawer_free(old);
            (*desk).drawer = new;
            desk_check(desk, number)
        }
    }

    /// Puts a function of the library's own there.
    pub unsafe extern "C" fn desk_rewire(desk: *mut desk) {
        touch(desk);
        unsafe { (*(*desk).drawer).report = Some(own) };
    }

    pub unsafe extern "C" fn desk_remove(desk: *mut desk) {
        touch(desk);
        unsafe {
            drawer_free((*desk).drawer);
            (*desk).drawer = ptr::null_mut();
        }
    }

    pub unsafe extern "C" fn desk_restore(desk: *mut desk) {
        touch(desk);
        unsafe { (*desk).drawer = drawer_new(Some(quiet)) };
    }

    /// 0 for no place, 1 for the first function, 2 for the other one, -1 for a stranger.
    pub unsafe fn reports_to(desk: *mut desk) -> c_int {
        let drawer = unsafe { (*desk).drawer };
        if drawer.is_null() {
            return 0;
        }
        match unsafe { (*drawer).report } {
            report if is(report, quiet) => 1,
            report if is(report, own) => 2,
            _ => -1,
        }
    }
}

#[handle(raw = ffi::record, callback_only)]
struct Record;

#[methods(unsafe, rust_only)]
impl Record {
    #[field(number)]
    fn number(&self) -> c_int;
}

thread_local! {
    /// Runs in the collector of the number 7.
    static INSIDE: RefCell<Option<Box<dyn FnOnce()>>> = const { RefCell::new(None) };
}

#[derive(Default)]
struct Reports(Vec<c_int>);

impl ErrorSink for Reports {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        let number = record.number();
        if number == 7 {
            INSIDE.take().into_iter().for_each(|run| run());
        }
        self.0.push(number);
    }
}

impl ErrorSource<Desk> for Reports {
    fn into_error(self, _: &CallInfo<'_, Desk>) -> Error {
        Error::Value(format!("{:?}", self.0))
    }
}

#[handle(raw = ffi::desk, release = ffi::desk_free, errors(Reports, callback = (*drawer).report))]
struct Desk;

#[methods(unsafe, rust_only)]
impl Desk {
    #[calls(ffi::desk_new, fails = null)]
    fn new() -> Result<Owned<Desk>>;

    #[calls(ffi::desk_check, fails = nonzero)]
    fn check(&self, number: c_int) -> Result<()>;

    #[calls(ffi::desk_grow, fails = nonzero)]
    fn grow(&mut self, number: c_int) -> Result<()>;

    #[calls(ffi::desk_rewire)]
    fn rewire(&mut self);

    #[calls(ffi::desk_remove)]
    fn remove(&mut self);

    #[calls(ffi::desk_restore)]
    fn restore(&mut self);
}

/// The function that C finds in the place between two calls.
fn reports_to(desk: &Desk) -> c_int {
    // SAFETY: a reference to a handle is a valid handle.
    unsafe { ffi::reports_to(leakproof::Handle::as_raw(desk)) }
}

#[test]
fn call_that_moves_the_place_writes_where_it_is_now() {
    let _native = Native::start();
    let mut desk = Desk::new().unwrap();
    desk.grow(0).unwrap();
    assert_eq!(reports_to(&desk), 1);
    let error = desk.grow(5).unwrap_err();
    assert_eq!(error.to_string(), "[5]");
    assert_eq!(reports_to(&desk), 1);
    drop(desk);
    ffi::forget_freed();
}

#[test]
fn function_that_the_call_puts_in_the_place_stays() {
    let _native = Native::start();
    let mut desk = Desk::new().unwrap();
    desk.rewire();
    assert_eq!(reports_to(&desk), 2);
    assert_eq!(desk.check(4).unwrap_err().to_string(), "[4]");
    assert_eq!(reports_to(&desk), 2);
    drop(desk);
    ffi::forget_freed();
}

#[test]
fn place_behind_null_is_none() {
    let _native = Native::start();
    let mut desk = Desk::new().unwrap();
    desk.remove();
    assert_eq!(reports_to(&desk), 0);
    assert_eq!(desk.check(4).unwrap_err().to_string(), "[]");
    desk.restore();
    assert_eq!(reports_to(&desk), 1);
    assert_eq!(desk.check(4).unwrap_err().to_string(), "[4]");
    drop(desk);
    ffi::forget_freed();
}

#[test]
fn place_where_a_moved_one_was_gets_the_callback() {
    let _native = Native::start();
    let mut desk = Desk::new().unwrap();
    let inner = || {
        // In the memory that the outer call's place has left.
        let other = Desk::new().unwrap();
        assert_eq!(other.check(3).unwrap_err().to_string(), "[3]");
        assert_eq!(reports_to(&other), 1);
    };
    INSIDE.set(Some(Box::new(inner)));
    assert_eq!(desk.grow(7).unwrap_err().to_string(), "[7]");
    assert_eq!(reports_to(&desk), 1);
    drop(desk);
    ffi::forget_freed();
}
