//! The C library: pools and their items, which bags keep; heralds, which report pools; seats and numbers.

#![allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]

use std::cell::Cell;
use std::ffi::{c_int, c_uint, c_void};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::native::{acquire, fault, release, touch};

pub type visit = Option<unsafe extern "C" fn(*mut pool, *mut c_void)>;
pub type plain = Option<unsafe extern "C" fn(*mut c_void)>;

pub struct pool {
    pub owners: usize,
    pub is_whole: bool,
    pub value: c_int,
    pub on: plain,
    pub data: *mut c_void,
    pub beside: Option<std::thread::JoinHandle<()>>,
    pub opens_gate: bool,
    pub itself: *mut pool,
}

thread_local! {
    static OBSERVER: Cell<(visit, *mut c_void)> = const { Cell::new((None, null_mut())) };
    static LAST: Cell<*mut pool> = const { Cell::new(null_mut()) };
}

fn look(pool: *mut pool) {
    touch(pool);
    if !unsafe { (*pool).is_whole } {
        fault("a pool is used while it is changed");
    }
}

pub unsafe extern "C" fn pool_new() -> *mut pool {
    let pool = acquire(
        "Pool",
        pool {
            owners: 1,
            is_whole: true,
            value: 1,
            on: None,
            data: null_mut(),
            beside: None,
            opens_gate: false,
            itself: null_mut(),
        },
    );
    unsafe { (*pool).itself = pool };
    LAST.set(pool);
    pool
}

pub unsafe extern "C" fn pool_ref(pool: *mut pool) -> *mut pool {
    touch(pool);
    unsafe { (*pool).owners += 1 };
    super::ON_REF.take().into_iter().for_each(|hook| hook());
    pool
}

pub unsafe extern "C" fn pool_unref(pool: *mut pool) {
    touch(pool);
    unsafe { (*pool).owners -= 1 };
    if unsafe { (*pool).owners } == 0 {
        release(pool);
    }
}

/// Tells the observer of the thread before the pool is gone.
pub unsafe extern "C" fn pool_free(pool: *mut pool) {
    look(pool);
    if unsafe { (*pool).opens_gate } {
        super::GATE.wait();
    }
    if let Some(beside) = unsafe { (*pool).beside.take() } {
        let _ = beside.join();
    }
    unsafe { (*pool).is_whole = false };
    tell(pool);
    release(pool);
}

fn tell(pool: *mut pool) {
    let (visit, data) = OBSERVER.get();
    if let Some(visit) = visit {
        unsafe { visit(pool, data) };
    }
}

/// Nothing else uses the pool meanwhile. The observer of the thread is told.
pub unsafe extern "C" fn pool_rebuild(pool: *mut pool) -> c_int {
    look(pool);
    unsafe { (*pool).is_whole = false };
    tell(pool);
    unsafe { (*pool).is_whole = true };
    unsafe { (*pool).value += 1 };
    0
}

pub unsafe extern "C" fn pool_rebuild_with(pool: *mut pool, f: plain, data: *mut c_void) {
    look(pool);
    unsafe { (*pool).is_whole = false };
    f.into_iter().for_each(|f| unsafe { f(data) });
    unsafe { (*pool).is_whole = true };
}

pub unsafe extern "C" fn pool_peek(pool: *mut pool) -> c_int {
    look(pool);
    unsafe { (*pool).value }
}

/// Tells `visit` while this runs: at its beginning, and of each change of a pool.
pub unsafe extern "C" fn observe(visit: visit, data: *mut c_void) {
    let outer = OBSERVER.replace((visit, data));
    unsafe { visit.unwrap()(null_mut(), data) };
    OBSERVER.set(outer);
}

pub struct basin {
    _value: c_int,
}

/// Returns the beginning of the last pool.
pub unsafe extern "C" fn last_basin() -> *mut basin {
    LAST.get().cast()
}

pub unsafe extern "C" fn basin_free(_: *mut basin) {
    crate::native::note("release Basin");
}

pub struct hose {
    basin: *mut basin,
}

pub unsafe extern "C" fn basin_hose(basin: *mut basin) -> *mut hose {
    acquire("Hose", hose { basin })
}

pub unsafe extern "C" fn hose_run(hose: *mut hose) -> c_int {
    touch(hose);
    unsafe { basin_fill((*hose).basin) }
}

pub unsafe extern "C" fn hose_free(hose: *mut hose) {
    release(hose);
}

pub unsafe extern "C" fn basin_fill(basin: *mut basin) -> c_int {
    look(basin.cast());
    0
}

/// Calls back with the last pool.
pub unsafe extern "C" fn last(visit: visit, data: *mut c_void) {
    unsafe { visit.unwrap()(LAST.get(), data) };
}

pub unsafe extern "C" fn pool_start(pool: *mut pool, visit: visit, data: *mut c_void) {
    let (here, data) = (pool.expose_provenance(), data.expose_provenance());
    let beside = std::thread::spawn(move || {
        let pool = std::ptr::with_exposed_provenance_mut(here);
        unsafe { visit.unwrap()(pool, std::ptr::with_exposed_provenance_mut(data)) };
    });
    unsafe { (*pool).beside = Some(beside) };
}

