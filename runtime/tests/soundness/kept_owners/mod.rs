//! Counted objects of which C keeps an owner in a handle with one owner: calls on that handle use the object.

mod alone;
mod ffi;
mod parts;
mod types;

use std::cell::RefCell;

use leakproof::prelude::*;

use crate::native::{self, Native};
use crate::panic_of;

#[handle(raw = ffi::clock, release = ffi::clock_free, retain = ffi::clock_ref, independent, fork_safe)]
struct Clock;

#[handle(raw = ffi::tower, release = ffi::tower_free, fork_safe)]
struct Tower;

/// A tower that C lends to callbacks only.
#[handle(raw = ffi::tower, callback_only)]
struct LentTower;

#[handle(raw = ffi::town, release = ffi::town_free, fork_safe)]
struct Town;

thread_local! {
    static CLOCK: RefCell<Option<Owned<'static, Clock>>> = const { RefCell::new(None) };
    static TOWN: RefCell<Option<Owned<'static, Town>>> = const { RefCell::new(None) };
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

    #[callback(ffi::step, args = (data))]
    fn step_in_town(&self) {
        TOWN.with_borrow(|town| assert_ne!(town.as_ref().unwrap().hour(), -1));
    }
}

/// Runs a test's code with the tower.
struct To(fn(&Tower));

impl Attachment for To {}

#[callbacks(unsafe)]
impl To {
    #[callback(ffi::see, args = (tower, data))]
    fn see(&self, tower: &Tower) {
        (self.0)(tower);
    }
}

struct ToLent(fn(&LentTower));

impl Attachment for ToLent {}

#[callbacks(unsafe)]
impl ToLent {
    #[callback(ffi::see, args = (tower, data))]
    fn see(&self, tower: &LentTower) {
        (self.0)(tower);
    }
}

#[methods(unsafe, rust_only)]
impl Clock {
    #[calls(ffi::clock_new, fails = null)]
    fn new() -> Result<Owned<Clock>>;

    #[calls(ffi::clock_wind, args = (self, look.step, look.data))]
    fn wind(&mut self, look: &Look);

    #[calls(ffi::clock_wind, args = (self, look.step_in_town, look.data))]
    fn wind_in_town(&mut self, look: &Look);
}

#[methods(unsafe, rust_only)]
impl LentTower {
    #[calls(ffi::tower_put)]
    fn put(&self, clock: Owned<Clock>);

    #[calls(ffi::tower_merge)]
    fn merge(&self, other: Owned<Tower>);
}

#[methods(unsafe, rust_only)]
impl Town {
    #[calls(ffi::town_new, fails = null)]
    fn new() -> Result<Owned<Town>>;

    #[calls(ffi::town_hour)]
    fn hour(&self) -> i32;

    #[calls(ffi::town_keep)]
    fn keep(&self, clock: Owned<Clock>);

    #[calls(ffi::town_tower)]
    fn tower(&self) -> Option<Borrowed<Tower>>;

    #[calls(ffi::show_tower, args = (to.see, to.data))]
    fn show(to: &To);

    #[calls(ffi::show_tower, args = (to.see, to.data))]
    fn show_lent(to: &ToLent);
}

#[methods(unsafe, rust_only)]
impl Tower {
    #[calls(ffi::tower_new, fails = null)]
    fn new() -> Result<Owned<Tower>>;

    #[calls(ffi::tower_put)]
    fn put(&self, clock: Owned<Clock>);

    #[calls(ffi::tower_put_like)]
    fn put_like(&self, clock: Owned<Clock>, other: &Clock);

    #[calls(ffi::tower_put, fails = when(|_ret| panic!("a test")), consumes = on_success)]
    fn try_put(&self, clock: Owned<Clock>) -> Result<()>;

    #[calls(ffi::tower_merge)]
    fn merge(&self, other: Owned<Tower>);

    #[calls(ffi::tower_top)]
    fn top(&self, inner: Owned<Tower>);

    #[calls(ffi::tower_untop, fails = null, gives_back)]
    fn untop(&self) -> Result<Owned<Tower>>;

    #[calls(ffi::tower_hour)]
    fn hour(&self) -> i32;
}

const IN_USE: &str =
    "Clock is in use by a call that cannot be waited for, such as the one that runs this function";
