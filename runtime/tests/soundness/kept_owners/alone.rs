//! Handles that a call or a child has alone, and the counted objects that C keeps in them.

use super::*;

/// Holds a clock.
#[handle(raw = ffi::repair, release = ffi::repair_free, parent = &mut Clock, fork_safe)]
pub(super) struct Repair;

/// Holds a tower.
#[handle(raw = ffi::repair, release = ffi::repair_free, parent = &mut Tower, fork_safe)]
struct Renovation;

/// Has its tower alone while a call has the crane alone.
#[handle(raw = ffi::crane, release = ffi::crane_free, parent = Tower, mut_parent, fork_safe)]
struct Crane;

/// Runs a test's code.
pub(super) struct Then(pub(super) fn());

impl Attachment for Then {}

#[callbacks(unsafe)]
impl Then {
    #[callback(ffi::step, args = (data))]
    pub(super) fn step(&self) {
        (self.0)();
    }
}

#[methods(unsafe, rust_only)]
impl Clock {
    #[calls(ffi::clock_hour)]
    fn hour(&self) -> i32;

    #[calls(ffi::clock_show, args = (self, then.step, then.data))]
    fn show(&self, then: &Then) -> i32;

    #[calls(ffi::clock_repair, fails = null)]
    pub(super) fn repair(&mut self) -> Result<Owned<Repair>>;
}

#[methods(unsafe, rust_only)]
impl Tower {
    #[calls(ffi::tower_put)]
    fn add(&mut self, clock: Owned<Clock>);

    #[calls(ffi::tower_wind, args = (self, then.step, then.data))]
    fn wind(&mut self, then: &Then);

    #[calls(ffi::tower_set)]
    fn set(&mut self, other: &Clock);

    #[calls(ffi::watch_towers, args = (then.step, then.data))]
    fn watch(then: &Then);

    #[calls(ffi::tower_repair, fails = null)]
    fn renovate(&mut self) -> Result<Owned<Renovation>>;

    #[calls(ffi::crane_new, fails = null)]
    fn crane(&mut self) -> Result<Owned<Crane>>;
}

#[methods(unsafe, rust_only)]
impl Crane {
    #[calls(ffi::crane_wind, args = (self, then.step, then.data))]
    fn wind(&mut self, then: &Then);
}

#[methods(unsafe, rust_only)]
impl Renovation {
    #[calls(ffi::repair_hour)]
    fn hour(&self) -> i32;
}

fn tower_with(clock: Owned<'static, Clock>) -> Owned<'static, Tower> {
    let tower = Tower::new().unwrap();
    tower.put(clock);
    tower
}

fn tower_within(clock: Owned<'static, Clock>) -> Owned<'static, Tower> {
    let tower = Tower::new().unwrap();
    tower.top(tower_with(clock));
    tower
}

fn hour_of_clock() -> i32 {
    CLOCK.with_borrow(|clock| clock.as_ref().unwrap().hour())
}

fn hour_of_tower() -> i32 {
    TOWER.with_borrow(|tower| tower.as_ref().unwrap().hour())
}

#[test]
fn object_is_not_used_while_a_call_has_what_c_keeps_it_in_alone() {
    for keep in [tower_with, tower_within] {
        let _native = Native::start();
        let clock = Clock::new().unwrap();
        let mut tower = keep(clock.clone());
        TOWER.set(Some(tower_with(clock.clone())));
        CLOCK.set(Some(clock));
        tower.wind(&Then(|| assert_eq!(panic_of(hour_of_clock), IN_USE)));
        tower.wind(&Then(|| assert_eq!(panic_of(hour_of_tower), IN_USE)));
        assert_eq!((hour_of_clock(), hour_of_tower()), (2, 2));
        drop((CLOCK.take(), TOWER.take()));
    }
}

#[test]
fn handle_is_not_changed_while_the_object_is_used_that_c_keeps_in_it() {
    let _native = Native::start();
    let clock = Clock::new().unwrap();
    TOWER.set(Some(tower_with(clock.clone())));
    clock.show(&Then(|| {
        let wind =
            |tower: &mut Option<Owned<'_, Tower>>| tower.as_mut().unwrap().wind(&Then(|| ()));
        assert_eq!(panic_of(|| TOWER.with_borrow_mut(wind)), IN_USE);
        assert_eq!(hour_of_tower(), 1);
        // The owner in the tower is one of several.
        drop(TOWER.take());
        assert_eq!(native::log(), ["release Tower"]);
    }));
}

#[test]
fn object_is_not_used_while_a_call_has_a_child_alone_and_with_it_what_c_keeps_it_in() {
    let _native = Native::start();
    let clock = Clock::new().unwrap();
    let mut tower = tower_with(clock.clone());
    CLOCK.set(Some(clock));
    let mut crane = tower.crane().unwrap();
    crane.wind(&Then(|| assert_eq!(panic_of(hour_of_clock), IN_USE)));
    drop(crane);
    drop(CLOCK.take());
}

#[test]
fn object_is_used_while_what_c_keeps_it_in_is_released() {
    let _native = Native::start();
    let clock = Clock::new().unwrap();
    let tower = tower_with(clock.clone());
    CLOCK.set(Some(clock));
    TOWER.set(Some(tower));
    Tower::watch(&Then(|| match TOWER.take() {
        Some(tower) => drop(tower),
        None => native::note(format!("hour {}", hour_of_clock())),
    }));
    assert_eq!(native::log(), ["hour 1", "release Tower"]);
    drop(CLOCK.take());
}

#[test]
fn call_has_a_handle_alone_and_the_object_that_c_keeps_in_it() {
    let _native = Native::start();
    let clock = Clock::new().unwrap();
    let mut tower = tower_with(clock.clone());
    tower.set(&clock);
    tower.add(clock.clone());
    tower.merge(tower_with(clock.clone()));
    assert_eq!(tower.hour(), 1);
}

#[test]
fn keeper_of_an_object_is_not_used_while_a_child_holds_that() {
    for keep in [tower_with, tower_within] {
        let _native = Native::start();
        let mut clock = Clock::new().unwrap();
        let mut tower = keep(clock.clone());
        let held = Error::Held("Tower", "Repair").to_string();
        let repair = clock.repair().unwrap();
        assert_eq!(panic_of(|| tower.hour()), held);
        assert_eq!(panic_of(|| tower.wind(&Then(|| ()))), held);
        drop(repair);
        assert_eq!(tower.hour(), 3);
    }
}

#[test]
fn keeper_of_an_object_is_released_when_no_child_holds_that() {
    let _native = Native::start();
    let mut clock = Clock::new().unwrap();
    let tower = tower_with(clock.clone());
    let repair = clock.repair().unwrap();
    drop(tower);
    assert_eq!(native::log(), [""; 0]);
    drop(repair);
    assert_eq!(native::log(), ["release Repair", "release Tower"]);
}

#[test]
fn object_is_not_used_while_a_child_holds_what_c_keeps_it_in() {
    for keep in [tower_with, tower_within] {
        let _native = Native::start();
        let clock = Clock::new().unwrap();
        let mut tower = keep(clock.clone());
        let (other, free) = (tower_with(clock.clone()), Clock::new().unwrap());
        let renovation = tower.renovate().unwrap();
        let held = |name| Error::Held(name, "Renovation").to_string();
        assert_eq!(panic_of(|| clock.hour()), held("Clock"));
        assert_eq!(panic_of(|| other.hour()), held("Tower"));
        assert_eq!((renovation.hour(), free.hour()), (-1, 1));
        drop(renovation);
        assert_eq!((clock.hour(), other.hour()), (3, 3));
    }
}
