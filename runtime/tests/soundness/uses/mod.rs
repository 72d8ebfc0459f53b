//! Uses of one object that the borrow checker does not see: through a callback, through another owner, and through what
//! C keeps.
//!
//! While the library changes an object, that one is not whole: whatever uses it then is a fault.

mod callbacks;
mod ffi;
mod identity;
mod keepers;
mod owners;
mod threads;

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_uint};
use std::sync::Barrier;

use leakproof::ErrorSink;
use leakproof::prelude::*;

use crate::native::{Native, log, note};

type Hook = Box<dyn FnOnce()>;

/// The gate at which a callback of another thread waits, and the library waits for that callback.
static GATE: Barrier = Barrier::new(2);

thread_local! {
    /// Runs when C counts one owner more.
    static ON_REF: Cell<Option<Hook>> = const { Cell::new(None) };
    /// Runs for each pool that C reports.
    static ON_REPORT: Cell<fn(&Pool)> = const { Cell::new(|_| {}) };
    static POOL: RefCell<Option<Owned<'static, Pool>>> = const { RefCell::new(None) };
    static BAG: RefCell<Option<Owned<'static, Bag>>> = const { RefCell::new(None) };
    static SHARED: RefCell<Option<Owned<'static, Shared>>> = const { RefCell::new(None) };
    static CHILD: RefCell<Option<Owned<'static, SharedItem>>> = const { RefCell::new(None) };
}

#[handle(raw = ffi::pool, release = ffi::pool_free, fork_safe)]
struct Pool;
#[handle(raw = ffi::item, release = ffi::item_free, parent = Pool, fork_safe)]
struct Item;
#[handle(raw = ffi::item, release = ffi::audit_free, parent = &mut Pool, fork_safe)]
struct Audit;
#[handle(raw = ffi::bag, release = ffi::bag_free, fork_safe)]
struct Bag;
/// A pool that C lends to callbacks only.
#[handle(raw = ffi::pool, callback_only)]
struct Lent;
/// A pool that C lends to callbacks only, as another type.
#[handle(raw = ffi::pool, callback_only)]
struct LentToChange;
#[handle(raw = ffi::herald, release = ffi::herald_free, errors(Blamed, callback = report), fork_safe)]
struct Herald;
#[handle(raw = ffi::pool, release = ffi::pool_unref, retain = ffi::pool_ref, independent, fork_safe)]
struct Shared;
#[handle(raw = ffi::item, release = ffi::item_free, parent = Shared, fork_safe)]
struct SharedItem;
#[handle(raw = ffi::item, release = ffi::audit_free, parent = &mut Shared, fork_safe)]
struct SharedAudit;
#[handle(raw = ffi::item, release = ffi::item_free, parent = (Pool, Shared), fork_safe)]
struct BetweenItem;
#[handle(raw = ffi::seat, release = ffi::seat_free, fork_safe)]
struct Seat;
#[handle(integer = c_int, release = ffi::number_close)]
struct File;
#[handle(integer = c_int, release = ffi::number_close)]
struct Timer;
#[handle(integer = c_uint, invalid = c_uint::MAX, part_of = Pool)]
struct Number;

type Visit = unsafe extern "C" fn(*mut ffi::pool, *mut std::ffi::c_void);
type Plain = unsafe extern "C" fn(*mut std::ffi::c_void);

