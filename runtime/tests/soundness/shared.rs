//! One object whose owners are on several threads, as where C gives it out by a function without a receiver.

use std::sync::mpsc::{self, Receiver, Sender};

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
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, Sender};
    use std::thread::ThreadId;

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
        /// The gate at which the next release or ring of this thread tells that it has begun, and waits.
        pub static GATE: RefCell<Option<(Sender<()>, Receiver<()>)>> = const { RefCell::new(None) };
    }

    pub unsafe extern "C" fn bell_shared() -> *mut bell {
        BELL.owners.fetch_add(1, Ordering::Relaxed);
        (&raw const BELL).cast_mut()
    }

    pub unsafe extern "C" fn bell_ref(bell: *mut bell) {
        unsafe { (*bell).owners.fetch_add(1, Ordering::Relaxed) };
    }

    fn pass_gate() {
        // A thread that ends has no gate any more.
        if let Ok(Some((begun, go_on))) = GATE.try_with(RefCell::take) {
            begun.send(()).unwrap();
            go_on.recv().unwrap();
        }
    }

    pub unsafe extern "C" fn bell_unref(bell: *mut bell) {
        pass_gate();
        unsafe { (*bell).owners.fetch_sub(1, Ordering::Relaxed) };
    }

    pub unsafe extern "C" fn bell_ring(bell: *mut bell) -> c_int {
        pass_gate();
        unsafe { (*bell).rings.fetch_add(1, Ordering::Relaxed) };
        0
    }

    pub unsafe extern "C" fn bell_hear(_: *mut bell, hear: hear_t, data: *mut c_void) {
        if let Some(hear) = hear {
            unsafe { hear(data) };
        }
    }

    pub struct clapper {
        _size: u8,
    }

    /// The threads that freed a clapper.
    pub static FREED_BY: Mutex<Vec<ThreadId>> = Mutex::new(Vec::new());

    pub unsafe extern "C" fn bell_clapper(_: *mut bell) -> *mut clapper {
        Box::into_raw(Box::new(clapper { _size: 0 }))
    }

    pub unsafe extern "C" fn clapper_free(clapper: *mut clapper) {
        FREED_BY.lock().unwrap().push(std::thread::current().id());
        drop(unsafe { Box::from_raw(clapper) });
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

// ---- a child of the object that is bound to its thread

#[handle(raw = ffi::clapper, release = ffi::clapper_free, parent = Bell, thread_bound, fork_safe)]
struct Clapper;

#[methods(unsafe, rust_only)]
impl Bell {
    #[calls(ffi::bell_clapper, fails = null)]
    fn clapper(&self) -> Result<Owned<Clapper>>;
}

/// Drops a clapper of this thread while a call of another thread uses the bell: the release is deferred.
fn drop_while_rung(made: &Sender<()>, has_begun: &Receiver<()>) {
    let bell = Bell::shared().unwrap();
    let clapper = bell.clapper().unwrap();
    made.send(()).unwrap();
    has_begun.recv().unwrap();
    drop(clapper);
    assert!(ffi::FREED_BY.lock().unwrap().is_empty());
}

#[test]
fn deferred_release_of_a_thread_runs_when_the_thread_ends() {
    let _native = Native::start();
    ffi::FREED_BY.lock().unwrap().clear();
    let mut bell = Bell::shared().unwrap();
    bell.hear(&Ear);
    let (made, is_made) = mpsc::channel();
    let (begun, has_begun) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    let (rung, is_rung) = mpsc::channel::<()>();
    let other = std::thread::spawn(move || {
        drop_while_rung(&made, &has_begun);
        go_on.send(()).unwrap();
        is_rung.recv().unwrap();
    });
    is_made.recv().unwrap();
    ffi::GATE.set(Some((begun, goes_on)));
    bell.ring().unwrap();
    // No call of the other thread follows.
    assert!(ffi::FREED_BY.lock().unwrap().is_empty());
    let owner = other.thread().id();
    rung.send(()).unwrap();
    other.join().unwrap();
    assert_eq!(*ffi::FREED_BY.lock().unwrap(), [owner]);
    assert_eq!(ffi::owners(), 1);
}

/// Set in the process in which the handle is leaked.
const LEAKING: &str = "LEAKPROOF_TEST_LEAKING";

#[test]
#[cfg_attr(miri, ignore = "Miri has no processes")]
fn deferred_release_of_an_ended_thread_is_reported() {
    if std::env::var_os(LEAKING).is_none() {
        let mut test = std::process::Command::new(std::env::current_exe().unwrap());
        let name = "shared::deferred_release_of_an_ended_thread_is_reported";
        let test = test.args(["--exact", name, "--nocapture"]).env(LEAKING, "");
        let output = test.output().unwrap();
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{text}");
        assert_eq!(
            text.matches("leakproof: Clapper is leaked").count(),
            1,
            "{text}"
        );
        return;
    }
    let mut native = Native::start();
    native.counts("Clapper");
    let mut bell = Bell::shared().unwrap();
    bell.hear(&Ear);
    let (made, is_made) = mpsc::channel();
    let (begun, has_begun) = mpsc::channel();
    let (go_on, goes_on) = mpsc::channel();
    let other = std::thread::spawn(move || drop_while_rung(&made, &has_begun));
    let end = std::thread::spawn(move || {
        // The call is still in the way.
        other.join().unwrap();
        go_on.send(()).unwrap();
    });
    is_made.recv().unwrap();
    ffi::GATE.set(Some((begun, goes_on)));
    bell.ring().unwrap();
    end.join().unwrap();
    bell.ring().unwrap();
    assert!(ffi::FREED_BY.lock().unwrap().is_empty());
}
