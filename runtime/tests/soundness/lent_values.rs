//! Values of a handle that a callback on another thread has while the handle is released.

use std::cell::RefCell;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::thread;

use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::c_void;
    use std::ptr::null_mut;
    use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst};

    pub type see = Option<unsafe extern "C" fn(*mut lamp, *mut c_void)>;

    pub struct lamp {
        owners: AtomicUsize,
        wick: AtomicPtr<wick>,
    }

    /// The wick of a lamp, which keeps it.
    pub struct wick {
        lamp: *mut lamp,
    }

    pub type see_wick = Option<unsafe extern "C" fn(*mut wick, *mut c_void)>;

    pub unsafe extern "C" fn wick_new() -> *mut wick {
        Box::into_raw(Box::new(wick { lamp: null_mut() }))
    }

    pub unsafe extern "C" fn wick_free(wick: *mut wick) {
        drop(unsafe { Box::from_raw(wick) });
    }

    pub unsafe extern "C" fn wick_lamp(wick: *mut wick) -> *mut lamp {
        unsafe { (*wick).lamp }
    }

    pub unsafe extern "C" fn lamp_keep(lamp: *mut lamp, wick: *mut wick) {
        unsafe { (*wick).lamp = lamp };
        unsafe { (*lamp).wick.store(wick, SeqCst) };
    }

    pub unsafe extern "C" fn show_wick(see: see_wick, data: *mut c_void) {
        let lamp = LAST.load(SeqCst);
        unsafe { (*lamp).owners.fetch_add(1, SeqCst) };
        unsafe { see.unwrap()((*lamp).wick.load(SeqCst), data) };
        unsafe { lamp_free(lamp) };
    }

    static LAST: AtomicPtr<lamp> = AtomicPtr::new(null_mut());

    pub unsafe extern "C" fn lamp_new() -> *mut lamp {
        let (owners, wick) = (AtomicUsize::new(1), AtomicPtr::new(null_mut()));
        let lamp = Box::into_raw(Box::new(lamp { owners, wick }));
        LAST.store(lamp, SeqCst);
        lamp
    }

    /// The memory stays while the lamp is shown to somebody.
    pub unsafe extern "C" fn lamp_free(lamp: *mut lamp) {
        if unsafe { (*lamp).owners.fetch_sub(1, SeqCst) } == 1 {
            let lamp = unsafe { Box::from_raw(lamp) };
            let wick = lamp.wick.load(SeqCst);
            if !wick.is_null() {
                unsafe { wick_free(wick) };
            }
        }
    }

    /// The place of a lamp, which keeps it.
    pub struct hook {
        lamp: *mut lamp,
    }

    pub type see_hook = Option<unsafe extern "C" fn(*mut hook, *mut c_void)>;

    pub unsafe extern "C" fn hook_lamp(hook: *mut hook) -> *mut lamp {
        unsafe { (*hook).lamp }
    }

    pub unsafe extern "C" fn hook_new() -> *mut hook {
        let lamp = LAST.load(SeqCst);
        unsafe { (*lamp).owners.fetch_add(1, SeqCst) };
        Box::into_raw(Box::new(hook { lamp }))
    }

    pub unsafe extern "C" fn hook_free(hook: *mut hook) {
        let hook = unsafe { Box::from_raw(hook) };
        unsafe { lamp_free(hook.lamp) };
    }

    pub unsafe extern "C" fn show_hook(see: see_hook, data: *mut c_void) {
        let hook = unsafe { hook_new() };
        unsafe { see.unwrap()(hook, data) };
        unsafe { hook_free(hook) };
    }

    pub unsafe extern "C" fn show(see: see, data: *mut c_void) {
        let lamp = LAST.load(SeqCst);
        unsafe { (*lamp).owners.fetch_add(1, SeqCst) };
        unsafe { see.unwrap()(lamp, data) };
        unsafe { lamp_free(lamp) };
    }
}

#[handle(raw = ffi::lamp, release = ffi::lamp_free, attachments, fork_safe)]
struct Lamp;

static IS_DROPPED: AtomicBool = AtomicBool::new(false);
/// The meeting of the callback and the thread that drops the lamp: when it has the value, and when the lamp is gone.
static GATE: Barrier = Barrier::new(2);

#[derive(Attachment)]
struct Oil(u8);

impl Drop for Oil {
    fn drop(&mut self) {
        IS_DROPPED.store(true, SeqCst);
    }
}

/// A hook that C shows to a callback.
#[handle(raw = ffi::hook, callback_only)]
struct ShownHook;

#[methods(unsafe, rust_only)]
impl ShownHook {
    #[calls(ffi::hook_lamp)]
    fn lamp(&self) -> Option<Borrowed<Lamp>>;
}