struct Watch(fn(Option<Borrowed<'_, Pool>>));
impl Attachment for Watch {}
#[callbacks(unsafe)]
impl Watch {
    #[callback(Visit, args = (pool, data))]
    fn told(&self, pool: Option<Borrowed<'_, Pool>>) {
        (self.0)(pool);
    }
}

struct Look(fn(&Pool));
impl Attachment for Look {}
#[callbacks(unsafe)]
impl Look {
    #[callback(Visit, args = (pool, data))]
    fn told(&self, pool: &Pool) {
        (self.0)(pool);
    }
}

struct LookLent(fn(&Lent));
impl Attachment for LookLent {}
#[callbacks(unsafe)]
impl LookLent {
    #[callback(Visit, args = (lent, data))]
    fn told(&self, lent: &Lent) {
        (self.0)(lent);
    }
}

struct Change(fn(&mut LentToChange));
impl Attachment for Change {}
#[callbacks(unsafe)]
impl Change {
    #[callback(Visit, args = (lent, data))]
    fn told(&self, lent: &mut LentToChange) {
        (self.0)(lent);
    }
}

/// Runs code of the test for each pool that C reports.
#[derive(Default)]
struct Blamed;

impl ErrorSink for Blamed {
    type Record = Pool;

    fn record(&mut self, pool: &Pool) {
        ON_REPORT.with(|hook| hook.get())(pool);
    }
}

impl ErrorSource<Herald> for Blamed {
    fn into_error(self, call: &CallInfo<'_, Herald>) -> Error {
        Error::Failed(call.function)
    }
}

#[methods(unsafe, rust_only)]
impl Herald {
    #[calls(ffi::herald_new, fails = null)]
    fn new() -> Result<Owned<Herald>>;
    #[calls(ffi::herald_cry, fails = nonzero)]
    fn cry(&self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl LentToChange {
    #[calls(ffi::pool_rebuild)]
    fn rebuild(&mut self);
}

struct EditLent(fn(&mut Lent));
impl Attachment for EditLent {}
#[callbacks(unsafe)]
impl EditLent {
    #[callback(Visit, args = (lent, data))]
    fn told(&self, lent: &mut Lent) {
        (self.0)(lent);
    }
}

struct Run(fn());
impl Attachment for Run {}
#[callbacks(unsafe)]
impl Run {
    #[callback(Plain, args = (data))]
    fn run(&self) {
        (self.0)();
    }
}

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Pool>>;
    #[calls(ffi::pool_rebuild, fails = nonzero)]
    fn rebuild(&mut self) -> Result<()>;
    #[calls(ffi::pool_rebuild_with, args = (self, run.run, run.data))]
    fn rebuild_with(&mut self, run: &Run);
    #[calls(ffi::pool_peek)]
    fn peek(&self) -> c_int;
    #[calls(ffi::pool_peek, fails = negative)]
    fn try_peek(&self) -> Result<c_int>;
    #[calls(ffi::observe, args = (watch.told, watch.data))]
    fn observe(watch: &Watch);
    #[calls(ffi::last, args = (look.told, look.data))]
    fn last(look: &Look);
    #[calls(ffi::last, args = (look.told, look.data))]
    fn last_lent(look: &LookLent);
    #[calls(ffi::last, args = (change.told, change.data))]
    fn last_changed(change: &Change);
    #[calls(ffi::last, args = (edit.told, edit.data))]
    fn last_edited(edit: &EditLent);
    #[calls(ffi::last, args = (look.told, look.data))]
    fn lend(&mut self, look: &LookLent);
    #[calls(ffi::last, args = (change.told, change.data))]
    fn change(&mut self, change: &Change);
    #[calls(ffi::last, args = (edit.told, edit.data))]
    fn edit(&mut self, edit: &EditLent);
    #[calls(ffi::item_new, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;
    #[calls(ffi::item_beside, fails = null, keep_alive = (shared))]
    fn item_of(&self, shared: &Shared) -> Result<Owned<BetweenItem>>;
    #[calls(ffi::audit_new, fails = null)]
    fn audit(&mut self) -> Result<Owned<Audit>>;
}

#[methods(unsafe, rust_only)]
impl Lent {
    #[calls(ffi::pool_rebuild)]
    fn rebuild(&mut self);
}

#[methods(unsafe, rust_only)]
impl Bag {
    #[calls(ffi::bag_new, fails = null)]
    fn new() -> Result<Owned<Bag>>;
    #[calls(ffi::bag_add, consumes = always)]
    fn add(&mut self, item: Owned<Item>);
    #[calls(ffi::bag_split, args = (bag, out, out))]
    fn split(bag: Owned<Bag>) -> (Owned<Bag>, Owned<Bag>);
    #[calls(ffi::bag_sum, fails = negative)]
    fn sum(&self) -> Result<c_int>;
}

#[methods(unsafe, rust_only)]
impl Shared {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Shared>>;
    #[calls(ffi::pool_rebuild, fails = nonzero)]
    fn rebuild(&mut self) -> Result<()>;
    #[calls(ffi::pool_rebuild_with, args = (self, run.run, run.data))]
    fn rebuild_with(&mut self, run: &Run);
    #[calls(ffi::pool_finish, consumes = always, fails = negative)]
    fn finish(this: Owned<Shared>) -> Result<c_int>;
    #[calls(ffi::pool_assign, consumes = always, fails = nonzero)]
    fn assign(&mut self, other: Owned<Shared>) -> Result<()>;
    #[calls(ffi::item_new, fails = null)]
    fn item(&self) -> Result<Owned<SharedItem>>;
    #[calls(ffi::audit_new, fails = null)]
    fn audit(&mut self) -> Result<Owned<SharedAudit>>;
    #[calls(ffi::pool_self, retain)]
    fn same(&self) -> Option<Owned<Shared>>;
    #[calls(ffi::pool_self, retain, fails = null)]
    fn try_same(&self) -> Result<Owned<Shared>>;
    /// The object itself.
    #[field(self, retain)]
    fn again(&self) -> Option<Owned<Shared>>;
}

#[methods(unsafe, rust_only)]
impl BetweenItem {
    #[calls(ffi::item_visit, args = (self, run.run, run.data))]
    fn visit(&self, run: &Run);
}

#[methods(unsafe, rust_only)]
impl Seat {
    #[calls(ffi::seat_new, fails = null)]
    fn new() -> Result<Owned<Seat>>;
    #[calls(ffi::seat_leave, args = (this, run.run, run.data), consumes = always)]
    fn leave(this: Owned<Seat>, run: &Run);
    #[calls(ffi::seat_move, fails = nonzero)]
    fn shift(&mut self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl File {
    #[calls(ffi::number_open, fails = negative)]
    fn open() -> Result<Owned<File>>;
    #[calls(ffi::number_run, args = (self, run.run, run.data))]
    fn run(&mut self, run: &Run);
}

#[methods(unsafe, rust_only)]
impl Timer {
    #[calls(ffi::number_open, fails = negative)]
    fn open() -> Result<Owned<Timer>>;
    #[calls(ffi::number_get, fails = negative)]
    fn get(&self) -> Result<c_int>;
}

#[methods(unsafe, rust_only)]
impl Number {
    #[calls(ffi::part_get)]
    fn get(&self) -> c_uint;
}

fn is_busy<T: std::fmt::Debug>(result: Result<T>) {
    assert!(matches!(result, Err(Error::Busy(_))), "{result:?}");
    note("busy");
}
