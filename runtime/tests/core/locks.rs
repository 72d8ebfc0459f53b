//! The library's own lock of a handle: held from the call until its failure was put into words, left on every way out.

use std::cell::{Cell, RefCell};
use std::ffi::c_int;

use leakproof::locked;
use leakproof::prelude::*;

thread_local! {
    static LOG: RefCell<Vec<&'static str>> = const { RefCell::new(Vec::new()) };
    static DEPTH: Cell<i32> = const { Cell::new(0) };
}

fn note(what: &'static str) {
    LOG.with_borrow_mut(|log| log.push(what));
}

fn log() -> Vec<&'static str> {
    LOG.take()
}

#[allow(
    clippy::undocumented_unsafe_blocks,
    reason = "what C would do, called as its manual says"
)]
mod ffi {
    use std::ffi::c_int;

    use super::{DEPTH, note};

    pub(crate) struct Mutex;
    pub(crate) struct Safe {
        pub(crate) mutex: *mut Mutex,
    }

    pub(crate) unsafe extern "C" fn safe_new() -> *mut Safe {
        let mutex = Box::into_raw(Box::new(Mutex));
        Box::into_raw(Box::new(Safe { mutex }))
    }

    pub(crate) unsafe extern "C" fn safe_free(safe: *mut Safe) {
        let safe = unsafe { Box::from_raw(safe) };
        drop(unsafe { Box::from_raw(safe.mutex) });
    }

    pub(crate) unsafe extern "C" fn safe_mutex(safe: *mut Safe) -> *mut Mutex {
        unsafe { (*safe).mutex }
    }

    pub(crate) struct Door {
        pub(crate) safe: *mut Safe,
    }

    pub(crate) unsafe extern "C" fn door_new() -> *mut Door {
        let safe = unsafe { safe_new() };
        Box::into_raw(Box::new(Door { safe }))
    }

    pub(crate) unsafe extern "C" fn door_free(door: *mut Door) {
        let door = unsafe { Box::from_raw(door) };
        unsafe { safe_free(door.safe) };
    }

    pub(crate) unsafe extern "C" fn door_safe(door: *mut Door) -> *mut Safe {
        unsafe { (*door).safe }
    }

    pub(crate) unsafe extern "C" fn enter(mutex: *mut Mutex) {
        assert!(!mutex.is_null());
        note("enter");
        DEPTH.set(DEPTH.get() + 1);
    }

    pub(crate) unsafe extern "C" fn leave(_: *mut Mutex) {
        DEPTH.set(DEPTH.get() - 1);
        note("leave");
    }

    pub(crate) unsafe extern "C" fn safe_turn(_: *const Safe, status: c_int) -> c_int {
        assert!(DEPTH.get() > 0, "the lock is not held");
        note("turn");
        status
    }

    pub(crate) unsafe extern "C" fn safe_peek(_: *const Safe) -> c_int {
        note("peek");
        7
    }
}

#[handle(
    raw = ffi::Safe,
    release = ffi::safe_free,
    errors = SafeErrors,
    lock(of = ffi::safe_mutex, enter = ffi::enter, leave = ffi::leave),
    fork_safe
)]
pub(crate) struct Safe;

#[derive(Default)]
pub(crate) struct SafeErrors;

impl ErrorSource<Safe> for SafeErrors {
    fn into_error(self, call: &CallInfo<'_, Safe>) -> Error {
        assert!(DEPTH.get() > 0, "the lock is not held");
        note("asked");
        assert!(call.status != Some(2), "no words");
        Error::Failed(call.function)
    }
}

/// The lock is that of another struct, which the handle's struct points to.
#[handle(
    raw = ffi::Door,
    release = ffi::door_free,
    lock(of = ffi::safe_mutex(ffi::door_safe(self)), enter = ffi::enter, leave = ffi::leave),
    fork_safe
)]
pub(crate) struct Door;

/// A handle of the same struct, whose lock is found by the struct's fields.
#[handle(
    raw = ffi::Door,
    release = ffi::door_free,
    lock(of = (*self.safe).mutex, enter = ffi::enter, leave = ffi::leave),
    fork_safe
)]
pub(crate) struct Hatch;

#[methods(unsafe, rust_only)]
impl Door {
    #[calls(ffi::door_new, fails = null)]
    fn new() -> Result<Owned<Door>>;
}

#[methods(unsafe, rust_only)]
impl Hatch {
    #[calls(ffi::door_new, fails = null)]
    fn new() -> Result<Owned<Hatch>>;
}

#[methods(unsafe, rust_only)]
impl Safe {
    #[calls(ffi::safe_new, fails = null)]
    fn new() -> Result<Owned<Safe>>;

    #[calls(ffi::safe_turn, fails = nonzero)]
    fn turn(&self, status: c_int) -> Result<()>;

    #[calls(ffi::safe_turn, args = (self, 0), detach)]
    fn turn_detached(&self);

    #[calls(ffi::safe_peek)]
    fn peek(&self) -> c_int;
}

#[test]
fn the_lock_is_held_until_the_failure_has_its_words() {
    let _library = crate::wrapper::Library::start();
    let safe = Safe::new().unwrap();
    assert!(
        log().is_empty(),
        "there is no handle to lock before it is made"
    );
    safe.turn(0).unwrap();
    assert_eq!(log(), ["enter", "turn", "leave"]);
    safe.turn(1).unwrap_err();
    assert_eq!(log(), ["enter", "turn", "asked", "leave"]);
    safe.turn_detached();
    assert_eq!(log(), ["enter", "turn", "leave"]);
    safe.peek();
    assert_eq!(log(), ["peek"]);
}

#[test]
fn the_lock_is_left_by_a_panic() {
    let _library = crate::wrapper::Library::start();
    let safe = Safe::new().unwrap();
    crate::panic_of(|| safe.turn(2));
    assert_eq!(log(), ["enter", "turn", "asked", "leave"]);
    crate::panic_of(|| locked(&*safe, || panic!("in between")));
    assert_eq!(log(), ["enter", "leave"]);
    assert_eq!(DEPTH.get(), 0);
}

#[test]
fn several_calls_are_one_step() {
    let _library = crate::wrapper::Library::start();
    let safe = Safe::new().unwrap();
    let seen = locked(&*safe, || {
        safe.turn(0)?;
        Ok(safe.peek())
    });
    assert_eq!(seen.map_err(|error: Error| error.to_string()), Ok(7));
    assert_eq!(log(), ["enter", "enter", "turn", "leave", "peek", "leave"]);
}

#[test]
fn lock_is_found_through_functions_and_fields() {
    let _library = crate::wrapper::Library::start();
    let (door, hatch) = (Door::new().unwrap(), Hatch::new().unwrap());
    locked(&*door, || note("door"));
    locked(&*hatch, || note("hatch"));
    assert_eq!(log(), ["enter", "door", "leave", "enter", "hatch", "leave"]);
}
