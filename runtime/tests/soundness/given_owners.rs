//! Owners of counted objects that a callback gives to C: nobody knows where C keeps them.

use std::cell::RefCell;

use leakproof::prelude::*;

use crate::native::{Native, log};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, fault, release, revive, touch};

    pub type give = Option<unsafe extern "C" fn(*mut c_void) -> *mut seed>;
    pub type look = Option<unsafe extern "C" fn(*mut c_void)>;

    pub struct seed {
        owners: c_int,
        is_whole: bool,
    }
    pub struct stone {
        _owners: c_int,
    }
    pub struct bed {
        seeds: Vec<*mut seed>,
        withered: *mut seed,
    }

    pub unsafe extern "C" fn seed_new() -> *mut seed {
        let (owners, is_whole) = (1, true);
        acquire("Seed", seed { owners, is_whole })
    }

    pub unsafe extern "C" fn seed_ref(seed: *mut seed) {
        touch(seed);
        unsafe { (*seed).owners += 1 };
    }

    pub unsafe extern "C" fn seed_unref(seed: *mut seed) {
        touch(seed);
        unsafe { (*seed).owners -= 1 };
        if unsafe { (*seed).owners } == 0 {
            release(seed);
        }
    }

    /// Nothing may look at the seed meanwhile.
    pub unsafe extern "C" fn seed_grow(seed: *mut seed, look: look, data: *mut c_void) -> c_int {
        touch(seed);
        unsafe { (*seed).is_whole = false };
        unsafe { look.unwrap()(data) };
        unsafe { (*seed).is_whole = true };
        0
    }

    pub unsafe extern "C" fn seed_look(seed: *mut seed) -> c_int {
        touch(seed);
        if !unsafe { (*seed).is_whole } {
            fault("a seed is looked at while it grows");
        }
        7
    }

    pub unsafe extern "C" fn bed_new() -> *mut bed {
        let (seeds, withered) = (Vec::new(), null_mut());
        acquire("Bed", bed { seeds, withered })
    }

    /// Asks for a seed.
    pub unsafe extern "C" fn bed_sow(bed: *mut bed, give: give, data: *mut c_void) {
        touch(bed);
        let seed = unsafe { give.unwrap()(data) };
        if !seed.is_null() {
            unsafe { (*bed).seeds.push(seed) };
        }
    }

    pub unsafe extern "C" fn bed_look(bed: *mut bed) -> c_int {
        touch(bed);
        let seeds = unsafe { &(*bed).seeds };
        seeds.iter().map(|seed| unsafe { seed_look(*seed) }).sum()
    }

    pub unsafe extern "C" fn bed_first(bed: *mut bed) -> *mut seed {
        touch(bed);
        unsafe { (*bed).seeds.first() }.map_or(null_mut(), |seed| *seed)
    }

    /// Releases the last seed, at whose address the next one is made.
    pub unsafe extern "C" fn bed_wither(bed: *mut bed) {
        let seed = unsafe { (*bed).seeds.pop() }.unwrap();
        unsafe { seed_unref(seed) };
        unsafe { (*bed).withered = seed };
    }

    pub unsafe extern "C" fn bed_seed(bed: *mut bed) -> *mut seed {
        let seed = unsafe { (*bed).withered };
        revive(seed);
        unsafe { (*seed).owners = 1 };
        seed
    }

    /// Makes a stone where the seed was, and lends it.
    pub unsafe extern "C" fn bed_stone(bed: *mut bed) -> *mut stone {
        let seed = unsafe { (*bed).withered };
        revive(seed);
        seed.cast()
    }

    pub unsafe extern "C" fn stone_ref(stone: *mut stone) {
        unsafe { seed_ref(stone.cast()) };
    }

    pub unsafe extern "C" fn stone_unref(stone: *mut stone) {
        unsafe { seed_unref(stone.cast()) };
    }

    pub unsafe extern "C" fn stone_turn(_: *mut stone) -> c_int {
        0
    }

    /// Takes a seed over, and releases it.
    pub unsafe extern "C" fn bed_take(bed: *mut bed, seed: *mut seed) {
        touch(bed);
        unsafe { seed_unref(seed) };
    }

    /// A pot, with a seed or another pot.
    pub struct pot {
        seed: *mut seed,
        inner: *mut pot,
    }

    pub unsafe extern "C" fn pot_new() -> *mut pot {
        let (seed, inner) = (null_mut(), null_mut());
        acquire("Pot", pot { seed, inner })
    }

    pub unsafe extern "C" fn pot_put(pot: *mut pot, seed: *mut seed) {
        touch(pot);
        unsafe { (*pot).seed = seed };
    }

    pub unsafe extern "C" fn pot_nest(pot: *mut pot, inner: *mut pot) {
        touch(pot);
        unsafe { (*pot).inner = inner };
    }

    pub unsafe extern "C" fn pot_take(pot: *mut pot) -> *mut seed {
        touch(pot);
        unsafe { std::mem::replace(&mut (*pot).seed, null_mut()) }
    }

    pub unsafe extern "C" fn pot_grow(pot: *mut pot, look: look, data: *mut c_void) -> c_int {
        touch(pot);
        let inner = unsafe { (*pot).inner };
        match inner.is_null() {
            true => unsafe { seed_grow((*pot).seed, look, data) },
            false => unsafe { pot_grow(inner, look, data) },
        }
    }

    pub unsafe extern "C" fn pot_free(pot: *mut pot) {
        let (seed, inner) = unsafe { ((*pot).seed, (*pot).inner) };
        if !seed.is_null() {
            unsafe { seed_unref(seed) };
        }
        if !inner.is_null() {
            unsafe { pot_free(inner) };
        }
        release(pot);
    }

    pub unsafe extern "C" fn bed_free(bed: *mut bed) {
        for seed in unsafe { &(*bed).seeds } {
            unsafe { seed_unref(*seed) };
        }
        release(bed);
    }
}

