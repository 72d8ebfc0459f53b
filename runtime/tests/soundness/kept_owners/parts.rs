//! Parts that do not know their owner, and handles that C keeps, where the owner or the keeper has counted objects.

use super::*;

/// A part of a tower. Nothing leads from it to the tower.
#[handle(raw = ffi::dial, part_of = Tower)]
struct Dial;

/// A tower whose release may be refused.
#[handle(raw = ffi::tower, release(ffi::tower_close, fails = nonzero, on_failure = kept), fork_safe)]
struct Keep;

/// A part of such a tower. Nothing leads from it to the tower.
#[handle(raw = ffi::dial, part_of = Keep)]
struct Hand;

thread_local! {
    static DIAL: RefCell<Option<Borrowed<'static, Dial>>> = const { RefCell::new(None) };
    static HAND: RefCell<Option<Borrowed<'static, Hand>>> = const { RefCell::new(None) };
}

/// Looks at a dial.
struct Glance(fn(&Dial) -> i32);

impl Attachment for Glance {}

#[callbacks(unsafe)]
impl Glance {
    #[callback(ffi::step, args = (data))]
    fn step(&self) {
        let hour = || DIAL.with_borrow(|dial| (self.0)(dial.as_ref().unwrap()));
        assert_eq!(panic_of(hour), IN_USE);
    }
}

#[methods(unsafe, rust_only)]
impl Dial {
    #[calls(ffi::dial_hour)]
    fn hour(&self) -> i32;

    #[field(shown)]
    fn shown(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Clock {
    #[calls(ffi::clock_wind, args = (self, glance.step, glance.data))]
    fn wind_seen(&mut self, glance: &Glance);
}

#[methods(unsafe, rust_only)]
impl Tower {
    #[calls(ffi::tower_dial)]
    fn dial(&self) -> Option<Borrowed<Dial>>;

    #[calls(ffi::tower_inner)]
    fn inner(&self) -> Option<Borrowed<Tower>>;
}

#[test]
fn part_of_what_keeps_an_owner_is_not_used_while_another_owner_changes_the_object() {
    let _native = Native::start();
    let (mut clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    tower.put(clock.clone());
    let tower: &'static Owned<'static, Tower> = Box::leak(Box::new(tower));
    DIAL.set(tower.dial());
    clock.wind_seen(&Glance(Dial::hour));
    clock.wind_seen(&Glance(Dial::shown));
    assert_eq!(tower.dial().unwrap().hour(), 2);
    DIAL.set(None);
    // SAFETY: the reference came from the box above, and nothing else has it.
    drop(unsafe { Box::from_raw(std::ptr::from_ref(tower).cast_mut()) });
}

#[test]
fn part_of_what_keeps_an_owner_is_not_used_while_a_child_holds_the_object() {
    let _native = Native::start();
    let (mut clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    let other = Tower::new().unwrap();
    tower.put(clock.clone());
    let (dial, free) = (tower.dial().unwrap(), other.dial().unwrap());
    let repair = clock.repair().unwrap();
    let held = Error::Held("Dial", "Repair").to_string();
    assert_eq!(panic_of(|| dial.hour()), held);
    assert_eq!(panic_of(|| dial.shown()), held);
    // Nobody knows which tower this is a part of.
    assert_eq!(panic_of(|| free.hour()), held);
    drop(repair);
    assert_eq!((dial.hour(), free.hour()), (3, 0));
}

#[methods(unsafe, rust_only)]
impl Keep {
    #[calls(ffi::tower_new, fails = null)]
    fn new() -> Result<Owned<Keep>>;

    #[calls(ffi::tower_put)]
    fn put(&self, clock: Owned<Clock>);

    #[calls(ffi::tower_dial)]
    fn hand(&self) -> Option<Borrowed<Hand>>;
}

#[methods(unsafe, rust_only)]
impl Hand {
    #[calls(ffi::dial_hour)]
    fn hour(&self) -> i32;
}

#[test]
fn part_uses_what_its_owner_keeps_after_a_release_of_the_owner_was_refused() {
    let _native = Native::start();
    let (mut clock, keep) = (Clock::new().unwrap(), Keep::new().unwrap());
    keep.put(clock.clone());
    ffi::REFUSES.set(true);
    let keep = keep.close().unwrap_err().1.unwrap();
    let hand = keep.hand().unwrap();
    let repair = clock.repair().unwrap();
    let held = Error::Held("Hand", "Repair").to_string();
    assert_eq!(panic_of(|| hand.hour()), held);
    drop(repair);
    assert_eq!(hand.hour(), 3);
}

/// Looks at a hand.
struct Peek;

impl Attachment for Peek {}

#[callbacks(unsafe)]
impl Peek {
    #[callback(ffi::step, args = (data))]
    fn step(&self) {
        let hour = || HAND.with_borrow(|hand| hand.as_ref().unwrap().hour());
        assert_eq!(panic_of(hour), IN_USE);
    }
}

#[methods(unsafe, rust_only)]
impl Clock {
    #[calls(ffi::clock_wind, args = (self, peek.step, peek.data))]
    fn wind_beside(&mut self, peek: &Peek);
}

#[test]
fn part_is_not_used_while_what_its_owner_keeps_changes_after_a_release_of_the_owner_was_refused() {
    let _native = Native::start();
    let (mut clock, keep) = (Clock::new().unwrap(), Keep::new().unwrap());
    keep.put(clock.clone());
    ffi::REFUSES.set(true);
    let keep = keep.close().unwrap_err().1.unwrap();
    let keep: &'static Owned<'static, Keep> = Box::leak(Box::new(keep));
    HAND.set(keep.hand());
    clock.wind_beside(&Peek);
    assert_eq!(keep.hand().unwrap().hour(), 2);
    HAND.set(None);
    // SAFETY: the reference came from the box above, and nothing else has it.
    drop(unsafe { Box::from_raw(std::ptr::from_ref(keep).cast_mut()) });
}

#[test]
fn what_c_keeps_beside_an_object_is_not_used_while_a_child_holds_the_object() {
    let _native = Native::start();
    let (mut clock, tower) = (Clock::new().unwrap(), Tower::new().unwrap());
    tower.put(clock.clone());
    tower.top(Tower::new().unwrap());
    let inner = tower.inner().unwrap();
    let repair = clock.repair().unwrap();
    let held = |name| Error::Held(name, "Repair").to_string();
    assert_eq!(panic_of(|| inner.hour()), held("Tower"));
    drop(repair);
    assert_eq!((inner.hour(), tower.hour()), (0, 3));
}
