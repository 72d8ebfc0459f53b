//! Values of a handle that a callback on another thread has while the handle is released.

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
    }

    static LAST: AtomicPtr<lamp> = AtomicPtr::new(null_mut());

    pub unsafe extern "C" fn lamp_new() -> *mut lamp {
        let owners = AtomicUsize::new(1);
        let lamp = Box::into_raw(Box::new(lamp { owners }));
        LAST.store(lamp, SeqCst);
        lamp
    }

    /// The memory stays while the lamp is shown to somebody.
    pub unsafe extern "C" fn lamp_free(lamp: *mut lamp) {
        if unsafe { (*lamp).owners.fetch_sub(1, SeqCst) } == 1 {
            std::mem::drop(unsafe { Box::from_raw(lamp) });
        }
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
/// Where the callback meets the thread that drops the lamp: when it has the value, and when the lamp is gone.
static GATE: Barrier = Barrier::new(2);

#[derive(Attachment)]
struct Oil(u8);

impl Drop for Oil {
    fn drop(&mut self) {
        IS_DROPPED.store(true, SeqCst);
    }
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
}

#[methods(unsafe, rust_only)]
impl Lamp {
    #[calls(ffi::lamp_new, fails = null)]
    fn new() -> Result<Owned<Lamp>>;

    #[calls(ffi::show, args = (see.see, see.data))]
    fn show(see: &See);
}

#[test]
fn value_that_a_callback_has_outlives_a_release_on_another_thread() {
    let _native = Native::start();
    let lamp = Lamp::new().unwrap();
    attach(&*lamp, Oil(7));
    let other = thread::spawn(|| Lamp::show(&See));
    GATE.wait();
    drop(lamp);
    assert!(!IS_DROPPED.load(SeqCst));
    GATE.wait();
    other.join().unwrap();
    assert!(IS_DROPPED.load(SeqCst));
}