#[handle(raw = ffi::seed, release = ffi::seed_unref, retain = ffi::seed_ref, independent, fork_safe)]
struct Seed;

#[handle(raw = ffi::bed, release = ffi::bed_free, fork_safe)]
struct Bed;

#[handle(raw = ffi::pot, release = ffi::pot_free, fork_safe)]
struct Pot;

thread_local! {
    static SEED: RefCell<Option<Owned<'static, Seed>>> = const { RefCell::new(None) };
    static BED: RefCell<Option<Owned<'static, Bed>>> = const { RefCell::new(None) };
}

#[derive(Attachment)]
struct Sower;

#[callbacks(unsafe)]
impl Sower {
    #[callback(ffi::give, args = (data))]
    fn one_more(&self) -> Option<Owned<'static, Seed>> {
        SEED.with_borrow(Clone::clone)
    }

    #[callback(ffi::give, args = (data))]
    fn last(&self) -> Option<Owned<'static, Seed>> {
        SEED.take()
    }

    #[callback(ffi::look, args = (data))]
    fn look(&self) {
        BED.with_borrow(|bed| {
            if let Some(bed) = bed {
                bed.look();
            }
        });
    }
}

#[methods(unsafe, rust_only)]
impl Seed {
    #[calls(ffi::seed_new, fails = null)]
    fn new() -> Result<Owned<Seed>>;

    #[calls(ffi::seed_look)]
    fn look(&self) -> i32;

