//! Handles that their parent keeps for reuse.

use std::mem::forget;
use std::sync::atomic::{AtomicIsize, Ordering};

use leakproof::prelude::*;
use leakproof::{IdleHandles, Reusable, idle_handles, live_handles};

use crate::forked::in_forked_child;
use crate::native::{Native, log};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_int;

    use crate::native::{acquire, release, touch};

    pub struct kitchen {
        pans: c_int,
    }
    pub struct pan {
        kitchen: *mut kitchen,
        heat: c_int,
    }
    pub struct egg {
        pan: *mut pan,
    }

    pub unsafe extern "C" fn kitchen_new() -> *mut kitchen {
        acquire("Kitchen", kitchen { pans: 0 })
    }

    pub unsafe extern "C" fn kitchen_free(kitchen: *mut kitchen) {
        assert_eq!(unsafe { (*kitchen).pans }, 0);
        release(kitchen);
    }

    pub unsafe extern "C" fn kitchen_pan(kitchen: *mut kitchen) -> *mut pan {
        unsafe { (*kitchen).pans += 1 };
        acquire("Pan", pan { kitchen, heat: 0 })
    }

    pub unsafe extern "C" fn pan_free(pan: *mut pan) {
        unsafe { (*(*pan).kitchen).pans -= 1 };
        release(pan);
    }

    pub unsafe extern "C" fn pan_heat(pan: *mut pan, by: c_int) -> c_int {
        unsafe {
            (*pan).heat += by;
            (*pan).heat
        }
    }

    pub unsafe extern "C" fn pan_egg(pan: *mut pan) -> *mut egg {
        acquire("Egg", egg { pan })
    }

    pub unsafe extern "C" fn egg_free(egg: *mut egg) {
        touch(unsafe { (*egg).pan });
        release(egg);
    }

    pub unsafe extern "C" fn kitchen_sell(kitchen: *mut kitchen) {
        unsafe { kitchen_free(kitchen) };
    }
}

#[handle(raw = ffi::kitchen, release = ffi::kitchen_free, attachments, fork_safe)]
struct Kitchen;

#[handle(raw = ffi::pan, release = ffi::pan_free, parent = Kitchen, fork_safe)]
struct Pan;

#[handle(raw = ffi::egg, release = ffi::egg_free, parent = Pan, fork_safe)]
struct PanEgg;

#[methods(unsafe, rust_only)]
impl Kitchen {
    #[calls(ffi::kitchen_new, fails = null)]
    fn new() -> Result<Owned<Kitchen>>;

    #[calls(ffi::kitchen_pan, fails = null)]
    fn pan(&self) -> Result<Owned<Pan>>;

    #[calls(ffi::kitchen_sell)]
    fn sell(this: Owned<Self>);
}

#[methods(unsafe, rust_only)]
impl Pan {
    #[calls(ffi::pan_heat, fails = negative)]
    fn heat(&mut self, by: i32) -> Result<i32>;

    #[calls(ffi::pan_egg, fails = null)]
    fn egg(&self) -> Result<Owned<PanEgg>>;
}

impl Reusable for Pan {
    const AT_MOST: usize = 2;

    /// Fails for a pan that is too hot.
    fn reset(&mut self) -> Result<()> {
        let heat = self.heat(0)?;
        if heat > 100 {
            return Err(Error::Value("the pan is too hot".into()));
        }
        self.heat(-heat).map(drop)
    }
}

/// A kitchen that is bound to its process.
#[handle(raw = ffi::kitchen, release = ffi::kitchen_free, attachments)]
struct Galley;

#[handle(raw = ffi::pan, release = ffi::pan_free, parent = Galley)]
struct Pot;

#[methods(unsafe, rust_only)]
impl Galley {
    #[calls(ffi::kitchen_new, fails = null)]
    fn new() -> Result<Owned<Galley>>;

