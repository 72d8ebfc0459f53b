//! Handles that pass through a queue: C gives back what it was given, with all that it keeps in it.

use leakproof::prelude::*;

use crate::native::{Native, live, log};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub struct mill {
        stones: c_int,
    }
    pub struct grain {
        mill: *mut mill,
    }
    pub struct sack {
        grains: Vec<*mut grain>,
    }
    pub struct belt {
        owners: c_int,
        sacks: Vec<*mut sack>,
    }

    pub unsafe extern "C" fn mill_new() -> *mut mill {
        acquire("Mill", mill { stones: 1 })
    }

    pub unsafe extern "C" fn mill_free(mill: *mut mill) {
        release(mill);
    }

    pub unsafe extern "C" fn mill_dress(mill: *mut mill) -> c_int {
        touch(mill);
        unsafe { (*mill).stones += 1 };
        0
    }

    pub unsafe extern "C" fn mill_grain(mill: *mut mill) -> *mut grain {
        touch(mill);
        acquire("Grain", grain { mill })
    }

    pub unsafe extern "C" fn grain_free(grain: *mut grain) {
        touch(unsafe { (*grain).mill });
        release(grain);
    }

    pub struct cup {
        mill: *mut mill,
        grain: *mut grain,
    }

    pub unsafe extern "C" fn mill_cup(mill: *mut mill) -> *mut cup {
        touch(mill);
        let grain = null_mut();
        acquire("Cup", cup { mill, grain })
    }

    pub unsafe extern "C" fn cup_put(cup: *mut cup, grain: *mut grain) {
        unsafe { (*cup).grain = grain };
    }

    pub unsafe extern "C" fn cup_take(cup: *mut cup) -> *mut grain {
        std::mem::replace(unsafe { &mut (*cup).grain }, null_mut())
    }

    pub unsafe extern "C" fn cup_free(cup: *mut cup) {
        touch(unsafe { (*cup).mill });
        let grain = unsafe { cup_take(cup) };
        if !grain.is_null() {
            unsafe { grain_free(grain) };
        }
        release(cup);
    }

    pub unsafe extern "C" fn sack_new() -> *mut sack {
        acquire("Sack", sack { grains: Vec::new() })
    }

    pub unsafe extern "C" fn sack_fill(sack: *mut sack, grain: *mut grain) {
        touch(sack);
        unsafe { (*sack).grains.push(grain) };
    }

    pub unsafe extern "C" fn sack_free(sack: *mut sack) {
        for grain in unsafe { &(*sack).grains } {
            unsafe { grain_free(*grain) };
        }
        release(sack);
    }

    pub unsafe extern "C" fn belt_new() -> *mut belt {
        let (owners, sacks) = (1, Vec::new());
        acquire("Belt", belt { owners, sacks })
    }

    pub unsafe extern "C" fn belt_ref(belt: *mut belt) {
        unsafe { (*belt).owners += 1 };
    }

    pub unsafe extern "C" fn belt_load(belt: *mut belt, sack: *mut sack) {
        touch(belt);
        unsafe { (*belt).sacks.push(sack) };
    }

    /// Gives out the last sack that was loaded, or a new one if there is none.
    pub unsafe extern "C" fn belt_next(belt: *mut belt) -> *mut sack {
        touch(belt);
        unsafe { (*belt).sacks.pop() }.unwrap_or_else(|| unsafe { sack_new() })
    }

    /// Writes the result of [`belt_next`] into `*sack`. Fails if there is none.
    pub unsafe extern "C" fn belt_next_into(belt: *mut belt, sack: *mut *mut sack) -> c_int {
        touch(belt);
        let next = unsafe { (*belt).sacks.pop() };
        unsafe { *sack = next.unwrap_or(null_mut()) };
        c_int::from(next.is_none())
    }

    pub unsafe extern "C" fn belt_top(belt: *mut belt) -> *mut sack {
        touch(belt);
        unsafe { (*belt).sacks.last() }.map_or(null_mut(), |sack| *sack)
    }

    pub unsafe extern "C" fn belt_free(belt: *mut belt) {
        unsafe { (*belt).owners -= 1 };
        if unsafe { (*belt).owners } == 0 {
            for sack in unsafe { &(*belt).sacks } {
                unsafe { sack_free(*sack) };
            }
            release(belt);
        }
    }
}

