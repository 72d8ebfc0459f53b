//! The things that a handle keeps besides its pointer: callbacks of every scope, other values, the parent that its
//! release needs.

use std::ffi::{c_int, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leakproof::prelude::*;

mod defaults;
mod forked;
#[path = "../library/mod.rs"]
mod library;

use forked::in_forked_child;
use library::{self as ffi, log, note};

/// Returns the message that `call` panicked with.
fn panic_of<R>(call: impl FnOnce() -> R) -> &'static str {
    let Err(panic) = catch_unwind(AssertUnwindSafe(call)) else {
        panic!("it should have panicked");
    };
    panic.downcast_ref::<&str>().unwrap()
}

type Action = Box<dyn Fn(c_int) -> Result<c_int> + Send + Sync>;

/// The callbacks.
struct Ring {
    name: &'static str,
    action: Action,
}

impl Attachment for Ring {}

impl Drop for Ring {
    fn drop(&mut self) {
        note(format!("drop {}", self.name));
    }
}

#[callbacks(unsafe)]
impl Ring {
    #[callback(ffi::ring, args = (time, data), on_error = -1)]
    fn ring(&self, time: c_int) -> Result<c_int> {
        note(format!("{} {time}", self.name));
        (self.action)(time)
    }

    #[callback(unsafe extern "C" fn(c_int, *mut c_void) -> c_int, args = (_, data), on_error = 0, even_after_error)]
    fn last(&self) {
        note(format!("{} last", self.name));
    }
}

fn ring(name: &'static str) -> Ring {
    acting(name, |_| Ok(0))
}

fn acting(
    name: &'static str,
    action: impl Fn(c_int) -> Result<c_int> + Send + Sync + 'static,
) -> Ring {
    Ring {
        name,
        action: Box::new(action),
    }
}

fn fails(name: &'static str) -> Ring {
    acting(name, |_| Err(Error::Value("no more".into())))
}

#[handle(
    raw = ffi::bell,
    release(ffi::bell_free, fails = nonzero, on_failure = kept),
    attachments
)]
struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_new, fails = null)]
    fn new() -> Result<Owned<Bell>>;

    #[calls(
        ffi::bell_add,
        args = (self, ring.ring, ring.data, ring.destroy),
        fails = nonzero,
        scope = notified,
        consumes = always
    )]
    fn add(&self, ring: Option<Ring>) -> Result<()>;

    #[calls(
        ffi::bell_add,
        args = (self, ring.ring, ring.data, ring.destroy),
        fails = nonzero,
        scope = notified,
        consumes = on_success
    )]
    fn add_if_it_can(&self, ring: Ring) -> Result<()>;

    #[calls(ffi::bell_set, args = (self, ring.ring, ring.data), fails = nonzero, scope = until_replaced)]
    fn set(&mut self, ring: Option<Ring>) -> Result<()>;

    #[calls(ffi::bell_add, args = (self, ring.ring, ring.data, null), fails = nonzero, scope = handle)]
    fn add_for_ever(&self, ring: Ring) -> Result<()>;

    #[calls(ffi::bell_remove)]
    fn remove(&self);

    #[calls(ffi::bell_ring, fails = nonzero)]
    fn ring(&self, times: c_int) -> Result<()>;

    #[calls(ffi::bell_ring_on)]
    fn ring_on(&self, times: c_int);

    #[calls(ffi::bell_each, args = (self, ring.ring, ring.last, ring.data), fails = nonzero)]
    fn each(&self, ring: &Ring) -> Result<()>;

    #[calls(ffi::bell_each_on, args = (self, ring.ring, ring.last, ring.data), fails = nonzero)]
    fn each_on(&self, ring: &Ring) -> Result<()>;

    #[calls(ffi::bell_melt_never, fails = negative, consumes = on_success)]
    fn melt_never(this: Owned<Self>) -> Result<()>;

    #[calls(ffi::bell_set_refuses)]
    fn set_refuses(&self, status: c_int, destroys: bool);

    #[calls(ffi::bell_set_forgets)]
    fn set_forgets(&self);

    #[calls(ffi::remember)]
    fn remember();

    #[calls(ffi::bell_melt, fails = negative, consumes = always)]
    fn melt(this: Owned<Self>) -> Result<()>;

    #[calls(ffi::rope_new, fails = null)]
    fn rope(&self, number: c_int) -> Result<Owned<Rope>>;

    #[calls(ffi::tie, keep_alive = (rope), fails = null)]
    fn tie(&self, rope: &Rope) -> Result<Owned<Knot>>;
}

/// Its release needs its bell.
#[handle(raw = ffi::rope, release(ffi::rope_free, args = (parent, self)), parent = Bell)]
struct Rope;

