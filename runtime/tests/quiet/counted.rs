//! Releases of the children of an object with counted owners, beside calls on the object by another owner's thread.

use std::ffi::c_int;
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
    use std::ffi::c_int;
    use std::sync::Barrier;
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

    /// The one object of the library, which is there for ever.
    pub struct gong {
        is_whole: AtomicBool,
    }
    pub struct tone {
        _pitch: c_int,
    }

    static GONG: gong = gong {
        is_whole: AtomicBool::new(true),
    };
    pub static FREED: AtomicUsize = AtomicUsize::new(0);
    /// Set where a tone was freed while the gong was changed.
    pub static FAULT: AtomicBool = AtomicBool::new(false);
    /// The gate at which a call or a release tells that it has begun, and waits.
    pub static GATE: Barrier = Barrier::new(2);
    pub static STOPS_AT_FREE: AtomicBool = AtomicBool::new(false);

    pub unsafe extern "C" fn gong_default() -> *mut gong {
        (&raw const GONG).cast_mut()
    }

    pub unsafe extern "C" fn gong_ref(gong: *mut gong) -> *mut gong {
        gong
    }

    pub unsafe extern "C" fn gong_unref(_: *mut gong) {}

    /// Waits at the gate twice while the gong is not whole.
    pub unsafe extern "C" fn gong_tune(gong: *mut gong, waits: c_int) -> c_int {
        unsafe { (*gong).is_whole.store(false, SeqCst) };
        if waits != 0 {
            GATE.wait();
            GATE.wait();
        }
        unsafe { (*gong).is_whole.store(true, SeqCst) };
        0
    }

    pub unsafe extern "C" fn gong_tone(_: *mut gong) -> *mut tone {
        Box::into_raw(Box::new(tone { _pitch: 1 }))
    }

    /// Looks at the gong.
    pub unsafe extern "C" fn tone_free(tone: *mut tone) {
        if STOPS_AT_FREE.swap(false, SeqCst) {
            GATE.wait();
            GATE.wait();
        }
        if !GONG.is_whole.load(SeqCst) {
            FAULT.store(true, SeqCst);
        }
        FREED.fetch_add(1, SeqCst);
        drop(unsafe { Box::from_raw(tone) });
    }
}

use std::sync::atomic::Ordering::SeqCst;

#[handle(raw = ffi::gong, retain = ffi::gong_ref, release = ffi::gong_unref, independent, fork_safe)]
struct Gong;

#[handle(raw = ffi::tone, release = ffi::tone_free, parent = Gong, fork_safe)]
struct Tone;

#[methods(unsafe, rust_only)]
impl Gong {
    #[calls(ffi::gong_default, retain)]
    fn default() -> Option<Owned<Gong>>;

    #[calls(ffi::gong_tune, fails = nonzero)]
    fn tune(&mut self, waits: c_int) -> Result<()>;

    #[calls(ffi::gong_tone, fails = null)]
    fn tone(&self) -> Result<Owned<Tone>>;
}

#[test]
fn release_of_a_child_waits_for_a_call_of_another_thread_on_the_counted_parent() {
    let _native = Native::start();
    let before = ffi::FREED.load(SeqCst);
    let gong = Gong::default().unwrap();
    let tone = gong.tone().unwrap();
    let other = thread::spawn(|| Gong::default().unwrap().tune(1).unwrap());
    ffi::GATE.wait();
    drop(tone);
    assert_eq!(ffi::FREED.load(SeqCst), before);
    ffi::GATE.wait();
    other.join().unwrap();
    assert_eq!(ffi::FREED.load(SeqCst), before + 1);
    assert!(!ffi::FAULT.load(SeqCst));
}

#[test]
fn counted_parent_is_not_changed_while_another_thread_releases_a_child() {
    let _native = Native::start();
    ffi::STOPS_AT_FREE.store(true, SeqCst);
    let other = thread::spawn(|| drop(Gong::default().unwrap().tone().unwrap()));
    ffi::GATE.wait();
    let mut gong = Gong::default().unwrap();
    let refused = gong.tune(0);
    assert!(matches!(refused, Err(Error::Busy(_))), "{refused:?}");
    ffi::GATE.wait();
    other.join().unwrap();
    gong.tune(0).unwrap();
    assert!(!ffi::FAULT.load(SeqCst));
}
