//! Uses of one object that the borrow checker does not see: through a callback, through another owner, and through what C
//! keeps.
//!
//! While the library changes an object, that one is not whole: whatever uses it then is a fault.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_uint};
use std::sync::Barrier;

use leakproof::ErrorSink;
use leakproof::prelude::*;

use crate::native::{Native, log, note};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
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
}

type Hook = Box<dyn FnOnce()>;

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
/// What C lends to a callback alone.
#[handle(raw = ffi::pool, callback_only)]
struct Lent;
/// The same object, as another type.
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

#[test]
fn callback_of_an_outer_call_is_refused_what_an_inner_call_changes() {
    let _native = Native::start();
    Pool::observe(&Watch(|pool| match pool {
        // Nothing in this call says that C calls back.
        None => is_busy(Pool::new().unwrap().rebuild()),
        Some(pool) => note(format!("told {}", pool.peek())),
    }));
    assert_eq!(log(), ["busy", "release Pool"]);
}

#[test]
fn handle_of_a_callback_is_released_when_the_callback_has_returned() {
    let _native = Native::start();
    POOL.set(Some(Pool::new().unwrap()));
    Pool::last(&Look(|pool| {
        drop(POOL.take());
        note(format!("peek {}", pool.peek()));
    }));
    assert_eq!(log(), ["peek 1", "release Pool"]);
}

#[test]
fn closed_handle_of_a_callback_is_released_when_the_callback_has_returned() {
    let _native = Native::start();
    POOL.set(Some(Pool::new().unwrap()));
    Pool::last(&Look(|pool| {
        let closed = POOL.take().map(Owned::close);
        assert!(matches!(closed, Some(Ok(()))));
        note(format!("peek {}", pool.peek()));
    }));
    assert_eq!(log(), ["peek 1", "release Pool"]);
}

#[test]
fn handle_of_a_callback_is_not_changed_by_its_owner() {
    let _native = Native::start();
    POOL.set(Some(Pool::new().unwrap()));
    Pool::last(&Look(|_| {
        POOL.with_borrow_mut(|pool| is_busy(pool.as_mut().unwrap().rebuild()));
    }));
    POOL.with_borrow_mut(|pool| pool.as_mut().unwrap().rebuild().unwrap());
    drop(POOL.take());
    assert_eq!(log(), ["busy", "release Pool"]);
}

#[test]
fn handle_of_an_outer_callback_is_refused_to_an_inner_one_that_changes_it() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    Pool::last_lent(&LookLent(|_| {
        Pool::last_edited(&EditLent(Lent::rebuild));
    }));
    assert_eq!(pool.peek(), 1, "the inner callback was refused");
    Pool::last_edited(&EditLent(Lent::rebuild));
    assert_eq!(pool.peek(), 2);
}

static GATE: Barrier = Barrier::new(2);

#[handle(raw = ffi::pool, release = ffi::pool_free, attachments)]
struct Worker;

#[methods(unsafe, rust_only)]
impl Worker {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Worker>>;
    #[calls(ffi::pool_start, args = (self, look.told, look.data), scope = handle)]
    fn start(&self, look: LookBeside);
    #[calls(ffi::pool_rebuild, fails = nonzero)]
    fn rebuild(&mut self) -> Result<()>;
    /// Lets the callback go on when the pool is freed.
    #[calls(ffi::pool_open_gate)]
    fn open_gate(&self);
}

#[derive(Attachment)]
struct LookBeside(());
#[callbacks(unsafe)]
impl LookBeside {
    #[callback(Visit, args = (worker, data))]
    fn told(&self, worker: Option<Borrowed<'_, Beside>>) {
        let _ = worker;
        GATE.wait();
        GATE.wait();
    }
}

/// The same object, on the thread of C's.
#[handle(raw = ffi::pool, part_of = Worker, owner_field = itself)]
struct Beside;

#[methods(unsafe, rust_only)]
impl Beside {
    #[calls(ffi::pool_peek)]
    fn _peek(&self) -> c_int;
}