/// A handle that lives in a bell and in a rope.
#[handle(raw = c_int, release = ffi::untie, parent = (Bell, Rope))]
struct Knot;

fn bell() -> Owned<'static, Bell> {
    let bell = Bell::new().unwrap();
    log();
    bell
}

// ---- for the length of a call

#[test]
fn what_is_lent_for_a_call_is_called_and_stays() {
    let bell = bell();
    let mine = ring("mine");
    bell.each(&mine).unwrap();
    assert_eq!(log(), ["mine 7", "mine 7", "mine last"]);
    drop(mine);
    assert_eq!(log(), ["drop mine"]);
}

#[test]
fn an_error_stops_c_and_comes_out_as_it_is() {
    let bell = bell();
    let error = bell.each(&fails("mine")).unwrap_err();
    assert_eq!(error.to_string(), "no more");
    assert_eq!(log(), ["mine 7", "drop mine"]);
    bell.each(&ring("mine")).unwrap();
}

#[test]
fn a_panic_stops_c_and_continues_afterwards() {
    let bell = bell();
    bell.add(Some(acting("mine", |_| panic!("inside"))))
        .unwrap();
    assert_eq!(panic_of(|| bell.ring(5)), "inside");
    assert_eq!(panic_of(|| bell.ring_on(5)), "inside");
    assert_eq!(log(), ["mine 0", "mine 0"]);
}

#[test]
fn a_status_of_the_callback_is_the_callers() {
    let bell = bell();
    bell.add(Some(acting("mine", Ok))).unwrap();
    let error = bell.ring(5).unwrap_err();
    assert_eq!(error.to_string(), "bell_ring failed");
    assert_eq!(log(), ["mine 0", "mine 1"]);
}

#[test]
fn nothing_more_is_called_after_an_error() {
    let bell = bell();
    bell.add(Some(fails("first"))).unwrap();
    bell.add(Some(ring("second"))).unwrap();
    // It does not stop, and what can't fail has nobody to tell.
    bell.ring_on(3);
    assert_eq!(log(), ["first 0"]);
    bell.ring(1).unwrap_err();
    assert_eq!(log(), ["first 0"]);
}

#[test]
fn what_is_always_called_is_called_after_an_error() {
    let bell = bell();
    let mine = fails("mine");
    bell.each(&mine).unwrap_err();
    assert_eq!(log(), ["mine 7"]);
    // C calls on: only what always runs does.
    bell.each_on(&mine).unwrap_err();
    assert_eq!(log(), ["mine 7", "mine last"]);
    bell.each(&acting("other", |_| Ok(0))).unwrap();
    assert_eq!(log(), ["other 7", "other 7", "other last", "drop other"]);
}

#[test]
fn a_call_within_a_callback_has_its_own_errors() {
    let outer = bell();
    outer
        .add(Some(acting("outer", |_| {
            let inner = Bell::new()?;
            inner.add(Some(fails("inner")))?;
            assert!(inner.ring(1).is_err());
            Ok(0)
        })))
        .unwrap();
    outer.ring(1).unwrap();
    let outer = bell();
    outer
        .add(Some(acting("outer", |_| {
            let inner = Bell::new()?;
            inner.add(Some(fails("inner")))?;
            inner.ring(1)?;
            Ok(0)
        })))
        .unwrap();
    assert_eq!(outer.ring(1).unwrap_err().to_string(), "no more");
}

#[test]
fn a_thread_of_its_own_has_nobody_to_tell() {
    let count = Arc::new(AtomicUsize::new(0));
    let bell = bell();
    let counted = count.clone();
    bell.add(Some(acting("mine", move |_| {
        counted.fetch_add(1, Ordering::Relaxed);
        Err(Error::Value("told".into()))
    })))
    .unwrap();
    let raw = leakproof::Handle::as_raw(&*bell).expose_provenance();
    std::thread::spawn(move || {
        // SAFETY: the bell is alive until this thread has ended.
        unsafe { ffi::bell_ring_on(std::ptr::with_exposed_provenance_mut(raw), 2) };
    })
    .join()
    .unwrap();
    // There is no call that it could end.
    assert_eq!(count.load(Ordering::Relaxed), 2);
}

// ---- until C says so

#[test]
fn what_is_notified_is_dropped_when_c_says_so() {
    let bell = bell();
    bell.add(Some(ring("one"))).unwrap();
    bell.add(Some(ring("two"))).unwrap();
    bell.ring(1).unwrap();
    bell.remove();
    assert_eq!(log(), ["one 0", "two 0", "drop two"]);
    drop(bell);
    assert_eq!(log(), ["free", "drop one", "freed"]);
}