    #[calls(ffi::kitchen_pan, fails = null)]
    fn pot(&self) -> Result<Owned<Pot>>;
}

impl Reusable for Pot {
    const AT_MOST: usize = 2;

    fn reset(&mut self) -> Result<()> {
        Ok(())
    }
}

/// The number of pans that a test has leaked.
static LEAKED: AtomicIsize = AtomicIsize::new(0);

/// The numbers of live and idle pans.
fn pans() -> (isize, isize) {
    let leaked = LEAKED.load(Ordering::Relaxed);
    (live_handles()["Pan"] - leaked, idle_handles()["Pan"])
}

fn take<'k>(kitchen: &'k Kitchen, key: &[u8]) -> Owned<'k, Pan> {
    IdleHandles::of(kitchen).take(key).unwrap()
}

#[test]
fn kept_handle_is_taken_as_it_was_when_new() {
    let _native = Native::start();
    let kitchen = Kitchen::new().unwrap();
    let idle = IdleHandles::of(&*kitchen);
    assert!(idle.take::<Pan>(b"").is_none());
    let mut pan = kitchen.pan().unwrap();
    assert_eq!(pan.heat(5).unwrap(), 5);
    assert_eq!(pans(), (1, 0));
    idle.keep(b"", pan);
    assert_eq!(pans(), (0, 1));
    assert_eq!(log(), [""; 0]);
    let mut pan = take(&kitchen, b"");
    assert_eq!(pans(), (1, 0));
    assert_eq!(pan.heat(1).unwrap(), 1);
    assert!(idle.take::<Pan>(b"").is_none(), "nobody else has it");
    drop(pan);
    assert_eq!(log(), ["release Pan"]);
    assert_eq!(pans(), (0, 0));
}

#[test]
fn handle_is_found_by_its_key() {
    let _native = Native::start();
    let kitchen = Kitchen::new().unwrap();
    let idle = IdleHandles::of(&*kitchen);
    idle.keep(b"small", kitchen.pan().unwrap());
    assert!(idle.take::<Pan>(b"large").is_none());
    drop(take(&kitchen, b"small"));
    assert_eq!(log(), ["release Pan"]);
}

#[test]
fn oldest_handle_makes_room() {
    let _native = Native::start();
    let kitchen = Kitchen::new().unwrap();
    let idle = IdleHandles::of(&*kitchen);
    let three = [&b"a"[..], b"b", b"c"].map(|key| (key, kitchen.pan().unwrap()));
    for (key, pan) in three {
        idle.keep(key, pan);
    }
    assert_eq!(log(), ["release Pan"]);
    assert_eq!(pans(), (0, 2));
    assert!(idle.take::<Pan>(b"a").is_none());
    assert!(idle.take::<Pan>(b"b").is_some());
}

#[test]
fn idle_handles_are_released_before_their_parent() {
    let _native = Native::start();
    let kitchen = Kitchen::new().unwrap();
    let two = [(); 2].map(|()| kitchen.pan().unwrap());
    for pan in two {
        IdleHandles::of(&*kitchen).keep(b"", pan);
    }
    kitchen.close().unwrap();
    assert_eq!(log(), ["release Pan", "release Pan", "release Kitchen"]);
    assert_eq!(pans(), (0, 0));
}

#[test]
fn idle_handles_are_released_before_their_parent_is_given_to_c() {
    let _native = Native::start();
    let kitchen = Kitchen::new().unwrap();
    IdleHandles::of(&*kitchen).keep(b"", kitchen.pan().unwrap());
    Kitchen::sell(kitchen);
    assert_eq!(log(), ["release Pan", "release Kitchen"]);
}

#[test]
fn handle_that_cannot_be_reset_is_released() {
    let _native = Native::start();
    let kitchen = Kitchen::new().unwrap();
    let mut pan = kitchen.pan().unwrap();
    pan.heat(200).unwrap();
    IdleHandles::of(&*kitchen).keep(b"", pan);
    assert_eq!(log(), ["release Pan"]);
    assert_eq!(pans(), (0, 0));
}

