//! Authors' code that panics while something is released or dropped: `Drop` of what a handle keeps, `ErrorSource`,
//! `fails` of a release. Every release runs once, and every value is dropped.

use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

use crate::native::{Native, live, log, note};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};

    use crate::native::{acquire, note, release, touch};

    pub type ring = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
    pub type destroy = Option<unsafe extern "C" fn(*mut c_void)>;

    pub struct door {
        pub status: c_int,
        pub item: *mut item,
        pub ring: ring,
        pub data: *mut c_void,
        pub notified: Vec<(ring, *mut c_void, destroy)>,
    }
    pub struct item {
        pub _n: c_int,
    }

    pub unsafe extern "C" fn door_new() -> *mut door {
        acquire(
            "Door",
            door {
                status: 0,
                item: std::ptr::null_mut(),
                ring: None,
                data: std::ptr::null_mut(),
                notified: Vec::new(),
            },
        )
    }

    /// Closes the door, unless its status is 1, 2 or 3.
    pub unsafe extern "C" fn door_close(door: *mut door) -> c_int {
        touch(door);
        let status = unsafe { (*door).status };
        if (1..=3).contains(&status) {
            note("refused");
            return status;
        }
        unsafe { door_clear(door) };
        if !unsafe { (*door).item }.is_null() {
            unsafe { item_free((*door).item) };
        }
        release(door);
        status
    }

    pub unsafe extern "C" fn door_set_status(door: *mut door, status: c_int) {
        touch(door);
        unsafe { (*door).status = status };
    }

    pub unsafe extern "C" fn item_new() -> *mut item {
        acquire("Item", item { _n: 7 })
    }

    pub unsafe extern "C" fn item_free(item: *mut item) {
        release(item);
    }

    pub unsafe extern "C" fn door_on(
        door: *mut door,
        ring: ring,
        data: *mut c_void,
        item: *mut item,
    ) -> c_int {
        touch(door);
        unsafe {
            if !(*door).item.is_null() {
                item_free((*door).item);
            }
            (*door).item = item;
            (*door).ring = ring;
            (*door).data = data;
        }
        0
    }

    pub unsafe extern "C" fn door_listen(
        door: *mut door,
        ring: ring,
        data: *mut c_void,
        destroy: destroy,
    ) {
        touch(door);
        unsafe { &mut (*door).notified }.push((ring, data, destroy));
    }

    pub unsafe extern "C" fn door_clear(door: *mut door) {
        touch(door);
        for (_, data, destroy) in std::mem::take(unsafe { &mut (*door).notified }) {
            if let Some(destroy) = destroy {
                unsafe { destroy(data) };
            }
        }
    }

    pub unsafe extern "C" fn door_ring(door: *mut door) -> c_int {
        touch(door);
        let door = unsafe { &*door };
        let notified = door.notified.clone();
        for (ring, data, _) in notified {
            if let Some(ring) = ring {
                unsafe { ring(1, data) };
            }
        }
        0
    }
}

const FAILED: [bool; 2] = [false, true];

/// The action of a value's `Drop`.
struct Bomb(&'static str);

impl Attachment for Bomb {}

impl Drop for Bomb {
    fn drop(&mut self) {
        note(format!("drop {}", self.0));
        assert!(!self.0.starts_with("bomb"), "{}", self.0);
    }
}

#[callbacks(unsafe)]
impl Bomb {
    #[callback(unsafe extern "C" fn(c_int, *mut c_void) -> c_int, args = (number, data))]
    fn ring(&self, number: c_int) -> c_int {
        note(format!("{} {number}", self.0));
        0
    }
}

/// Panics in the methods that the test names.
#[derive(Default)]
struct Touchy(bool);

thread_local! {
    static PANICS_IN: std::cell::Cell<&'static str> = const { std::cell::Cell::new("") };
}

fn perhaps(place: &str) {
    let panics = PANICS_IN.get().split(' ').any(|other| other == place);
    assert!(!panics, "in {place}");
}

impl<T: leakproof::Handle> ErrorSource<T> for Touchy {
    fn before_call(&mut self, _: &CallInfo<'_, T>) {
        self.0 = true;
        perhaps("arm");
    }

    fn failed_silently(&self, _: &CallInfo<'_, T>) -> bool {
        perhaps("overlooked");
        false
    }

    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        perhaps("failed");
        Error::Failed(call.function)
    }
}

impl Drop for Touchy {
    fn drop(&mut self) {
        if self.0 {
            perhaps("drop");
        }
    }
}

fn panics_in<R>(place: &'static str, call: impl FnOnce() -> R) -> String {
    PANICS_IN.set(place);
    let panic = panic_of(call);
    PANICS_IN.set("");
    panic
}

/// A door that C may keep.
#[handle(
    raw = ffi::door,
    release(ffi::door_close, fails = when(|status| FAILED[status as usize]), on_failure = kept),
    attachments,
    errors = Touchy,
    name = "Door"
)]
struct Door;