#[test]
fn what_c_refuses_is_dropped_once() {
    let bell = bell();
    bell.set_refuses(1, true);
    bell.add(Some(ring("always"))).unwrap_err();
    assert_eq!(log(), ["drop always"]);
    bell.set_refuses(1, false);
    bell.add_if_it_can(ring("on success")).unwrap_err();
    assert_eq!(log(), ["drop on success"]);
    bell.set_refuses(0, false);
    bell.add_if_it_can(ring("on success")).unwrap();
    assert!(log().is_empty());
    drop(bell);
    assert_eq!(log(), ["free", "drop on success", "freed"]);
}

#[test]
fn none_is_null() {
    let bell = bell();
    bell.add(None).unwrap();
    bell.ring(1).unwrap();
    assert!(log().is_empty());
}

#[test]
fn what_removes_itself_stays_until_it_returns() {
    let bell = bell();
    let raw = leakproof::Handle::as_raw(&*bell).expose_provenance();
    let held = ring("held");
    bell.add(Some(acting("mine", move |_| {
        // SAFETY: the bell is alive, and the library allows this.
        unsafe { ffi::bell_remove(std::ptr::with_exposed_provenance_mut(raw)) };
        let held = &held;
        note(format!("still here: {}", held.name));
        Ok(0)
    })))
    .unwrap();
    bell.ring(1).unwrap();
    assert_eq!(
        log(),
        ["mine 0", "still here: held", "drop mine", "drop held"]
    );
}

#[test]
fn what_c_destroys_after_the_release_is_told_and_stays_until_then() {
    let bell = bell();
    bell.add(Some(ring("mine"))).unwrap();
    bell.set_forgets();
    drop(bell);
    assert_eq!(log(), ["free", "freed"]);
    Bell::remember();
    assert_eq!(log(), ["drop mine"]);
}

#[test]
fn a_panic_while_it_is_dropped_does_not_cross_c() {
    struct Panics;
    impl Drop for Panics {
        fn drop(&mut self) {
            note("panics");
            panic!("dropped");
        }
    }
    let bell = bell();
    let panics = Panics;
    bell.add(Some(acting("mine", move |_| {
        let _ = &panics;
        Ok(0)
    })))
    .unwrap();
    // C goes on to its end, and the call continues the panic.
    let removing = std::panic::AssertUnwindSafe(|| bell.remove());
    std::panic::catch_unwind(removing).unwrap_err();
    assert_eq!(log(), ["drop mine", "panics"]);
}

// ---- until there is another one

#[test]
fn what_is_replaced_is_dropped_afterwards() {
    let mut bell = bell();
    bell.set(Some(ring("one"))).unwrap();
    bell.set(Some(ring("two"))).unwrap();
    assert_eq!(log(), ["drop one"]);
    bell.ring(1).unwrap();
    assert_eq!(log(), ["two 0"]);
    bell.set_refuses(1, false);
    bell.set(Some(ring("three"))).unwrap_err();
    assert_eq!(log(), ["drop three"]);
    bell.set_refuses(0, false);
    bell.ring(1).unwrap();
    assert_eq!(log(), ["two 0"]);
    bell.set(None).unwrap();
    assert_eq!(log(), ["drop two"]);
    bell.set(Some(ring("four"))).unwrap();
    drop(bell);
    assert_eq!(log(), ["free", "freed", "drop four"]);
}

// ---- as long as the handle

#[test]
fn what_stays_for_ever_goes_with_the_handle() {
    let bell = bell();
    bell.add_for_ever(ring("one")).unwrap();
    bell.add_for_ever(ring("two")).unwrap();
    bell.set_refuses(1, false);
    bell.add_for_ever(ring("three")).unwrap_err();
    assert_eq!(log(), ["drop three"]);
    bell.ring(1).unwrap();
    assert_eq!(log(), ["one 0", "two 0"]);
    drop(bell);
    assert_eq!(log(), ["free", "freed", "drop one", "drop two"]);
}

#[test]
fn other_values_go_with_the_handle() {
    let bell = bell();
    attach(&*bell, ring("one"));
    attach(&*bell, ring("two"));
    drop(bell);
    assert_eq!(log(), ["free", "freed", "drop one", "drop two"]);
    let bell = self::bell();
    attach(&*bell, ring("three"));
    Bell::melt(bell).unwrap();
    assert_eq!(log(), ["free", "freed", "drop three"]);
}

#[test]
fn what_was_not_ended_keeps_its_values_until_it_is_released() {
    let bell = bell();
    attach(&*bell, ring("one"));
    Bell::melt_never(bell).unwrap_err();
    assert_eq!(log(), ["free", "freed", "drop one"]);
}

