//! Objects that have several types, and handles of C's own that may have counted objects.

use std::cell::Cell;

use leakproof::Handle;

use super::alone::{Repair, Then};
use super::*;

/// A clock by another type.
#[handle(raw = ffi::clock, release = ffi::clock_free, retain = ffi::clock_ref, independent, fork_safe)]
struct Timer;

#[methods(unsafe, rust_only)]
impl Clock {
    #[calls(ffi::clock_timer, retain)]
    fn timer(&self) -> Option<Owned<Timer>>;

    #[calls(ffi::clock_wind, args = (self, then.step, then.data))]
    fn wind_then(&mut self, then: &Then);
}

#[methods(unsafe, rust_only)]
impl Timer {
    #[calls(ffi::clock_hour)]
    fn hour(&self) -> i32;

    #[calls(ffi::clock_wind, args = (self, look.step, look.data))]
    fn wind(&mut self, look: &Look);
}

#[methods(unsafe, rust_only)]
impl Tower {
    #[calls(ffi::tower_put)]
    fn put_timer(&self, timer: Owned<Timer>);

    #[calls(ffi::tower_show, args = (self, to.see, to.data), fails = nonzero)]
    fn show_lent(&self, to: &ToLent) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl LentTower {
    #[calls(ffi::tower_hour)]
    fn hour(&self) -> i32;
}

/// A clock that C lends to callbacks only.
#[handle(raw = ffi::clock, callback_only)]
struct LentClock;

/// Runs a test's code with the clock.
struct ToClock(fn(&mut LentClock));

impl Attachment for ToClock {}

#[callbacks(unsafe)]
impl ToClock {
    #[callback(ffi::see_clock, args = (clock, data))]
    fn see(&self, clock: &mut LentClock) {
        (self.0)(clock);
    }
}

#[methods(unsafe, rust_only)]
impl LentClock {
    #[calls(ffi::clock_set)]
    fn set(&mut self, hour: i32);
}

#[methods(unsafe, rust_only)]
impl Town {
    #[calls(ffi::show_tower_at, args = (address, to.see, to.data), fails = when(|_| false))]
    fn show_at(address: usize, to: &ToLent) -> Result<()>;

    #[calls(ffi::show_clock_at, args = (address, to.see, to.data), fails = when(|_| false))]
    fn show_clock_at(address: usize, to: &ToClock) -> Result<()>;
}

thread_local! {
    static ADDRESS: Cell<usize> = const { Cell::new(0) };
}

#[test]
fn keeper_is_not_shown_by_another_type_while_a_call_changes_what_c_keeps_in_it() {
    let _native = Native::start();
    let (mut clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    tower.put(clock.clone());
    ADDRESS.set(tower.as_raw().expose_provenance());
    let look = || {
        Town::show_at(
            ADDRESS.get(),
            &ToLent(|tower| native::note(format!("hour {}", tower.hour()))),
        )
    };
    look().unwrap();
    assert_eq!(native::log(), ["hour 1"]);
    clock.wind_then(&Then(|| {
        let shown = Town::show_at(ADDRESS.get(), &ToLent(|_| native::note("seen")));
        assert_eq!(shown.unwrap_err().to_string(), IN_USE);
    }));
    look().unwrap();
    assert_eq!(native::log(), ["hour 2"]);
}

#[test]
fn callback_does_not_use_by_its_own_type_what_it_changes() {
    let _native = Native::start();
    let clock = Clock::new().unwrap();
    ADDRESS.set(clock.as_raw().expose_provenance());
    let tower = Tower::new().unwrap();
    tower.put(clock.clone());
    TOWER.set(Some(tower));
    let change = ToClock(|clock| {
        clock.set(7);
        let hour = || TOWER.with_borrow(|tower| tower.as_ref().unwrap().hour());
        // The clock has two types of its own.
        assert!(panic_of(hour).contains("is in use by a call that cannot be waited for"));
    });
    Town::show_clock_at(ADDRESS.get(), &change).unwrap();
    assert_eq!(TOWER.take().unwrap().hour(), 7);
    drop(clock);
}

#[test]
fn object_is_not_used_by_another_type_while_a_child_holds_it() {
    let _native = Native::start();
    let (mut clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    let timer = clock.timer().unwrap();
    tower.put_timer(timer.clone());
    let held = |name| Error::Held(name, "Repair").to_string();
    let repair: Owned<'_, Repair> = clock.repair().unwrap();
    assert_eq!(panic_of(|| timer.hour()), held("Timer"));
    assert_eq!(panic_of(|| tower.hour()), held("Tower"));
    drop(repair);
    assert_eq!((timer.hour(), tower.hour()), (3, 3));
}

#[test]
fn object_that_c_may_have_is_not_changed_by_another_type() {
    let mut native = Native::start();
    native.loses("Clock");
    native.counts("Clock");
    let (clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    let mut timer = clock.timer().unwrap();
    assert_eq!(panic_of(|| tower.try_put(clock.clone())), "a test");
    drop((clock, tower));
    assert_eq!(panic_of(|| timer.wind(&Look)), LEFT_TO_C);
    native.counts("Timer");
    std::mem::forget(timer);
}

#[test]
fn keeper_is_not_lent_by_another_type_while_a_call_changes_what_c_keeps_in_it() {
    let _native = Native::start();
    let (mut clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    tower.put(clock.clone());
    TOWER.set(Some(tower));
    clock.wind_then(&Then(|| {
        let shown = TOWER.with_borrow(|tower| {
            tower.as_ref().unwrap().show_lent(&ToLent(|tower| {
                native::note(format!("hour {}", tower.hour()));
            }))
        });
        assert_eq!(shown.unwrap_err().to_string(), IN_USE);
    }));
    drop(TOWER.take());
    assert_eq!(native::log(), ["release Tower"]);
}

#[test]
fn object_is_not_changed_while_a_callback_has_a_handle_that_may_keep_it() {
    let _native = Native::start();
    let (clock, town) = (Clock::new().unwrap(), Town::new().unwrap());
    town.keep(clock.clone());
    CLOCK.set(Some(clock));
    Town::show(&To(|tower| {
        CLOCK.with_borrow_mut(|clock| {
            let clock = clock.as_mut().unwrap();
            assert_eq!(panic_of(|| clock.wind_then(&Then(|| ()))), IN_USE);
            assert!(matches!(clock.repair(), Err(Error::Busy("Clock"))));
        });
        assert_eq!(tower.hour(), 1);
    }));
    assert_eq!(town.tower().unwrap().hour(), 1);
    drop((CLOCK.take(), town));
}

#[test]
fn handle_that_may_keep_an_object_is_not_passed_to_a_callback_while_a_child_holds_the_object() {
    let _native = Native::start();
    let (mut clock, town) = (Clock::new().unwrap(), Town::new().unwrap());
    town.keep(clock.clone());
    let repair = clock.repair().unwrap();
    Town::show(&To(|tower| native::note(format!("hour {}", tower.hour()))));
    drop(repair);
    assert_eq!(native::log(), ["release Repair"]);
    Town::show(&To(|tower| native::note(format!("hour {}", tower.hour()))));
    assert_eq!(native::log(), ["hour 3"]);
}