#[handle(raw = ffi::mill, release = ffi::mill_free, fork_safe)]
struct Mill;

#[handle(raw = ffi::grain, release = ffi::grain_free, parent = Mill, fork_safe)]
struct Grain;

#[handle(raw = ffi::cup, release = ffi::cup_free, parent = Mill, fork_safe)]
struct Cup;

#[handle(raw = ffi::sack, release = ffi::sack_free, fork_safe)]
struct Sack;

#[handle(raw = ffi::belt, release = ffi::belt_free, fork_safe)]
struct Belt;

#[handle(raw = ffi::belt, release = ffi::belt_free, retain = ffi::belt_ref, independent, fork_safe)]
struct SharedBelt;

#[methods(unsafe, rust_only)]
impl Mill {
    #[calls(ffi::mill_new, fails = null)]
    fn new() -> Result<Owned<Mill>>;

    #[calls(ffi::mill_grain, fails = null)]
    fn grain(&self) -> Result<Owned<Grain>>;

    #[calls(ffi::mill_dress, fails = nonzero)]
    fn dress(&mut self) -> Result<()>;

    #[calls(ffi::mill_cup, fails = null)]
    fn cup(&self) -> Result<Owned<Cup>>;
}

#[methods(unsafe, rust_only)]
impl Cup {
    #[foreign(grain)]
    #[calls(ffi::cup_put)]
    fn put(&self, grain: Owned<Grain>);

    #[calls(ffi::cup_take, gives_back)]
    fn take(&self) -> Option<Owned<Grain>>;
}

#[methods(unsafe, rust_only)]
impl Sack {
    #[calls(ffi::sack_new, fails = null)]
    fn new() -> Result<Owned<Sack>>;

    #[calls(ffi::sack_fill)]
    fn fill(&self, grain: Owned<Grain>);
}

#[methods(unsafe, rust_only)]
impl Belt {
    #[calls(ffi::belt_new, fails = null)]
    fn new() -> Result<Owned<Belt>>;

    #[calls(ffi::belt_load)]
    fn load(&self, sack: Owned<Sack>);

    #[calls(ffi::belt_next, gives_back)]
    fn next(&self) -> Option<Owned<Sack>>;

    #[calls(ffi::belt_next)]
    fn any(&self) -> Option<Owned<Sack>>;

    #[calls(ffi::belt_next_into, args = (self, out), fails = nonzero, on_failure = null, gives_back)]
    fn next_into(&self) -> Result<Owned<Sack>>;

    #[calls(ffi::belt_top)]
    fn top(&self) -> Option<Borrowed<Sack>>;
}

#[methods(unsafe, rust_only)]
impl SharedBelt {
    #[calls(ffi::belt_new, fails = null)]
    fn new() -> Result<Owned<SharedBelt>>;

    #[calls(ffi::belt_load)]
    fn load(&self, sack: Owned<Sack>);

    #[calls(ffi::belt_next, gives_back)]
    fn next(&self) -> Option<Owned<Sack>>;

    #[calls(ffi::belt_next)]
    fn any(&self) -> Option<Owned<Sack>>;
}

/// A sack with a grain of the mill.
fn full_sack(mill: &Mill) -> Owned<'static, Sack> {
    let sack = Sack::new().unwrap();
    sack.fill(mill.grain().unwrap());
    sack
}

#[test]
fn what_another_parents_child_gives_back_keeps_the_parent_that_it_was_made_in() {
    let _native = Native::start();
    let (mill, other) = (Mill::new().unwrap(), Mill::new().unwrap());
    let cup = other.cup().unwrap();
    cup.put(mill.grain().unwrap());
    let grain = cup.take().unwrap();
    drop(mill);
    assert_eq!(live("Mill"), 2);
    drop(grain);
    assert_eq!(log(), ["release Grain", "release Mill"]);
}