/// A door that is gone after a failed close, too.
#[handle(
    raw = ffi::door,
    release(ffi::door_close, fails = when(|status| FAILED[status as usize - 4]), on_failure = released),
    attachments,
    errors = Touchy,
    name = "Door"
)]
struct Gate;

#[handle(raw = ffi::item, release = ffi::item_free, errors = Touchy)]
struct Item;

#[methods(unsafe, rust_only)]
impl Item {
    #[calls(ffi::item_new, fails = null)]
    fn new() -> Result<Owned<Item>>;
}

#[methods(unsafe, rust_only)]
impl Door {
    #[calls(ffi::door_new, fails = null)]
    fn new() -> Result<Owned<Door>>;

    #[calls(ffi::door_set_status)]
    fn set_status(&self, status: c_int);

    #[calls(ffi::door_on, args = (self, ring.ring, ring.data, item), scope = until_replaced)]
    fn on(&mut self, ring: Option<Bomb>, item: Owned<Item>) -> c_int;

    #[calls(ffi::door_listen, args = (self, ring.ring, ring.data, ring.destroy), scope = notified)]
    fn listen(&self, ring: Bomb);

    #[calls(ffi::door_listen, args = (self, leaver.ring, leaver.data, leaver.destroy), scope = notified)]
    fn listen_until(&self, leaver: Leaver);

    #[calls(ffi::door_clear)]
    fn clear(&self);

    #[calls(ffi::door_ring)]
    fn ring(&self) -> c_int;

    #[calls(ffi::door_close, fails = nonzero, consumes = always)]
    fn finish(this: Owned<Self>) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Gate {
    #[calls(ffi::door_new, fails = null)]
    fn new() -> Result<Owned<Gate>>;

    #[calls(ffi::door_set_status)]
    fn set_status(&self, status: c_int);
}

thread_local! {
    static DOOR: std::cell::RefCell<Option<Owned<'static, Door>>> = const { std::cell::RefCell::new(None) };
}

/// Has C destroy the callback while it runs, and panics. Its `Drop` panics, too.
#[derive(Attachment)]
struct Leaver;

#[callbacks(unsafe)]
impl Leaver {
    #[callback(unsafe extern "C" fn(c_int, *mut c_void) -> c_int, args = (_, data))]
    fn ring(&self) -> c_int {
        DOOR.with_borrow(|door| door.as_ref().unwrap().clear());
        panic!("in the callback");
    }
}

impl Drop for Leaver {
    fn drop(&mut self) {
        note("drop");
        panic!("in the drop");
    }
}

fn door() -> Owned<'static, Door> {
    let door = Door::new().unwrap();
    log();
    door
}

// ---- `Drop` of what a handle keeps

#[test]
fn every_value_is_dropped_where_the_drop_of_one_panics() {
    let _native = Native::start();
    let door = door();
    attach(&*door, Bomb("a"));
    attach(&*door, Bomb("bomb"));
    attach(&*door, Bomb("b"));
    attach(&*door, Bomb("bomb too"));
    attach(&*door, Bomb("c"));
    assert_eq!(panic_of(|| drop(door)), "bomb");
    assert_eq!(
        log(),
        [
            "release Door",
            "drop a",
            "drop bomb",
            "drop b",
            "drop bomb too",
            "drop c"
        ]
    );
}

#[test]
fn handle_that_c_ended_is_not_released_where_the_drop_of_a_value_panics() {
    let _native = Native::start();
    let door = door();
    attach(&*door, Bomb("bomb"));
    attach(&*door, Bomb("a"));
    assert_eq!(panic_of(|| Door::finish(door)), "bomb");
    assert_eq!(log(), ["release Door", "drop bomb", "drop a"]);
}

#[test]
fn handle_that_c_took_is_not_released_where_the_drop_of_a_replaced_callback_panics() {
    let _native = Native::start();
    let mut door = door();
    door.on(Some(Bomb("bomb")), Item::new().unwrap());
    assert_eq!(panic_of(|| door.on(None, Item::new().unwrap())), "bomb");
    assert_eq!(log(), ["release Item", "drop bomb"]);
    drop(door);
    assert_eq!(log(), ["release Item", "release Door"]);
}

#[test]
fn panic_of_a_drop_does_not_abort_what_unwinds_already() {
    let _native = Native::start();
    let message = panic_of(|| {
        let door = door();
        attach(&*door, Bomb("bomb"));
        let mut other = self::door();
        other.on(Some(Bomb("bomb too")), Item::new().unwrap());
        panic!("first");
    });
    assert_eq!(message, "first");
    let log = log();
    assert!(log.contains(&"drop bomb".into()), "{log:?}");
    assert!(log.contains(&"drop bomb too".into()), "{log:?}");
    assert_eq!(live("Door"), 0);
}

#[test]
fn panic_of_a_drop_does_not_abort_a_callback_that_panics_and_that_c_destroyed() {
    let _native = Native::start();
    let door = door();
    door.listen_until(Leaver);
    DOOR.set(Some(door));
    let message = panic_of(|| DOOR.with_borrow(|door| door.as_ref().unwrap().ring()));
    assert_eq!(message, "in the callback");
    assert_eq!(log(), ["drop"]);
    drop(DOOR.take());
}

