//! Counted objects of which C keeps an owner in a handle with one owner: calls on that handle use the object.

use std::cell::RefCell;

use leakproof::prelude::*;

use crate::native::{self, Native};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};

    use crate::native::{acquire, release};

    pub type step = Option<unsafe extern "C" fn(*mut c_void)>;

    pub struct clock {
        pub owners: c_int,
        pub hour: c_int,
    }
    pub struct tower {
        clocks: Vec<*mut clock>,
    }

    pub unsafe extern "C" fn clock_new() -> *mut clock {
        acquire("Clock", clock { owners: 1, hour: 1 })
    }

    pub unsafe extern "C" fn clock_ref(clock: *mut clock) {
        unsafe { (*clock).owners += 1 };
    }

    pub unsafe extern "C" fn clock_free(clock: *mut clock) {
        unsafe { (*clock).owners -= 1 };
        if unsafe { (*clock).owners } == 0 {
            release(clock);
        }
    }

    /// Nothing else may read the clock meanwhile.
    pub unsafe extern "C" fn clock_wind(clock: *mut clock, step: step, data: *mut c_void) {
        unsafe { (*clock).hour = -1 };
        unsafe { step.unwrap()(data) };
        unsafe { (*clock).hour = 2 };
    }

    pub unsafe extern "C" fn tower_new() -> *mut tower {
        acquire("Tower", tower { clocks: Vec::new() })
    }

    pub unsafe extern "C" fn tower_put(tower: *mut tower, clock: *mut clock) {
        unsafe { (*tower).clocks.push(clock) };
    }

    /// Sets the hour of the clock to that of another one, and keeps the clock.
    pub unsafe extern "C" fn tower_put_like(
        tower: *mut tower,
        clock: *mut clock,
        other: *const clock,
    ) {
        unsafe { (*clock).hour = (*other).hour };
        unsafe { tower_put(tower, clock) };
    }

    pub unsafe extern "C" fn tower_hour(tower: *const tower) -> c_int {
        unsafe { (**(*tower).clocks.last().unwrap()).hour }
    }

    pub unsafe extern "C" fn tower_free(tower: *mut tower) {
        let clocks = unsafe { std::mem::take(&mut (*tower).clocks) };
        clocks
            .into_iter()
            .for_each(|clock| unsafe { clock_free(clock) });
        release(tower);
    }
}

#[handle(raw = ffi::clock, release = ffi::clock_free, retain = ffi::clock_ref, independent, fork_safe)]
struct Clock;

#[handle(raw = ffi::tower, release = ffi::tower_free, fork_safe)]
struct Tower;

thread_local! {
    static TOWER: RefCell<Option<Owned<'static, Tower>>> = const { RefCell::new(None) };
}

#[derive(Attachment)]
struct Look;

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::step, args = (data))]
    fn step(&self) {
        TOWER.with_borrow(|tower| assert_ne!(tower.as_ref().unwrap().hour(), -1));
    }
}

#[methods(unsafe, rust_only)]
impl Clock {
    #[calls(ffi::clock_new, fails = null)]
    fn new() -> Result<Owned<Clock>>;

    #[calls(ffi::clock_wind, args = (self, look.step, look.data))]
    fn wind(&mut self, look: &Look);
}

#[methods(unsafe, rust_only)]
impl Tower {
    #[calls(ffi::tower_new, fails = null)]
    fn new() -> Result<Owned<Tower>>;

    #[calls(ffi::tower_put)]
    fn put(&self, clock: Owned<Clock>);

    #[calls(ffi::tower_put_like)]
    fn put_like(&self, clock: Owned<Clock>, other: &Clock);

    #[calls(ffi::tower_hour)]
    fn hour(&self) -> i32;
}

#[test]
fn handle_that_keeps_an_owner_is_not_used_while_another_owner_changes_the_object() {
    let _native = Native::start();
    let (mut clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    tower.put(clock.clone());
    // Of a new owner C knows nothing: the tower still has its own.
    drop(clock.clone());
    TOWER.set(Some(tower));
    let refused = panic_of(|| clock.wind(&Look));
    assert_eq!(
        refused,
        "Clock is in use by a call that cannot be waited for"
    );
    let tower = TOWER.take().unwrap();
    assert_eq!(tower.hour(), 2);
    drop(tower);
}

#[test]
fn second_owner_of_an_object_is_given_to_the_handle_that_has_one() {
    let _native = Native::start();
    let (clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    tower.put(clock.clone());
    tower.put(clock.clone());
    assert_eq!(tower.hour(), 1);
    drop(clock);
    assert_eq!(native::live("Clock"), 1);
    drop(tower);
    assert_eq!(native::log(), ["release Clock", "release Tower"]);
}

#[test]
fn owner_is_not_given_by_a_call_that_has_the_object_by_another_argument() {
    let _native = Native::start();
    let (clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    tower.put(clock.clone());
    let refused = panic_of(|| tower.put_like(clock.clone(), &clock));
    assert_eq!(
        refused,
        "Clock is in use by a call that cannot be waited for"
    );
}