/// A hook of ours.
#[handle(raw = ffi::hook, release = ffi::hook_free, fork_safe)]
struct Hook;

#[methods(unsafe, rust_only)]
impl Hook {
    #[calls(ffi::hook_new, fails = null)]
    fn new() -> Result<Owned<Hook>>;

    #[calls(ffi::hook_lamp)]
    fn lamp(&self) -> Option<Borrowed<Lamp>>;

    #[calls(ffi::show_hook, args = (take.see, take.data))]
    fn show(take: &Take);
}

/// Drops the lamp while it has the lamp's value.
#[derive(Attachment)]
struct Take;

thread_local! {
    static THE_LAMP: RefCell<Option<Owned<'static, Lamp>>> = const { RefCell::new(None) };
}

#[callbacks(unsafe)]
impl Take {
    #[callback(ffi::see_hook, args = (hook, data))]
    fn see(&self, hook: &ShownHook) {
        let lamp = hook.lamp().unwrap();
        let oil: &Oil = attached(lamp.get()).unwrap();
        drop(THE_LAMP.take());
        assert!(!IS_DROPPED.load(SeqCst));
        assert_eq!(oil.0, 7);
    }
}

fn filled_lamp() -> Owned<'static, Lamp> {
    IS_DROPPED.store(false, SeqCst);
    let lamp = Lamp::new().unwrap();
    attach(&*lamp, Oil(7));
    lamp
}

#[derive(Attachment)]
struct See;

#[callbacks(unsafe)]
impl See {
    #[callback(ffi::see, args = (lamp, data))]
    fn see(&self, lamp: &Lamp) {
        let oil: &Oil = attached(lamp).unwrap();
        GATE.wait();
        GATE.wait();
        assert!(!IS_DROPPED.load(SeqCst));
        assert_eq!(oil.0, 7);
    }

    #[callback(ffi::see_wick, args = (wick, data))]
    fn see_wick(&self, wick: &Wick) {
        self.see(wick.lamp().unwrap().get());
    }
}

#[handle(raw = ffi::wick, release = ffi::wick_free, fork_safe)]
struct Wick;

#[methods(unsafe, rust_only)]
impl Wick {
    #[calls(ffi::wick_new, fails = null)]
    fn new() -> Result<Owned<Wick>>;

    #[calls(ffi::wick_lamp)]
    fn lamp(&self) -> Option<Borrowed<Lamp>>;

    #[calls(ffi::show_wick, args = (see.see_wick, see.data))]
    fn show(see: &See);
}

#[methods(unsafe, rust_only)]
impl Lamp {
    #[calls(ffi::lamp_keep)]
    fn keep(&self, wick: Owned<Wick>);

    #[calls(ffi::lamp_new, fails = null)]
    fn new() -> Result<Owned<Lamp>>;

    #[calls(ffi::show, args = (see.see, see.data))]
    fn show(see: &See);
}

#[test]
fn value_that_a_callback_has_outlives_a_release_on_another_thread() {
    let _native = Native::start();
    let lamp = filled_lamp();
    let other = thread::spawn(|| Lamp::show(&See));
    GATE.wait();
    drop(lamp);
    assert!(!IS_DROPPED.load(SeqCst));
    GATE.wait();
    other.join().unwrap();
    assert!(IS_DROPPED.load(SeqCst));
}

#[test]
fn value_of_what_keeps_the_handle_of_a_callback_outlives_a_release_on_another_thread() {
    let _native = Native::start();
    let lamp = filled_lamp();
    lamp.keep(Wick::new().unwrap());
    let other = thread::spawn(|| Wick::show(&See));
    GATE.wait();
    drop(lamp);
    assert!(!IS_DROPPED.load(SeqCst));
    GATE.wait();
    other.join().unwrap();
    assert!(IS_DROPPED.load(SeqCst));
}

#[test]
fn value_of_a_handle_that_c_lends_by_another_one_stays_until_the_callback_has_ended() {
    let _native = Native::start();
    THE_LAMP.set(Some(filled_lamp()));
    Hook::show(&Take);
    assert!(IS_DROPPED.load(SeqCst));
}

#[test]
fn value_of_a_handle_that_c_lends_by_another_one_stays_as_long_as_that_one() {
    let _native = Native::start();
    let lamp = filled_lamp();
    let hook = Hook::new().unwrap();
    let lent = hook.lamp().unwrap();
    let oil: &Oil = attached(lent.get()).unwrap();
    drop(lamp);
    assert!(!IS_DROPPED.load(SeqCst));
    assert_eq!(oil.0, 7);
    drop(hook);
    assert!(IS_DROPPED.load(SeqCst));
}
