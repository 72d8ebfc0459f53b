//! Objects that have several types, and handles of C's own that may have counted objects.

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