#[test]
fn a_release_that_is_refused_drops_nothing() {
    let bell = bell();
    attach(&*bell, ring("one"));
    bell.add(Some(ring("two"))).unwrap();
    bell.set_refuses(99, false);
    let (_, kept) = bell.close().unwrap_err();
    assert!(log().is_empty());
    let bell = kept.unwrap();
    bell.ring(1).unwrap();
    drop(bell);
    assert_eq!(log(), ["two 0", "free", "drop two", "freed", "drop one"]);
}

// ---- forks

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn a_forked_child_finds_no_lock_held() {
    let stop = Arc::new(AtomicUsize::new(0));
    let others: Vec<_> = (0..3)
        .map(|_| {
            let stop = stop.clone();
            std::thread::spawn(move || {
                while stop.load(Ordering::Relaxed) == 0 {
                    drop(Bell::new().unwrap());
                    log();
                }
            })
        })
        .collect();
    for _ in 0..200 {
        in_forked_child(|| Bell::new().is_ok());
    }
    stop.store(1, Ordering::Relaxed);
    others.into_iter().for_each(|other| other.join().unwrap());
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn a_forked_child_releases_only_what_it_made() {
    let mut bell = Some(bell());
    attach(&**bell.as_ref().unwrap(), ring("before"));
    in_forked_child(|| {
        drop(bell.take());
        let left_alone = log() == ["drop before"];
        let own = self::bell();
        own.set_refuses(99, false);
        let own = own.close().unwrap_err().1.unwrap();
        let rope = own.rope(2).unwrap();
        log();
        drop(rope);
        drop(own);
        left_alone && log() == ["rope 2 of 0", "free", "freed"]
    });
    drop(bell);
    assert_eq!(log(), ["free", "freed", "drop before"]);
}

/// A tune, which belongs to its process.
#[handle(raw = ffi::tune, release = ffi::tune_free)]
struct Tune;

#[methods(unsafe, rust_only)]
impl Tune {
    #[calls(ffi::tune_new, fails = null)]
    fn new(notes: c_int) -> Result<Owned<Tune>>;
}

#[handle(raw = ffi::player, release = ffi::player_free, attachments)]
struct Player;

#[methods(unsafe, rust_only)]
impl Player {
    #[calls(ffi::player_new, fails = null)]
    fn new() -> Result<Owned<Player>>;

    #[calls(ffi::player_set_tune, fails = negative, scope = until_replaced)]
    fn set_tune(&mut self, tune: Owned<Tune>) -> Result<()>;
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn forked_child_does_not_release_a_handle_that_c_keeps() {
    let mut player = Player::new().unwrap();
    player.set_tune(Tune::new(3).unwrap()).unwrap();
    let mut player = Some(player);
    log();
    in_forked_child(|| {
        drop(player.take());
        log().is_empty()
    });
    drop(player);
    assert_eq!(log(), ["player_free 3", "tune_free 3"]);
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn a_forked_child_of_a_forked_child_releases_only_what_it_made() {
    in_forked_child(|| {
        let mut bell = Some(bell());
        in_forked_child(|| {
            drop(bell.take());
            let left_alone = log().is_empty();
            drop(self::bell());
            left_alone && log() == ["free", "freed"]
        });
        drop(bell);
        log() == ["free", "freed"]
    });
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn forked_child_lets_a_parent_be_whose_child_was_forgotten() {
    let bell = bell();
    std::mem::forget(bell.rope(1).unwrap());
    let mut bell = Some(bell);
    let live = || leakproof::live_handles()["Bell"];
    in_forked_child(|| {
        let before = live();
        drop(bell.take());
        live() == before - 1 && log().is_empty()
    });
    // Here it is leaked with the rope.
    drop(bell);
    assert!(log().is_empty());
}

// ---- parents

#[test]
fn a_release_gets_its_parent() {
    let (one, two) = (bell(), bell());
    two.add(None).unwrap();
    let ropes = [
        one.rope(1).unwrap(),
        two.rope(2).unwrap(),
        one.rope(3).unwrap(),
    ];
    assert!(one.rope(-1).is_err());
    drop(ropes);
    assert_eq!(log(), ["rope 1 of 0", "rope 2 of 1", "rope 3 of 0"]);
    let rope = two.rope(4).unwrap();
    assert!(rope.close().is_ok());
    assert_eq!(log(), ["rope 4 of 1"]);
}

#[test]
fn two_parents() {
    let bell = bell();
    let rope = bell.rope(1).unwrap();
    let knot = bell.tie(&rope).unwrap();
    drop(knot);
    drop(rope);
    assert_eq!(log(), ["untied", "rope 1 of 0"]);
}
