//! The C library: clocks, which C counts the owners of, and the towers and towns that have them.

#![allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]

use std::cell::Cell;
use std::ffi::{c_int, c_void};
use std::ptr;

use crate::native::{acquire, fault, release, revive};

pub type step = Option<unsafe extern "C" fn(*mut c_void)>;
pub type see_clock = Option<unsafe extern "C" fn(*mut clock, *mut c_void)>;
pub type see = Option<unsafe extern "C" fn(*mut tower, *mut c_void)>;

pub struct clock {
    pub owners: c_int,
    pub hour: c_int,
}
#[repr(C)]
pub struct tower {
    dial: dial,
    clocks: Vec<*mut clock>,
    inner: *mut tower,
}
/// The first field of a tower.
pub struct dial {
    pub shown: c_int,
}
pub struct crane {
    tower: *mut tower,
}
/// A town has a tower of its own.
pub struct town {
    tower: *mut tower,
}

thread_local! {
    /// Called when a tower is freed.
    static WATCHER: Cell<(step, *mut c_void)> = const { Cell::new((None, ptr::null_mut())) };
    /// Set if the next tower is not released.
    pub static REFUSES: Cell<bool> = const { Cell::new(false) };
    /// The tower that was freed last: the next one gets its memory.
    static FREED: Cell<*mut tower> = const { Cell::new(ptr::null_mut()) };
    /// The newest town's.
    static OWN: Cell<*mut tower> = const { Cell::new(ptr::null_mut()) };
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
    let freed = FREED.replace(ptr::null_mut());
    if freed.is_null() {
        let tower = tower {
            dial: dial { shown: 0 },
            clocks: Vec::new(),
            inner: ptr::null_mut(),
        };
        return acquire("Tower", tower);
    }
    revive(freed);
    freed
}

/// Moves what `other` has here, and frees that.
pub unsafe extern "C" fn tower_merge(tower: *mut tower, other: *mut tower) {
    unsafe {
        (*tower).clocks.append(&mut (*other).clocks);
        if !(*other).inner.is_null() {
            (*tower).inner = (*other).inner;
            (*other).inner = ptr::null_mut();
        }
        tower_free(other);
    }
    FREED.set(other);
}

pub unsafe extern "C" fn tower_top(tower: *mut tower, inner: *mut tower) {
    unsafe { (*tower).inner = inner };
}

pub unsafe extern "C" fn tower_untop(tower: *mut tower) -> *mut tower {
    unsafe { std::mem::replace(&mut (*tower).inner, ptr::null_mut()) }
}

pub unsafe extern "C" fn town_new() -> *mut town {
    let tower = unsafe { tower_new() };
    OWN.set(tower);
    acquire("Town", town { tower })
}

/// Shows the tower of the newest town.
pub unsafe extern "C" fn show_tower(see: see, data: *mut c_void) {
    unsafe { see.unwrap()(OWN.get(), data) };
}

/// Shows the tower at this address.
pub unsafe extern "C" fn show_tower_at(address: usize, see: see, data: *mut c_void) {
    unsafe { see.unwrap()(ptr::with_exposed_provenance_mut(address), data) };
}

/// Shows the clock at this address.
pub unsafe extern "C" fn show_clock_at(address: usize, see: see_clock, data: *mut c_void) {
    unsafe { see.unwrap()(ptr::with_exposed_provenance_mut(address), data) };
}

pub unsafe extern "C" fn clock_set(clock: *mut clock, hour: c_int) {
    unsafe { (*clock).hour = hour };
}

pub unsafe extern "C" fn town_hour(town: *const town) -> c_int {
    unsafe { tower_hour((*town).tower) }
}

pub unsafe extern "C" fn town_free(town: *mut town) {
    unsafe { tower_free((*town).tower) };
    release(town);
}

pub unsafe extern "C" fn tower_put(tower: *mut tower, clock: *mut clock) {
    unsafe { (*tower).clocks.push(clock) };
}

/// Sets the hour of the clock to that of another one, and keeps the clock.
pub unsafe extern "C" fn tower_put_like(tower: *mut tower, clock: *mut clock, other: *const clock) {
    unsafe { (*clock).hour = (*other).hour };
    unsafe { tower_put(tower, clock) };
}

pub unsafe extern "C" fn tower_hour(tower: *const tower) -> c_int {
    let hour = |clock: &*mut clock| unsafe { (**clock).hour };
    let inner = || match unsafe { (*tower).inner } {
        inner if inner.is_null() => 0,
        inner => unsafe { tower_hour(inner) },
    };
    unsafe { (*tower).clocks.last() }.map_or_else(inner, hour)
}