#[test]
fn handle_of_a_callback_on_another_thread_is_not_changed() {
    let _native = Native::start();
    let mut worker = Worker::new().unwrap();
    worker.start(LookBeside(()));
    GATE.wait();
    is_busy(worker.rebuild());
    GATE.wait();
    // C waits for the callback, whose end is not waited for here.
    drop(worker);
    assert_eq!(log(), ["busy", "release Pool"]);
}

#[test]
fn release_does_not_wait_for_a_callback_that_c_waits_for() {
    let _native = Native::start();
    let worker = Worker::new().unwrap();
    worker.start(LookBeside(()));
    GATE.wait();
    worker.open_gate();
    drop(worker);
    assert_eq!(log(), ["release Pool"]);
}

#[test]
fn field_of_an_object_is_in_use_until_it_is_retained() {
    let _native = Native::start();
    let one = Shared::new().unwrap();
    let mut same = one.clone();
    ON_REF.set(Some(Box::new(move || is_busy(same.rebuild()))));
    drop(one.again());
    drop(one);
    assert_eq!(log(), ["busy", "release Pool"]);
}

#[test]
fn object_is_in_use_until_what_a_call_returned_is_retained() {
    let calls: [fn(&Shared); 2] = [|one| drop(one.same()), |one| drop(one.try_same())];
    for call in calls {
        let _native = Native::start();
        let one = Shared::new().unwrap();
        let mut same = one.clone();
        ON_REF.set(Some(Box::new(move || is_busy(same.rebuild()))));
        call(&one);
        let mut same = one.clone();
        same.rebuild().unwrap();
        drop((one, same));
        assert_eq!(log(), ["busy", "release Pool"]);
    }
}

#[test]
fn handle_that_c_reports_is_in_use_until_the_report_was_taken() {
    let _native = Native::start();
    let herald = Herald::new().unwrap();
    POOL.set(Some(Pool::new().unwrap()));
    ON_REPORT.set(|pool| {
        POOL.with_borrow_mut(|owner| is_busy(owner.as_mut().unwrap().rebuild()));
        drop(POOL.take());
        note(format!("peek {}", pool.peek()));
    });
    assert!(herald.cry().is_err());
    assert_eq!(log(), ["busy", "peek 1", "release Pool"]);
}

#[test]
fn handle_that_a_call_changes_is_not_reported() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    ON_REPORT.set(|pool| note(format!("peek {}", pool.peek())));
    pool.rebuild_with(&Run(|| assert!(Herald::new().unwrap().cry().is_err())));
    assert!(Herald::new().unwrap().cry().is_err());
    assert_eq!(log(), ["release Herald", "peek 1", "release Herald"]);
}

#[test]
fn handle_of_an_outer_callback_is_refused_to_an_inner_one_of_another_type() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    Pool::last_lent(&LookLent(|_| {
        Pool::last_changed(&Change(LentToChange::rebuild));
    }));
    assert_eq!(pool.peek(), 1, "the inner callback was refused");
    Pool::last_changed(&Change(LentToChange::rebuild));
    assert_eq!(pool.peek(), 2);
}

#[test]
fn owner_that_is_given_to_c_uses_the_object() {
    let _native = Native::start();
    let mut one = Shared::new().unwrap();
    SHARED.set(Some(one.clone()));
    one.rebuild_with(&Run(|| {
        is_busy(Shared::finish(SHARED.take().unwrap()));
    }));
    let same = one.clone();
    is_busy(one.assign(same));
    assert_eq!(Shared::finish(one).unwrap(), 1);
    assert_eq!(log(), ["busy", "busy", "release Pool"]);
}

#[test]
fn call_on_a_child_uses_a_second_parent() {
    let _native = Native::start();
    let (pool, shared) = (Pool::new().unwrap(), Shared::new().unwrap());
    let item = pool.item_of(&shared).unwrap();
    SHARED.set(Some(shared.clone()));
    item.visit(&Run(|| {
        let mut same = SHARED.take().unwrap();
        is_busy(same.rebuild());
    }));
    assert_eq!(log(), ["busy"]);
}