const LEFT_TO_C: &str = "a Clock cannot be changed any more, because C has an owner of it, and nobody knows until when: give C \
                         a copy, or one that nothing else owns, where a callback gives it to C, or in a handle that C lends to \
                         the callback";

#[test]
fn handle_that_keeps_an_owner_is_not_used_while_another_owner_changes_the_object() {
    let _native = Native::start();
    let (mut clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    tower.put(clock.clone());
    // Of a new owner C knows nothing: the tower still has its own.
    drop(clock.clone());
    TOWER.set(Some(tower));
    let refused = panic_of(|| clock.wind(&Look));
    assert_eq!(refused, IN_USE);
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
    assert_eq!(refused, IN_USE);
}

#[test]
fn what_c_moved_out_of_a_handle_that_it_freed_is_used_by_the_handle_that_got_it() {
    let fill: [fn(Owned<'static, Clock>) -> Owned<'static, Tower>; 2] = [
        |clock| {
            let tower = Tower::new().unwrap();
            tower.put(clock);
            tower
        },
        |clock| {
            let (tower, inner) = (Tower::new().unwrap(), Tower::new().unwrap());
            inner.put(clock);
            tower.top(inner);
            tower
        },
    ];
    for fill in fill {
        let _native = Native::start();
        let mut clock = Clock::new().unwrap();
        let tower = Tower::new().unwrap();
        tower.merge(fill(clock.clone()));
        // At the address of the freed one.
        let new = Tower::new().unwrap();
        TOWER.set(Some(tower));
        assert_eq!(panic_of(|| clock.wind(&Look)), IN_USE);
        drop(new);
        assert_eq!(panic_of(|| clock.wind(&Look)), IN_USE);
        drop(TOWER.take());
        TOWER.set(Some(Tower::new().unwrap()));
        clock.wind(&Look);
        drop(TOWER.take());
    }
}

#[test]
fn handle_that_gave_back_another_one_does_not_use_what_that_keeps() {
    let _native = Native::start();
    let mut clock = Clock::new().unwrap();
    let (tower, inner) = (Tower::new().unwrap(), Tower::new().unwrap());
    inner.put(clock.clone());
    tower.top(inner);
    let inner = tower.untop().unwrap();
    TOWER.set(Some(tower));
    clock.wind(&Look);
    TOWER.set(Some(inner));
    assert_eq!(panic_of(|| clock.wind(&Look)), IN_USE);
    drop(TOWER.take());
}

#[test]
fn object_is_not_changed_that_c_keeps_in_what_it_lends_to_a_callback() {
    let put: [fn(); 2] = [
        || Town::show(&To(|tower| tower.put(CLOCK.take().unwrap()))),
        || Town::show_lent(&ToLent(|tower| tower.put(CLOCK.take().unwrap()))),
    ];
    for put in put {
        let _native = Native::start();
        let mut clock = Clock::new().unwrap();
        TOWN.set(Some(Town::new().unwrap()));
        CLOCK.set(Some(clock.clone()));
        put();
        assert_eq!(panic_of(|| clock.wind_in_town(&Look)), LEFT_TO_C);
        drop(clock);
        drop(TOWN.take());
        assert_eq!(native::live("Clock"), 0);
    }
}

#[test]
fn object_is_not_changed_that_c_moved_out_of_what_it_got_in_a_callback() {
    let _native = Native::start();
    let mut clock = Clock::new().unwrap();
    TOWN.set(Some(Town::new().unwrap()));
    let tower = Tower::new().unwrap();
    tower.put(clock.clone());
    TOWER.set(Some(tower));
    Town::show_lent(&ToLent(|tower| tower.merge(TOWER.take().unwrap())));
    // At the address of the freed one.
    let new = Tower::new().unwrap();
    assert_eq!(panic_of(|| clock.wind_in_town(&Look)), LEFT_TO_C);
    drop((new, TOWN.take()));
}

#[test]
fn object_is_not_changed_that_c_may_or_may_not_have() {
    let mut native = Native::start();
    native.loses("Clock");
    native.counts("Clock");
    native.counts("Clock");
    let mut clock = Clock::new().unwrap();
    let tower = Tower::new().unwrap();
    assert_eq!(panic_of(|| tower.try_put(clock.clone())), "a test");
    TOWER.set(Some(tower));
    assert_eq!(panic_of(|| clock.wind(&Look)), LEFT_TO_C);
    drop(TOWER.take());
    std::mem::forget(clock);
}
