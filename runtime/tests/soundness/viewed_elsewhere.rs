//! An object that a callback changes by a type of its own (`callback_only`), and another thread that owns it, too.

use std::sync::Mutex;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, Sender, channel};

use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

    pub struct urn {
        owners: AtomicUsize,
        is_changing: AtomicBool,
    }
    pub struct lid {
        urn: *mut urn,
    }
    pub type turn = Option<unsafe extern "C" fn(*mut urn, *mut c_void) -> c_int>;
    pub type then = Option<unsafe extern "C" fn(*mut c_void)>;

    static URN: urn = urn {
        owners: AtomicUsize::new(0),
        is_changing: AtomicBool::new(false),
    };
    /// The numbers of lids that were released, and of those while their urn changed.
    pub static RELEASED: AtomicUsize = AtomicUsize::new(0);
    pub static DISTURBED: AtomicUsize = AtomicUsize::new(0);

    pub unsafe extern "C" fn urn_shared() -> *mut urn {
        let urn = (&raw const URN).cast_mut();
        unsafe { urn_ref(urn) };
        urn
    }

    pub unsafe extern "C" fn urn_ref(urn: *mut urn) {
        unsafe { (*urn).owners.fetch_add(1, Ordering::Relaxed) };
    }

    pub unsafe extern "C" fn urn_unref(urn: *mut urn) {
        unsafe { (*urn).owners.fetch_sub(1, Ordering::Relaxed) };
    }

    pub unsafe extern "C" fn urn_lid(urn: *mut urn) -> *mut lid {
        Box::into_raw(Box::new(lid { urn }))
    }

    pub unsafe extern "C" fn lid_free(lid: *mut lid) {
        let lid = unsafe { Box::from_raw(lid) };
        RELEASED.fetch_add(1, Ordering::SeqCst);
        if unsafe { (*lid.urn).is_changing.load(Ordering::SeqCst) } {
            DISTURBED.fetch_add(1, Ordering::SeqCst);
        }
    }

    /// Shows the urn.
    pub unsafe extern "C" fn urn_show(turn: turn, data: *mut c_void) -> c_int {
        unsafe { turn.unwrap()((&raw const URN).cast_mut(), data) }
    }

    pub unsafe extern "C" fn urn_turn(urn: *mut urn, then: then, data: *mut c_void) {
        unsafe { (*urn).is_changing.store(true, Ordering::SeqCst) };
        unsafe { then.unwrap()(data) };
        unsafe { (*urn).is_changing.store(false, Ordering::SeqCst) };
    }
}

#[handle(raw = ffi::urn, release = ffi::urn_unref, retain = ffi::urn_ref, independent, fork_safe)]
struct Urn;

#[handle(raw = ffi::lid, release = ffi::lid_free, parent = Urn, fork_safe)]
struct Lid;

/// The urn, as C lends it to callbacks.
#[handle(raw = ffi::urn, callback_only)]
struct UrnView;

/// The gate of the thread that has a lid.
static GATE: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);

#[derive(Attachment)]
struct Turn;

#[callbacks(unsafe)]
impl Turn {
    #[callback(ffi::turn, args = (urn, data), on_error = -1)]
    fn turn(&self, urn: &mut UrnView) -> i32 {
        urn.turn(&Turn);
        0
    }

    #[callback(ffi::then, args = (data))]
    fn then(&self) {
        let (go_on, is_dropped) = GATE.lock().unwrap().take().unwrap();
        go_on.send(()).unwrap();
        is_dropped.recv().unwrap();
    }
}

#[methods(unsafe, rust_only)]
impl UrnView {
    #[calls(ffi::urn_turn, args = (self, turn.then, turn.data))]
    fn turn(&mut self, turn: &Turn);
}

#[methods(unsafe, rust_only)]
impl Urn {
    #[calls(ffi::urn_shared, fails = null)]
    fn shared() -> Result<Owned<Urn>>;

    #[calls(ffi::urn_lid, fails = null)]
    fn lid(&self) -> Result<Owned<Lid>>;

    #[calls(ffi::urn_show, args = (turn.turn, turn.data), fails = nonzero)]
    fn show(turn: &Turn) -> Result<()>;
}

#[test]
fn child_is_released_when_a_callback_of_another_thread_no_longer_changes_its_parent() {
    let _native = Native::start();
    let (made, is_made) = channel();
    let ((go_on, goes_on), (dropped, is_dropped)) = (channel(), channel());
    let other = std::thread::spawn(move || {
        let urn = Urn::shared().unwrap();
        let lid = urn.lid().unwrap();
        made.send(()).unwrap();
        goes_on.recv().unwrap();
        drop(lid);
        dropped.send(()).unwrap();
    });
    is_made.recv().unwrap();
    *GATE.lock().unwrap() = Some((go_on, is_dropped));
    Urn::show(&Turn).unwrap();
    other.join().unwrap();
    // The thread that ends may have taken over the release.
    drop(Urn::shared().unwrap());
    assert_eq!(ffi::RELEASED.load(Ordering::SeqCst), 1);
    assert_eq!(ffi::DISTURBED.load(Ordering::SeqCst), 0);
}
