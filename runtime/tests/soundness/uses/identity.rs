//! Numbers, and objects at one address: which of them are the same object.

use super::*;

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

/// The beginning of a pool, with a release of its own.
#[handle(raw = ffi::basin, release = ffi::basin_free, fork_safe)]
struct Basin;

#[methods(unsafe, rust_only)]
impl Basin {
    #[calls(ffi::last_basin, fails = null)]
    fn last() -> Result<Owned<Basin>>;

    #[calls(ffi::basin_fill, fails = nonzero)]
    fn fill(&mut self) -> Result<()>;
}

#[test]
fn new_object_at_the_beginning_of_one_that_a_call_changes_is_not_changed() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    pool.rebuild_with(&Run(|| is_busy(Basin::last().unwrap().fill())));
    Basin::last().unwrap().fill().unwrap();
    assert_eq!(log(), ["busy", "release Basin", "release Basin"]);
}

/// Holds a pool, at the beginning of that.
#[handle(raw = ffi::basin, release = ffi::basin_free, parent = &mut Pool, fork_safe)]
struct Cover;

#[handle(raw = ffi::hose, release = ffi::hose_free, parent = Cover, fork_safe)]
struct Hose;

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::last_basin, args = (), fails = null)]
    fn cover(&mut self) -> Result<Owned<Cover>>;
}

#[methods(unsafe, rust_only)]
impl Cover {
    #[calls(ffi::basin_hose, fails = null)]
    fn hose(&self) -> Result<Owned<Hose>>;
}

#[methods(unsafe, rust_only)]
impl Hose {
    #[calls(ffi::hose_run, fails = nonzero)]
    fn run(&self) -> Result<()>;
}

#[test]
fn child_that_holds_its_parent_at_the_same_address_is_used_by_its_own_children() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    let cover = pool.cover().unwrap();
    let hose = cover.hose().unwrap();
    hose.run().unwrap();
    drop(hose);
    drop(cover);
    assert_eq!(pool.peek(), 1);
}
