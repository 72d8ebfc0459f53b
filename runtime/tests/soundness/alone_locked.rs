//! Callbacks that are `exclusive`, of a handle with a lock of the library's: another thread's call waits for that lock
//! where both calls take it, and is refused where one does not.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use leakproof::locked;
use leakproof::prelude::*;

use crate::native::Native;
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
    use std::sync::{Condvar, Mutex};
    use std::thread::{ThreadId, current};

    pub type look = Option<unsafe extern "C" fn(*mut c_void)>;

    /// A lock that one thread may enter several times.
    pub struct mutex {
        holder: Mutex<Option<(ThreadId, usize)>>,
        left: Condvar,
    }

    /// An urn, whose content is not there while it is filled.
    pub struct urn {
        pub size: c_int,
        is_whole: AtomicBool,
        /// Set once the urn was used while it was not whole.
        pub is_broken: AtomicBool,
        lock: mutex,
    }

    /// The only urn, which belongs to the library.
    static URN: urn = urn {
        size: 2,
        is_whole: AtomicBool::new(true),
        is_broken: AtomicBool::new(false),
        lock: mutex {
            holder: Mutex::new(None),
            left: Condvar::new(),
        },
    };

    pub unsafe extern "C" fn mutex_enter(mutex: *mut mutex) {
        let (mutex, here) = (unsafe { &*mutex }, current().id());
        let holder = mutex.holder.lock().unwrap();
        let is_other =
            |holder: &mut Option<(ThreadId, usize)>| holder.is_some_and(|it| it.0 != here);
        let mut holder = mutex.left.wait_while(holder, is_other).unwrap();
        *holder = Some((here, holder.map_or(1, |it| it.1 + 1)));
    }

    pub unsafe extern "C" fn mutex_leave(mutex: *mut mutex) {
        let mutex = unsafe { &*mutex };
        let mut holder = mutex.holder.lock().unwrap();
        *holder = holder.filter(|it| it.1 > 1).map(|it| (it.0, it.1 - 1));
        mutex.left.notify_all();
    }

    pub unsafe extern "C" fn urn_the() -> *mut urn {
        (&raw const URN).cast_mut()
    }

    pub unsafe extern "C" fn urn_free(_: *mut urn) {}

    pub unsafe extern "C" fn urn_lock(urn: *mut urn) -> *mut mutex {
        unsafe { (&raw const (*urn).lock).cast_mut() }
    }

    pub unsafe extern "C" fn urn_level(urn: *const urn) -> c_int {
        let urn = unsafe { &*urn };
        if !urn.is_whole.load(SeqCst) {
            urn.is_broken.store(true, SeqCst);
        }
        5
    }

    pub unsafe extern "C" fn urn_broken(urn: *const urn) -> c_int {
        c_int::from(unsafe { &*urn }.is_broken.swap(false, SeqCst))
    }

    /// Calls back while the urn is not whole.
    pub unsafe extern "C" fn urn_fill(urn: *const urn, look: look, data: *mut c_void) -> c_int {
        let urn = unsafe { &*urn };
        urn.is_whole.store(false, SeqCst);
        unsafe { look.unwrap()(data) };
        urn.is_whole.store(true, SeqCst);
        0
    }
}

#[handle(
    raw = ffi::urn,
    release = ffi::urn_free,
    lock(of = ffi::urn_lock, enter = ffi::mutex_enter, leave = ffi::mutex_leave)
)]
struct Urn;

#[methods(unsafe, rust_only)]
impl Urn {
    /// The urn of the library.
    #[calls(ffi::urn_the)]
    fn the() -> Option<Borrowed<Urn>>;

    #[calls(ffi::urn_level, fails = negative)]
    fn level(&self) -> Result<i32>;

    #[calls(ffi::urn_level)]
    fn level_without_lock(&self) -> i32;

    #[field(size)]
    fn size(&self) -> i32;

    #[calls(ffi::urn_broken)]
    fn is_broken(&self) -> i32;

    #[calls(ffi::urn_fill, args = (self, look.look, look.data), fails = negative)]
    fn fill(&self, look: &Look) -> Result<()>;

    #[calls(ffi::urn_fill, args = (self, look.look, look.data))]
    fn fill_without_lock(&self, look: &Look) -> i32;
}

fn urn() -> Borrowed<'static, Urn> {
    Urn::the().unwrap()
}

/// Does something while C fills an urn.
struct Look(Box<dyn Fn() + Send + Sync>);

impl Attachment for Look {}

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::look, args = (data), exclusive)]
    fn look(&self) {
        (self.0)();
    }
}

/// Runs `f` on another thread, to its end.
fn elsewhere(f: fn()) {
    thread::spawn(f).join().unwrap();
}

#[test]
fn call_that_takes_no_lock_is_refused_beside_an_exclusive_callback_of_another_thread() {
    let _native = Native::start();
    let look = Look(Box::new(|| {
        elsewhere(|| {
            assert!(panic_of(|| urn().level_without_lock()).contains("Urn"));
            assert!(panic_of(|| urn().size()).contains("Urn"));
        });
    }));
    urn().fill(&look).unwrap();
    assert_eq!(urn().is_broken(), 0);
}

#[test]
fn call_is_refused_beside_an_exclusive_callback_of_another_thread_that_has_no_lock() {
    let _native = Native::start();
    let look = Look(Box::new(|| {
        elsewhere(|| {
            assert!(matches!(urn().level(), Err(Error::Busy("Urn"))));
            assert!(panic_of(|| urn().level_without_lock()).contains("Urn"));
        });
    }));
    urn().fill_without_lock(&look);
    assert_eq!(urn().is_broken(), 0);
}

#[test]
fn call_is_refused_that_enters_the_lock_of_an_exclusive_callback_once_more() {
    let _native = Native::start();
    let look = Look(Box::new(|| {
        assert!(matches!(urn().level(), Err(Error::Busy("Urn"))));
        assert!(panic_of(|| locked(&*urn(), || ())).contains("Urn"));
    }));
    urn().fill(&look).unwrap();
    assert_eq!(urn().is_broken(), 0);
}

#[test]
fn call_waits_for_the_lock_that_an_exclusive_callback_of_another_thread_has() {
    static WAITS: Mutex<Option<JoinHandle<Result<i32>>>> = Mutex::new(None);
    let _native = Native::start();
    let look = Look(Box::new(|| {
        let (sender, receiver): (Sender<()>, _) = channel();
        let waits = thread::spawn(move || {
            sender.send(()).unwrap();
            urn().level()
        });
        receiver.recv().unwrap();
        thread::sleep(Duration::from_millis(100));
        assert!(!waits.is_finished());
        *WAITS.lock().unwrap_or_else(PoisonError::into_inner) = Some(waits);
    }));
    urn().fill(&look).unwrap();
    let waits = WAITS.lock().unwrap_or_else(PoisonError::into_inner).take();
    assert_eq!(waits.unwrap().join().unwrap().unwrap(), 5);
    assert_eq!(urn().is_broken(), 0);
}