#[test]
fn what_was_given_back_keeps_its_parents_no_longer_than_itself() {
    let _native = Native::start();
    let belt = Belt::new().unwrap();
    for round in 0..3 {
        let mill = Mill::new().unwrap();
        belt.load(full_sack(&mill));
        let sack = match round {
            0 => belt.next().unwrap(),
            _ => belt.next_into().unwrap(),
        };
        drop(mill);
        assert_eq!(live("Mill"), 1);
        drop(sack);
        assert_eq!(log(), ["release Grain", "release Sack", "release Mill"]);
    }
}

#[test]
fn parent_that_is_closed_meanwhile_is_released_with_what_was_given_back() {
    let _native = Native::start();
    let (belt, mill) = (Belt::new().unwrap(), Mill::new().unwrap());
    belt.load(full_sack(&mill));
    mill.close().unwrap();
    let sack = belt.next().unwrap();
    assert_eq!(live("Mill"), 1);
    drop(sack);
    assert_eq!(log(), ["release Grain", "release Sack", "release Mill"]);
}

#[test]
fn handle_that_was_given_back_has_what_it_got_while_c_had_it() {
    let _native = Native::start();
    let (belt, mill) = (Belt::new().unwrap(), Mill::new().unwrap());
    belt.load(Sack::new().unwrap());
    belt.top().unwrap().fill(mill.grain().unwrap());
    let sack = belt.next().unwrap();
    drop(mill);
    drop(sack);
    assert_eq!(log(), ["release Grain", "release Sack", "release Mill"]);
}

#[test]
fn handle_that_was_not_given_before_is_given_back_as_a_new_one() {
    let _native = Native::start();
    let (belt, mill) = (Belt::new().unwrap(), Mill::new().unwrap());
    let sack = belt.next().unwrap();
    assert!(belt.next_into().is_err());
    sack.fill(mill.grain().unwrap());
    drop(mill);
    drop(sack);
    assert_eq!(log(), ["release Grain", "release Sack", "release Mill"]);
}

#[test]
fn former_keeper_stays_one_after_a_call_that_does_not_give_back() {
    let _native = Native::start();
    let (first, second) = (Belt::new().unwrap(), Belt::new().unwrap());
    let mill = Mill::new().unwrap();
    first.load(full_sack(&mill));
    second.load(first.any().unwrap());
    drop(second.next().unwrap());
    drop((mill, second));
    assert_eq!(live("Mill"), 1);
    drop(first);
    assert_eq!(live("Mill"), 0);
}

const REFUSED: &str = "a Mill cannot be changed any more, because C keeps what lives in it, and nobody knows until when: give \
                       that to a handle that has one owner";

#[test]
fn parent_is_free_when_a_counted_handle_has_given_back_what_lives_in_it() {
    let _native = Native::start();
    let (belt, mut mill) = (SharedBelt::new().unwrap(), Mill::new().unwrap());
    let sack = Sack::new().unwrap();
    for _ in 0..2 {
        sack.fill(mill.grain().unwrap());
    }
    belt.load(sack);
    assert_eq!(mill.dress().unwrap_err().to_string(), REFUSED);
    let sack = belt.next().unwrap();
    mill.dress().unwrap();
    drop(sack);
    drop(mill);
    assert_eq!(live("Mill"), 0);
}

#[test]
fn parent_stays_leaked_where_an_earlier_call_did_not_give_back() {
    let mut native = Native::start();
    native.loses("Mill");
    native.counts("Mill");
    let (belt, mut mill) = (SharedBelt::new().unwrap(), Mill::new().unwrap());
    belt.load(full_sack(&mill));
    belt.load(belt.any().unwrap());
    let sack = belt.next().unwrap();
    assert_eq!(mill.dress().unwrap_err().to_string(), REFUSED);
    drop(sack);
    assert_eq!(live("Grain"), 0);
    drop(mill);
}
