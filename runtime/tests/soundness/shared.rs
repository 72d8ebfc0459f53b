//! One object whose owners are on several threads, as where C gives it out by a function without a receiver.

use std::sync::mpsc;

use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::RefCell;
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, Sender};

    pub struct bell {
        pub owners: AtomicUsize,
        pub rings: AtomicI32,
    }

    pub type hear_t = Option<unsafe extern "C" fn(*mut c_void)>;

    static BELL: bell = bell {
        owners: AtomicUsize::new(0),
        rings: AtomicI32::new(0),
    };

    thread_local! {
        /// Where the next release of this thread tells that it has begun, and waits.
        pub static GATE: RefCell<Option<(Sender<()>, Receiver<()>)>> = const { RefCell::new(None) };
    }

    pub unsafe extern "C" fn bell_shared() -> *mut bell {
        BELL.owners.fetch_add(1, Ordering::Relaxed);
        (&raw const BELL).cast_mut()
    }

    pub unsafe extern "C" fn bell_ref(bell: *mut bell) {
        unsafe { (*bell).owners.fetch_add(1, Ordering::Relaxed) };
    }

    pub unsafe extern "C" fn bell_unref(bell: *mut bell) {
        if let Some((begun, go_on)) = GATE.take() {
            begun.send(()).unwrap();
            go_on.recv().unwrap();
        }
        unsafe { (*bell).owners.fetch_sub(1, Ordering::Relaxed) };
    }

    pub unsafe extern "C" fn bell_ring(bell: *mut bell) -> c_int {
        unsafe { (*bell).rings.fetch_add(1, Ordering::Relaxed) };
        0
    }

    pub unsafe extern "C" fn bell_hear(_: *mut bell, hear: hear_t, data: *mut c_void) {
        if let Some(hear) = hear {
            unsafe { hear(data) };
        }
    }

    pub fn owners() -> usize {
        BELL.owners.load(Ordering::Relaxed)
    }
}

#[handle(raw = ffi::bell, retain = ffi::bell_ref, release = ffi::bell_unref, independent, fork_safe)]
struct Bell;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_shared, fails = null)]
    fn shared() -> Result<Owned<Bell>>;

    #[calls(ffi::bell_ring, fails = nonzero)]
    fn ring(&mut self) -> Result<()>;

    #[calls(ffi::bell_hear, args = (self, ear.hear, ear.data))]
    fn hear(&self, ear: &Ear);
}

#[derive(Attachment)]
struct Ear;

#[callbacks(unsafe)]
impl Ear {
    #[callback(ffi::hear_t, args = (data))]
    fn hear(&self) {}
}

#[test]
fn release_of_one_owner_leaves_the_object_to_the_others() {
    let _native = Native::start();
    let mut bell = Bell::shared().unwrap();
    // From now on C may call back, and releases are noted.
    bell.hear(&Ear);
    let (begun, has_begun) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    let other = std::thread::spawn(move || {
        let bell = Bell::shared().unwrap();
        ffi::GATE.set(Some((begun, goes_on)));
        drop(bell);
    });
    has_begun.recv().unwrap();
    let rung = bell.ring();
    go_on.send(()).unwrap();
    other.join().unwrap();
    rung.unwrap();
    assert_eq!(ffi::owners(), 1);
    drop(bell);
    assert_eq!(ffi::owners(), 0);
}