#[test]
fn panic_of_a_drop_does_not_cross_c() {
    let _native = Native::start();
    let door = door();
    door.listen(Bomb("bomb"));
    door.listen(Bomb("a"));
    // C goes on to its end, and the call continues the panic.
    panic_of(|| door.clear());
    assert_eq!(log(), ["drop bomb", "drop a"]);
    door.listen(Bomb("bomb"));
    drop(door);
    assert_eq!(log(), ["drop bomb", "release Door"]);
}

#[test]
fn panic_whose_value_panics_when_it_is_dropped_ends_all_the_same() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            note("drop payload");
            panic!("in the value of a panic");
        }
    }
    struct Throws;
    impl Attachment for Throws {}
    impl Drop for Throws {
        fn drop(&mut self) {
            std::panic::panic_any(Payload);
        }
    }
    let _native = Native::start();
    let door = door();
    attach(&*door, Bomb("bomb"));
    attach(&*door, Throws);
    attach(&*door, Bomb("a"));
    assert_eq!(panic_of(|| drop(door)), "bomb");
    assert_eq!(
        log(),
        ["release Door", "drop bomb", "drop payload", "drop a"]
    );
}

// ---- a release that is refused

#[test]
fn callbacks_stay_with_a_handle_whose_refusal_panics_in_errors() {
    let mut native = Native::start();
    let door = door();
    door.listen(Bomb("a"));
    attach(&*door, Bomb("b"));
    door.set_status(1);
    let raw = leakproof::Handle::as_raw(&*door);
    assert_eq!(panics_in("failed", || door.close()), "in failed");
    // C still has it, and calls it.
    // SAFETY: the door was refused.
    unsafe { ffi::door_ring(raw) };
    // SAFETY: as above.
    unsafe { ffi::door_clear(raw) };
    assert_eq!(log(), ["refused", "a 1", "drop a"]);
    // What C has and nobody else is released here, so that it can be told from what is lost.
    let door: Owned<'static, Door> =
        // SAFETY: it was not released, and its guard was forgotten.
        unsafe { Owned::from_raw_again(std::ptr::NonNull::new(raw).unwrap()) };
    door.set_status(0);
    drop(door);
    assert_eq!(log(), ["release Door", "drop b"]);
    let _ = &mut native;
}

#[test]
fn handle_is_neither_released_nor_used_again_where_fails_of_its_release_panics() {
    let mut native = Native::start();
    let door = door();
    door.set_status(2);
    assert!(panic_of(|| door.close()).contains("index out of bounds"));
    assert_eq!(log(), ["refused"]);
    let other = self::door();
    other.set_status(3);
    panic_of(|| drop(other));
    assert_eq!(log(), ["refused"]);
    for _ in 0..2 {
        native.loses("Door");
        native.counts("Door");
    }
}

#[test]
fn handle_that_is_gone_in_any_case_is_counted_so_where_fails_of_its_release_panics() {
    let _native = Native::start();
    let gate = Gate::new().unwrap();
    attach(&*gate, Bomb("a"));
    gate.set_status(9);
    panic_of(|| drop(gate));
    assert_eq!(log(), ["release Door", "drop a"]);
    let gate = Gate::new().unwrap();
    attach(&*gate, Bomb("bomb"));
    gate.set_status(5);
    assert_eq!(panics_in("failed", || gate.close()), "in failed");
    assert_eq!(log(), ["release Door", "drop bomb"]);
}

// ---- `ErrorSource`

#[test]
fn release_runs_where_arm_panics() {
    let _native = Native::start();
    let door = door();
    attach(&*door, Bomb("a"));
    assert_eq!(panics_in("arm", || door.close()), "in arm");
    assert_eq!(log(), ["release Door", "drop a"]);
    let door = self::door();
    assert_eq!(panics_in("drop", || drop(door)), "in drop");
    assert_eq!(log(), ["release Door"]);
}

#[test]
fn result_is_released_where_errors_panic() {
    let _native = Native::start();
    assert_eq!(panics_in("arm", Item::new), "in arm");
    assert!(log().is_empty());
    for place in ["overlooked", "drop"] {
        assert_eq!(panics_in(place, Item::new), format!("in {place}"));
        assert_eq!(log(), ["release Item"]);
    }
    drop(Item::new().unwrap());
}

#[test]
fn errors_that_panic_when_they_are_dropped_do_not_end_the_process() {
    let _native = Native::start();
    assert_eq!(panics_in("arm drop", Item::new), "in arm");
    assert!(log().is_empty());
    assert_eq!(panics_in("overlooked drop", Item::new), "in overlooked");
    assert_eq!(log(), ["release Item"]);
    let door = door();
    assert_eq!(panics_in("arm drop", || door.close()), "in arm");
    assert_eq!(log(), ["release Door"]);
}
