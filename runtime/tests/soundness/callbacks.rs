//! Callbacks that C keeps: their state lives exactly as long as C may call it.

use std::cell::Cell;
use std::ffi::{c_int, c_void};

use leakproof::prelude::*;

use crate::native::{Native, live, log, note};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::RefCell;
    use std::ffi::{c_int, c_void};

    use crate::native::{acquire, release, touch};

    pub type ring = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
    pub type destroy = Option<unsafe extern "C" fn(*mut c_void)>;

    pub struct bell {
        pub slots: [(ring, *mut c_void); 2],
        pub notified: Vec<(ring, *mut c_void, destroy)>,
    }

    thread_local! {
        /// The callback that the library calls later, from any bell.
        static QUEUE: RefCell<Vec<(ring, *mut c_void, destroy)>> = const { RefCell::new(Vec::new()) };
    }

    pub unsafe extern "C" fn bell_new() -> *mut bell {
        acquire(
            "Bell",
            bell {
                slots: [(None, std::ptr::null_mut()); 2],
                notified: Vec::new(),
            },
        )
    }

    pub unsafe extern "C" fn bell_free(bell: *mut bell) {
        for (ring, data, destroy) in std::mem::take(unsafe { &mut (*bell).notified }) {
            if let (Some(ring), Some(destroy)) = (ring, destroy) {
                unsafe { ring(0, data) };
                unsafe { destroy(data) };
            }
        }
        release(bell);
    }

    pub unsafe extern "C" fn bell_end(bell: *mut bell) -> c_int {
        unsafe { bell_free(bell) };
        0
    }

    pub unsafe extern "C" fn bell_on(
        bell: *mut bell,
        first: ring,
        first_data: *mut c_void,
        second: ring,
        second_data: *mut c_void,
    ) {
        touch(bell);
        unsafe { (*bell).slots = [(first, first_data), (second, second_data)] };
    }

    pub unsafe extern "C" fn bell_add(
        bell: *mut bell,
        ring: ring,
        data: *mut c_void,
        destroy: destroy,
    ) {
        touch(bell);
        unsafe { &mut (*bell).notified }.push((ring, data, destroy));
    }

    /// Calls back, and refuses.
    pub unsafe extern "C" fn bell_try(bell: *mut bell, ring: ring, data: *mut c_void) -> c_int {
        touch(bell);
        if let Some(ring) = ring {
            unsafe { ring(3, data) };
        }
        -1
    }

    pub unsafe extern "C" fn bell_clear(bell: *mut bell) {
        touch(bell);
        for (_, data, destroy) in std::mem::take(unsafe { &mut (*bell).notified }) {
            if let Some(destroy) = destroy {
                unsafe { destroy(data) };
            }
        }
    }

    pub unsafe extern "C" fn bell_ring(bell: *mut bell) -> c_int {
        touch(bell);
        let this = unsafe { &*bell };
        let (slots, notified) = (this.slots, this.notified.clone());
        let notified = notified.into_iter().map(|(ring, data, _)| (ring, data));
        let all = slots.into_iter().chain(notified);
        all.filter_map(|(ring, data)| ring.map(|ring| unsafe { ring(1, data) }))
            .sum()
    }

    pub unsafe extern "C" fn bell_later(
        bell: *mut bell,
        ring: ring,
        data: *mut c_void,
        destroy: destroy,
    ) {
        touch(bell);
        QUEUE.with_borrow_mut(|queue| queue.push((ring, data, destroy)));
    }

    pub unsafe extern "C" fn poll() {
        for (ring, data, destroy) in QUEUE.take() {
            if let (Some(ring), Some(destroy)) = (ring, destroy) {
                unsafe { ring(2, data) };
                unsafe { destroy(data) };
            }
        }
    }

    pub struct wheel {
        _private: u8,
    }

    pub unsafe extern "C" fn wheel_new() -> *mut wheel {
        acquire("Wheel", wheel { _private: 0 })
    }

    pub unsafe extern "C" fn wheel_free(wheel: *mut wheel) {
        release(wheel);
    }

    pub unsafe extern "C" fn wheel_turn(wheel: *mut wheel, bell: *mut bell) -> c_int {
        touch(wheel);
        if bell.is_null() {
            return 0;
        }
        unsafe { bell_ring(bell) }
    }
}

#[handle(raw = ffi::bell, release = ffi::bell_free, attachments)]
struct Bell;

/// Keeps no callbacks.
#[handle(raw = ffi::wheel, release = ffi::wheel_free)]
struct Wheel;

#[derive(Attachment)]
struct Ring(String);

impl Drop for Ring {
    fn drop(&mut self) {
        note(format!("drop {}", self.0));
    }
}

thread_local! {
    static BELL: Cell<Option<&'static Bell>> = const { Cell::new(None) };
    /// Set if the callback found itself among the values of `BELL`.
    static FOUND: Cell<Option<bool>> = const { Cell::new(None) };
}