pub unsafe extern "C" fn pool_open_gate(pool: *mut pool) {
    unsafe { (*pool).opens_gate = true };
}

/// The pool itself.
pub unsafe extern "C" fn pool_self(pool: *mut pool) -> *mut pool {
    look(pool);
    pool
}

/// Fails because of a pool, and reports which.
pub struct herald {
    pub report: visit_reported,
}

pub type visit_reported = Option<unsafe extern "C" fn(*mut c_void, *mut pool)>;

pub unsafe extern "C" fn herald_new() -> *mut herald {
    acquire("Herald", herald { report: None })
}

pub unsafe extern "C" fn herald_free(herald: *mut herald) {
    release(herald);
}

/// Blames the last pool.
pub unsafe extern "C" fn herald_cry(herald: *mut herald) -> c_int {
    touch(herald);
    if let Some(report) = unsafe { (*herald).report } {
        unsafe { report(null_mut(), LAST.get()) };
    }
    1
}

/// Takes an owner over, and tells the value.
pub unsafe extern "C" fn pool_finish(pool: *mut pool) -> c_int {
    let value = unsafe { pool_peek(pool) };
    unsafe { pool_unref(pool) };
    value
}

/// Takes an owner of the other pool over, and that one's value.
pub unsafe extern "C" fn pool_assign(pool: *mut pool, other: *mut pool) -> c_int {
    look(pool);
    unsafe { (*pool).is_whole = false };
    look(other);
    unsafe { (*pool).is_whole = true };
    unsafe { pool_unref(other) };
    0
}

pub struct item {
    pool: *mut pool,
}

pub unsafe extern "C" fn item_new(pool: *mut pool) -> *mut item {
    look(pool);
    acquire("Item", item { pool })
}

pub unsafe extern "C" fn item_beside(_: *mut pool, pool: *mut pool) -> *mut item {
    unsafe { item_new(pool) }
}

pub unsafe extern "C" fn item_free(item: *mut item) {
    look(unsafe { (*item).pool });
    release(item);
}

pub unsafe extern "C" fn item_visit(item: *mut item, f: plain, data: *mut c_void) {
    look(unsafe { (*item).pool });
    f.into_iter().for_each(|f| unsafe { f(data) });
    look(unsafe { (*item).pool });
}

/// While it lives nothing else uses the pool.
pub unsafe extern "C" fn audit_new(pool: *mut pool) -> *mut item {
    look(pool);
    unsafe { (*pool).is_whole = false };
    acquire("Audit", item { pool })
}

pub unsafe extern "C" fn audit_free(audit: *mut item) {
    unsafe { (*(*audit).pool).is_whole = true };
    release(audit);
}

pub struct bag {
    items: Vec<*mut item>,
}

pub unsafe extern "C" fn bag_new() -> *mut bag {
    acquire("Bag", bag { items: Vec::new() })
}

pub unsafe extern "C" fn bag_add(bag: *mut bag, item: *mut item) {
    touch(bag);
    unsafe { (*bag).items.push(item) };
}

/// Moves all items to the first of two new bags, or to the second.
pub unsafe extern "C" fn bag_split(bag: *mut bag, one: *mut *mut bag, two: *mut *mut bag) {
    let items = unsafe { std::mem::take(&mut (*bag).items) };
    unsafe {
        bag_free(bag);
        *one = acquire("Bag", self::bag { items });
        *two = bag_new();
    }
}

pub unsafe extern "C" fn bag_free(bag: *mut bag) {
    for item in unsafe { std::mem::take(&mut (*bag).items) } {
        unsafe { item_free(item) };
    }
    release(bag);
}

pub unsafe extern "C" fn bag_sum(bag: *mut bag) -> c_int {
    touch(bag);
    let items = unsafe { &(*bag).items };
    items
        .iter()
        .map(|item| unsafe { pool_peek((**item).pool) })
        .sum()
}

/// A seat. There is one, so each that is made is where the former one was.
pub struct seat {
    moves: AtomicU8,
}

static SEAT: seat = seat {
    moves: AtomicU8::new(0),
};

pub unsafe extern "C" fn seat_new() -> *mut seat {
    std::ptr::from_ref(&SEAT).cast_mut()
}

pub unsafe extern "C" fn seat_free(_: *mut seat) {}

/// Frees the seat, then calls back.
pub unsafe extern "C" fn seat_leave(seat: *mut seat, f: plain, data: *mut c_void) {
    unsafe { seat_free(seat) };
    f.into_iter().for_each(|f| unsafe { f(data) });
}

pub unsafe extern "C" fn seat_move(seat: *mut seat) -> c_int {
    unsafe { (*seat).moves.fetch_add(1, Ordering::Relaxed) };
    0
}

pub unsafe extern "C" fn number_open() -> c_int {
    3
}

pub unsafe extern "C" fn number_close(_: c_int) {}

pub unsafe extern "C" fn number_run(_: c_int, f: plain, data: *mut c_void) {
    f.into_iter().for_each(|f| unsafe { f(data) });
}

pub unsafe extern "C" fn number_get(number: c_int) -> c_int {
    number
}

pub unsafe extern "C" fn part_get(number: c_uint) -> c_uint {
    number
}