#[test]
fn handle_of_another_parent_is_released() {
    let _native = Native::start();
    let (kitchen, other) = (Kitchen::new().unwrap(), Kitchen::new().unwrap());
    IdleHandles::of(&*kitchen).keep(b"", other.pan().unwrap());
    assert_eq!(log(), ["release Pan"]);
    assert!(IdleHandles::of(&*kitchen).take::<Pan>(b"").is_none());
}

#[test]
fn handle_whose_child_was_forgotten_is_not_used_again() {
    let mut native = Native::start();
    for name in ["Kitchen", "Pan", "Egg"] {
        native.loses(name);
    }
    for name in ["Kitchen", "Pan", "PanEgg"] {
        native.counts(name);
    }
    LEAKED.fetch_add(1, Ordering::Relaxed);
    let kitchen = Kitchen::new().unwrap();
    let pan = kitchen.pan().unwrap();
    forget(pan.egg().unwrap());
    IdleHandles::of(&*kitchen).keep(b"", pan);
    assert!(IdleHandles::of(&*kitchen).take::<Pan>(b"").is_none());
    assert_eq!(log(), [""; 0], "it is leaked, because its end is unknown");
}

#[test]
fn handle_of_a_call_that_panics_is_released() {
    let _native = Native::start();
    let kitchen = Kitchen::new().unwrap();
    IdleHandles::of(&*kitchen).keep(b"", kitchen.pan().unwrap());
    panic_of(|| {
        let _pan = take(&kitchen, b"");
        panic!("in between")
    });
    assert_eq!(log(), ["release Pan"]);
    assert!(IdleHandles::of(&*kitchen).take::<Pan>(b"").is_none());
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn idle_handle_of_the_parent_process_is_not_used_in_a_forked_child() {
    let _native = Native::start();
    let kitchen = Kitchen::new().unwrap();
    let idle = IdleHandles::of(&*kitchen);
    idle.keep(b"", kitchen.pan().unwrap());
    in_forked_child(|| {
        // It is the copy of a handle that the other process has: it goes with the memory that it is in.
        let is_new = idle.take::<Pan>(b"").is_none() && log() == ["release Pan"];
        idle.keep(b"", kitchen.pan().unwrap());
        is_new && idle.take::<Pan>(b"").is_some() && pans() == (0, 0)
    });
    assert_eq!(log(), [""; 0]);
    assert!(idle.take::<Pan>(b"").is_some());
}

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn idle_handle_that_is_bound_to_the_parent_process_is_not_released_in_a_forked_child() {
    let _native = Native::start();
    let mut galley = Some(Galley::new().unwrap());
    let keep = |galley: &Galley| IdleHandles::of(galley).keep(b"", galley.pot().unwrap());
    keep(galley.as_ref().unwrap());
    let pots = || (live_handles()["Pot"], idle_handles()["Pot"]);
    assert_eq!(pots(), (0, 1));
    in_forked_child(|| {
        let is_taken = IdleHandles::of(&**galley.as_ref().unwrap())
            .take::<Pot>(b"")
            .is_some();
        let is_left = !is_taken && pots() == (0, 0) && log().is_empty();
        drop(galley.take());
        is_left && log().is_empty()
    });
    in_forked_child(|| {
        drop(galley.take());
        let is_left = pots() == (0, 0) && log().is_empty();
        // What the child makes is its own.
        let own = Galley::new().unwrap();
        keep(&own);
        is_left && own.close().is_ok() && log() == ["release Pan", "release Kitchen"]
    });
    let galley = galley.unwrap();
    assert!(IdleHandles::of(&*galley).take::<Pot>(b"").is_some());
    assert_eq!(log(), ["release Pan"]);
    keep(&galley);
    galley.close().unwrap();
    assert_eq!(log(), ["release Pan", "release Kitchen"]);
}