#[test]
fn child_of_an_object_is_released_when_that_was_changed() {
    let _native = Native::start();
    let shared: &'static _ = Box::leak(Box::new(Shared::new().unwrap()));
    let mut same = shared.clone();
    CHILD.set(Some(shared.item().unwrap()));
    same.rebuild_with(&Run(|| {
        drop(CHILD.take());
        note("dropped");
    }));
    assert_eq!(log(), ["dropped", "release Item"]);
    drop(same);
    // SAFETY: the box was leaked above, and nothing borrows it any more.
    drop(unsafe { Box::from_raw(std::ptr::from_ref(shared).cast_mut()) });
}

#[test]
fn child_of_an_object_is_released_when_no_other_child_holds_that() {
    let _native = Native::start();
    let shared = Shared::new().unwrap();
    let mut same = shared.clone();
    let item = shared.item().unwrap();
    let audit = same.audit().unwrap();
    drop(item);
    assert_eq!(log(), Vec::<String>::new());
    drop(audit);
    assert_eq!(log(), ["release Audit", "release Item"]);
}

/// A pool, and a bag in which C keeps an item of it.
fn kept() -> (Owned<'static, Pool>, Owned<'static, Bag>) {
    let (pool, mut bag) = (Pool::new().unwrap(), Bag::new().unwrap());
    bag.add(pool.item().unwrap());
    (pool, bag)
}

#[test]
fn keeper_is_not_used_while_what_it_keeps_is_changed() {
    let _native = Native::start();
    let (mut pool, bag) = kept();
    BAG.set(Some(bag));
    pool.rebuild_with(&Run(|| {
        BAG.with_borrow(|bag| is_busy(bag.as_ref().unwrap().sum()));
    }));
    assert_eq!(BAG.take().unwrap().sum().unwrap(), 1);
}

#[test]
fn keeper_is_released_when_what_it_keeps_was_changed() {
    let _native = Native::start();
    let (mut pool, bag) = kept();
    BAG.set(Some(bag));
    pool.rebuild_with(&Run(|| {
        drop(BAG.take());
        note("dropped");
    }));
    assert_eq!(log(), ["dropped", "release Item", "release Bag"]);
}

#[test]
fn keeper_is_released_when_no_child_holds_what_it_keeps() {
    let _native = Native::start();
    let (mut pool, bag) = kept();
    let audit = pool.audit().unwrap();
    drop(bag);
    assert_eq!(log(), Vec::<String>::new());
    drop(audit);
    assert_eq!(log(), ["release Audit", "release Item", "release Bag"]);
}

#[test]
fn numbers_of_two_types_are_two_objects() {
    let _native = Native::start();
    let mut file = File::open().unwrap();
    file.run(&Run(|| {
        let timer = Timer::open().unwrap();
        note(format!("timer {}", timer.get().unwrap()));
    }));
    assert_eq!(log(), ["timer 3"]);
}

#[test]
fn number_of_a_held_owner_is_no_part() {
    let mut native = Native::start();
    for name in ["Pool", "Audit"] {
        native.loses(name);
        native.counts(name);
    }
    let mut pool = Pool::new().unwrap();
    assert_eq!(
        Borrowed::<Number>::from_integer(&pool, 1)
            .unwrap()
            .get()
            .get(),
        1
    );
    std::mem::forget(pool.audit().unwrap());
    let message = crate::panic_of(|| Borrowed::<Number>::from_integer(&pool, 1).is_some());
    assert_eq!(message, Error::Busy("Pool").to_string());
    std::mem::forget(pool);
}

#[test]
fn new_object_at_the_address_of_a_freed_one_is_in_no_use() {
    thread_local! {
        static SHIFTED: Cell<bool> = const { Cell::new(false) };
    }
    let _native = Native::start();
    // The call that took the former seat is still running.
    let run = Run(|| {
        let mut seat = Seat::new().unwrap();
        SHIFTED.set(seat.shift().is_ok());
    });
    Seat::leave(Seat::new().unwrap(), &run);
    assert!(SHIFTED.get());
    assert_eq!(leakproof::live_handles()["Seat"], 0);
}