/// Releases a tower, or refuses that once.
pub unsafe extern "C" fn tower_close(tower: *mut tower) -> c_int {
    if REFUSES.replace(false) {
        return 1;
    }
    unsafe { tower_free(tower) };
    0
}

pub unsafe extern "C" fn tower_free(tower: *mut tower) {
    let (step, data) = WATCHER.get();
    if let Some(step) = step {
        unsafe { step(data) };
    }
    let clocks = unsafe { std::mem::take(&mut (*tower).clocks) };
    clocks
        .into_iter()
        .for_each(|clock| unsafe { clock_free(clock) });
    let inner = unsafe { std::mem::replace(&mut (*tower).inner, ptr::null_mut()) };
    if !inner.is_null() {
        unsafe { tower_free(inner) };
    }
    release(tower);
}

pub unsafe extern "C" fn clock_hour(clock: *const clock) -> c_int {
    unsafe { (*clock).hour }
}

/// Reads the clock before and after the step.
pub unsafe extern "C" fn clock_show(clock: *const clock, step: step, data: *mut c_void) -> c_int {
    let before = unsafe { (*clock).hour };
    unsafe { step.unwrap()(data) };
    if unsafe { (*clock).hour } != before {
        fault("a clock is wound while it is shown");
    }
    before
}

unsafe fn tower_clock(tower: *const tower) -> *mut clock {
    let inner = || unsafe { tower_clock((*tower).inner) };
    unsafe { (*tower).clocks.last() }.map_or_else(inner, |clock| *clock)
}

/// The clock, which the caller has to count.
pub unsafe extern "C" fn clock_timer(clock: *mut clock) -> *mut clock {
    clock
}

/// Puts the clock into the town's own tower.
pub unsafe extern "C" fn town_keep(town: *mut town, clock: *mut clock) {
    unsafe { tower_put((*town).tower, clock) };
}

pub unsafe extern "C" fn town_tower(town: *const town) -> *mut tower {
    unsafe { (*town).tower }
}

/// Shows a tower.
pub unsafe extern "C" fn tower_show(tower: *mut tower, see: see, data: *mut c_void) -> c_int {
    unsafe { see.unwrap()(tower, data) };
    0
}

pub unsafe extern "C" fn tower_dial(tower: *mut tower) -> *mut dial {
    tower.cast()
}

pub unsafe extern "C" fn dial_hour(dial: *const dial) -> c_int {
    unsafe { tower_hour(dial.cast()) }
}

pub unsafe extern "C" fn tower_inner(tower: *const tower) -> *mut tower {
    unsafe { (*tower).inner }
}

/// Winds the clock of the tower.
pub unsafe extern "C" fn tower_wind(tower: *mut tower, step: step, data: *mut c_void) {
    unsafe { clock_wind(tower_clock(tower), step, data) };
}

/// Sets the clock of the tower to the hour of another one, which may be the same.
pub unsafe extern "C" fn tower_set(tower: *mut tower, other: *const clock) {
    unsafe { (*tower_clock(tower)).hour = (*other).hour };
}

pub struct repair {
    clock: *mut clock,
}

/// Nothing else may read the clock while it is repaired.
pub unsafe extern "C" fn clock_repair(clock: *mut clock) -> *mut repair {
    unsafe { (*clock).hour = -1 };
    acquire("Repair", repair { clock })
}

pub unsafe extern "C" fn tower_repair(tower: *mut tower) -> *mut repair {
    unsafe { clock_repair(tower_clock(tower)) }
}

pub unsafe extern "C" fn repair_hour(repair: *const repair) -> c_int {
    unsafe { (*(*repair).clock).hour }
}

pub unsafe extern "C" fn repair_free(repair: *mut repair) {
    unsafe { (*(*repair).clock).hour = 3 };
    release(repair);
}

pub unsafe extern "C" fn crane_new(tower: *mut tower) -> *mut crane {
    acquire("Crane", crane { tower })
}

/// Winds the clock of the crane's tower.
pub unsafe extern "C" fn crane_wind(crane: *mut crane, step: step, data: *mut c_void) {
    unsafe { tower_wind((*crane).tower, step, data) };
}

pub unsafe extern "C" fn crane_free(crane: *mut crane) {
    release(crane);
}

/// Calls back now, and when a tower is freed meanwhile.
pub unsafe extern "C" fn watch_towers(step: step, data: *mut c_void) {
    WATCHER.set((step, data));
    unsafe { step.unwrap()(data) };
    WATCHER.set((None, ptr::null_mut()));
}