    #[calls(ffi::seed_grow, args = (self, sower.look, sower.data), fails = nonzero)]
    fn grow(&mut self, sower: &Sower) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Bed {
    #[calls(ffi::bed_new, fails = null)]
    fn new() -> Result<Owned<Bed>>;

    #[calls(ffi::bed_sow, args = (self, sower.one_more, sower.data))]
    fn sow(&self, sower: &Sower);

    #[calls(ffi::bed_sow, args = (self, sower.last, sower.data))]
    fn sow_last(&self, sower: &Sower);

    #[calls(ffi::bed_look)]
    fn look(&self) -> i32;

    #[calls(ffi::bed_first, retain)]
    fn first(&self) -> Option<Owned<Seed>>;

    #[calls(ffi::bed_wither)]
    fn wither(&self);

    #[calls(ffi::bed_seed, fails = null)]
    fn seed(&self) -> Result<Owned<Seed>>;

    #[calls(ffi::bed_stone, retain)]
    fn stone(&self) -> Option<Owned<Stone>>;

    #[calls(ffi::bed_take)]
    fn take(&self, seed: Owned<Seed>);
}

#[handle(raw = ffi::stone, release = ffi::stone_unref, retain = ffi::stone_ref, independent, fork_safe)]
struct Stone;

#[methods(unsafe, rust_only)]
impl Stone {
    #[calls(ffi::stone_turn, fails = nonzero)]
    fn turn(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Pot {
    #[calls(ffi::pot_new, fails = null)]
    fn new() -> Result<Owned<Pot>>;

    #[calls(ffi::pot_put)]
    fn put(&mut self, seed: Owned<Seed>);

    #[calls(ffi::pot_nest)]
    fn nest(&mut self, inner: Owned<Pot>);

    #[calls(ffi::pot_take, fails = null)]
    fn take(&self) -> Result<Owned<Seed>>;

    #[calls(ffi::pot_grow, args = (self, sower.look, sower.data), fails = nonzero)]
    fn grow(&mut self, sower: &Sower) -> Result<()>;
}

const REFUSED: &str = "a Seed cannot be changed any more, because C has an owner of it, and nobody knows until when: give C a \
                       copy, or one that nothing else owns, where a callback gives it to C, or in a handle that C lends to the \
                       callback";

fn grow(seed: &mut Seed) -> Result<(), String> {
    seed.grow(&Sower).map_err(|error| error.to_string())
}

#[test]
fn object_is_not_changed_that_a_callback_gave_c_an_owner_of() {
    let _native = Native::start();
    let (mut seed, bed) = (Seed::new().unwrap(), Bed::new().unwrap());
    SEED.set(Some(seed.clone()));
    grow(&mut seed).unwrap();
    bed.sow(&Sower);
    assert_eq!(grow(&mut seed), Err(REFUSED.into()));
    // Each time C gets one owner more.
    bed.sow(&Sower);
    assert_eq!(bed.look(), 14);
    BED.set(Some(bed));
    assert_eq!(grow(&mut seed), Err(REFUSED.into()));
    assert_eq!(seed.look(), 7);
    drop(SEED.take());
    assert_eq!(grow(&mut seed), Err(REFUSED.into()));
    // What C lends is what it has an owner of.
    drop(seed);
    let mut seed = BED.with_borrow(|bed| bed.as_ref().unwrap().first().unwrap());
    assert_eq!(grow(&mut seed), Err(REFUSED.into()));
    let bed = BED.take().unwrap();
    let message = panic_of(|| bed.take(seed));
    assert_eq!(message, REFUSED);
}

#[test]
fn object_that_only_c_owned_is_changed_when_it_is_a_new_one() {
    let _native = Native::start();
    let (mut seed, bed) = (Seed::new().unwrap(), Bed::new().unwrap());
    SEED.set(Some(seed.clone()));
    drop(SEED.take());
    grow(&mut seed).unwrap();
    SEED.set(Some(seed));
    bed.sow_last(&Sower);
    assert_eq!(bed.look(), 7);
    bed.wither();
    assert_eq!(log(), ["release Seed"]);
    let mut seed = bed.seed().unwrap();
    grow(&mut seed).unwrap();
    drop(seed.clone());
    grow(&mut seed).unwrap();
}

#[test]
fn object_of_another_type_is_changed_at_the_address_of_one_that_a_callback_gave_c() {
    let _native = Native::start();
    let bed = Bed::new().unwrap();
    SEED.set(Some(Seed::new().unwrap()));
    bed.sow_last(&Sower);
    bed.wither();
    let mut stone = bed.stone().unwrap();
    stone.turn().unwrap();
    drop(stone);
}

fn pot_with(seed: Owned<'static, Seed>) -> Owned<'static, Pot> {
    let mut pot = Pot::new().unwrap();
    pot.put(seed);
    pot
}

fn pot_within(seed: Owned<'static, Seed>) -> Owned<'static, Pot> {
    let mut pot = Pot::new().unwrap();
    pot.nest(pot_with(seed));
    pot
}

#[test]
fn handle_is_not_changed_that_keeps_an_object_of_which_a_callback_gave_c_our_last_owner() {
    for keep in [pot_with, pot_within] {
        let _native = Native::start();
        let (seed, bed) = (Seed::new().unwrap(), Bed::new().unwrap());
        let mut pot = keep(seed.clone());
        pot.grow(&Sower).unwrap();
        SEED.set(Some(seed));
        bed.sow_last(&Sower);
        BED.set(Some(bed));
        let refused = pot.grow(&Sower).map_err(|error| error.to_string());
        assert_eq!(refused, Err(REFUSED.into()));
        drop(BED.take());
    }
}

#[test]
fn handle_is_not_changed_that_keeps_an_object_of_which_we_dropped_our_last_owner() {
    let _native = Native::start();
    let (seed, bed) = (Seed::new().unwrap(), Bed::new().unwrap());
    let mut pot = pot_with(seed.clone());
    SEED.set(Some(seed));
    bed.sow(&Sower);
    drop(SEED.take());
    BED.set(Some(bed));
    let refused = pot.grow(&Sower).map_err(|error| error.to_string());
    assert_eq!(refused, Err(REFUSED.into()));
    drop(BED.take());
}

#[test]
fn object_is_not_changed_that_a_callback_gave_c_an_owner_of_and_that_a_handle_gave_out() {
    let _native = Native::start();
    let (seed, bed) = (Seed::new().unwrap(), Bed::new().unwrap());
    let pot = pot_with(seed.clone());
    SEED.set(Some(seed));
    bed.sow_last(&Sower);
    let mut seed = pot.take().unwrap();
    drop(pot);
    assert_eq!(grow(&mut seed), Err(REFUSED.into()));
}

#[test]
fn new_object_is_changed_at_the_address_of_one_that_a_released_handle_kept() {
    for keep in [pot_with, pot_within] {
        let _native = Native::start();
        let (seed, bed) = (Seed::new().unwrap(), Bed::new().unwrap());
        let pot = keep(seed.clone());
        SEED.set(Some(seed));
        bed.sow_last(&Sower);
        drop(pot);
        bed.wither();
        let mut seed = bed.seed().unwrap();
        grow(&mut seed).unwrap();
    }
}