#[callbacks(unsafe)]
impl Ring {
    #[callback(unsafe extern "C" fn(c_int, *mut c_void) -> c_int, args = (number, data), on_error = -1)]
    fn ring(&self, number: c_int) -> Result<c_int> {
        note(format!("{} {number}", self.0));
        match self.0.as_str() {
            "looks" => FOUND.set(BELL.get().map(|bell| attached::<Ring, _>(bell).is_some())),
            "fails" => return Err(Error::Value("no more".into())),
            "panics" => panic!("in the callback"),
            _ => {}
        }
        Ok(0)
    }
}

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_new, fails = null)]
    fn new() -> Result<Owned<Bell>>;

    #[calls(
        ffi::bell_on,
        args = (self, first.ring, first.data, second.ring, second.data),
        scope = until_replaced
    )]
    fn on(&mut self, first: Option<Ring>, second: Option<Ring>);

    #[calls(ffi::bell_add, args = (self, ring.ring, ring.data, ring.destroy), scope = notified)]
    fn add(&self, ring: Ring);

    #[calls(ffi::bell_later, args = (self, ring.ring, ring.data, ring.destroy), scope = notified)]
    fn later(&self, ring: Ring);

    #[calls(
        ffi::bell_try,
        args = (self, ring.ring, ring.data),
        scope = handle,
        fails = negative,
        consumes = on_success
    )]
    fn offer(&self, ring: Ring) -> Result<()>;

    #[calls(ffi::bell_clear)]
    fn clear(&self);

    #[calls(ffi::bell_ring, fails = negative)]
    fn ring(&self) -> Result<c_int>;

    #[calls(ffi::poll, args = ())]
    fn poll();

    #[calls(ffi::bell_end, fails = nonzero, consumes = on_success)]
    fn end(this: Owned<Self>) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Wheel {
    #[calls(ffi::wheel_new, fails = null)]
    fn new() -> Result<Owned<Wheel>>;

    #[calls(ffi::wheel_turn, fails = negative)]
    fn turn(&self, bell: &Bell) -> Result<c_int>;

    #[calls(ffi::wheel_turn, fails = negative)]
    fn turn_perhaps(&self, bell: Option<&Bell>) -> Result<c_int>;

    #[calls(ffi::wheel_turn, args = (self, bell), fails = negative)]
    fn turn_exclusively(&self, bell: &mut Bell) -> Result<c_int>;
}

fn ring(name: &str) -> Ring {
    Ring(name.into())
}

#[test]
fn two_callbacks_of_one_method_are_replaced_each_by_its_own_parameter() {
    let _native = Native::start();
    let mut bell = Bell::new().unwrap();
    bell.on(Some(ring("a")), Some(ring("b")));
    assert!(log().is_empty(), "both stay");
    bell.ring().unwrap();
    assert_eq!(log(), ["a 1", "b 1"]);
    bell.on(Some(ring("c")), None);
    assert_eq!(log(), ["drop a", "drop b"]);
    bell.ring().unwrap();
    assert_eq!(log(), ["c 1"]);
    bell.on(None, Some(ring("d")));
    assert_eq!(log(), ["drop c"]);
    bell.ring().unwrap();
    drop(bell);
    assert_eq!(log(), ["d 1", "release Bell", "drop d"]);
}

#[test]
fn callback_destroyed_after_the_release_lives_until_then() {
    let _native = Native::start();
    let bell = Bell::new().unwrap();
    bell.later(ring("a"));
    drop(bell);
    assert_eq!(log(), ["release Bell"]);
    Bell::poll();
    assert_eq!(log(), ["a 2", "drop a"]);
}

#[test]
fn callback_destroyed_before_the_release_is_dropped_once() {
    let _native = Native::start();
    let bell = Bell::new().unwrap();
    bell.add(ring("a"));
    bell.ring().unwrap();
    bell.clear();
    assert_eq!(log(), ["a 1", "drop a"]);
    bell.add(ring("b"));
    attach(&*bell, String::from("value"));
    drop(bell);
    assert_eq!(log(), ["b 0", "drop b", "release Bell"]);
}

#[test]
fn callback_destroyed_by_what_ends_its_handle_is_dropped_once() {
    let _native = Native::start();
    let bell = Bell::new().unwrap();
    bell.add(ring("a"));
    Bell::end(bell).unwrap();
    assert_eq!(log(), ["a 0", "drop a", "release Bell"]);
}

#[test]
fn error_of_a_callback_kept_by_an_argument_is_returned() {
    let _native = Native::start();
    let (mut bell, wheel) = (Bell::new().unwrap(), Wheel::new().unwrap());
    bell.add(ring("fails"));
    let message = |result: Result<c_int>| result.unwrap_err().to_string();
    assert_eq!(message(wheel.turn(&bell)), "no more");
    assert_eq!(message(wheel.turn_perhaps(Some(&bell))), "no more");
    assert_eq!(message(wheel.turn_exclusively(&mut bell)), "no more");
    wheel.turn_perhaps(None).unwrap();
    bell.clear();
    bell.add(ring("panics"));
    assert_eq!(crate::panic_of(|| wheel.turn(&bell)), "in the callback");
}

#[test]
fn callback_that_c_may_refuse_is_not_lent_as_a_value() {
    let mut native = Native::start();
    native.loses("Bell");
    native.counts("Bell");
    // Borrowed for ever, so a value that is found in it may be kept for ever.
    let bell: &'static Owned<'static, Bell> = Box::leak(Box::new(Bell::new().unwrap()));
    crate::native::leaks(bell);
    BELL.set(Some(bell));
    assert!(bell.offer(ring("looks")).is_err());
    assert_eq!(log(), ["looks 3", "drop looks"]);
    assert_eq!(FOUND.get(), Some(false));
    attach(&**bell, ring("value"));
    assert_eq!(attached::<Ring, _>(&**bell).unwrap().0, "value");
}

#[test]
fn value_for_a_handle_that_c_owns_is_refused_and_dropped() {
    let _native = Native::start();
    let bell = Bell::new().unwrap();
    // C's own bell, which the runtime never saw made.
    let raw = crate::native::acquire("Own", 0u8);
    // SAFETY: nothing is called on it.
    let own: Borrowed<'_, Bell> = unsafe { Borrowed::from_raw(raw.cast()) }.unwrap();
    let message = crate::panic_of(|| attach(&*own, ring("a")));
    assert!(message.contains("belongs to C"), "{message}");
    assert_eq!(log(), ["drop a"]);
    crate::native::release(raw);
    assert_eq!(live("Bell"), 1);
    drop(bell);
}
