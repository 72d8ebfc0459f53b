//! Callbacks that are `exclusive`, on a thread of C's own.

use std::cell::RefCell;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

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
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::thread::{self, JoinHandle};

    pub type look = Option<unsafe extern "C" fn(*mut c_void)>;

    /// The only mill, which belongs to the library.
    pub struct mill {
        size: i32,
    }
    pub struct stone {
        mill: *mut mill,
    }

    static MILL: mill = mill { size: 2 };
    static KEPT: Mutex<Vec<(usize, usize)>> = Mutex::new(Vec::new());
    static TURNS: Mutex<Option<JoinHandle<()>>> = Mutex::new(None);
    pub static STONES: AtomicUsize = AtomicUsize::new(0);

    pub unsafe extern "C" fn mill_the() -> *mut mill {
        (&raw const MILL).cast_mut()
    }

    pub unsafe extern "C" fn mill_free(_: *mut mill) {}

    pub unsafe extern "C" fn stone_new(mill: *mut mill) -> *mut stone {
        STONES.fetch_add(1, SeqCst);
        Box::into_raw(Box::new(stone { mill }))
    }

    pub unsafe extern "C" fn stone_free(stone: *mut stone) {
        assert_eq!(unsafe { (*(*stone).mill).size }, 2);
        drop(unsafe { Box::from_raw(stone) });
        STONES.fetch_sub(1, SeqCst);
    }

    pub unsafe extern "C" fn mill_turn(_: *mut mill, first: look, data: *mut c_void) {
        let mut kept = KEPT.lock().unwrap();
        kept.push((first.unwrap() as usize, data as usize));
    }

    /// Starts a thread that calls back, one after the other, and returns.
    pub unsafe extern "C" fn mill_start(_: *mut mill) {
        let all = std::mem::take(&mut *KEPT.lock().unwrap());
        let thread = thread::spawn(move || {
            for (function, data) in all {
                thread::sleep(std::time::Duration::from_millis(20));
                let function: look = unsafe { std::mem::transmute(function) };
                unsafe { function.unwrap()(data as *mut c_void) };
            }
        });
        *TURNS.lock().unwrap() = Some(thread);
    }

    pub fn wait() {
        let thread = TURNS.lock().unwrap().take();
        thread.unwrap().join().unwrap();
    }
}

#[handle(raw = ffi::mill, release = ffi::mill_free, attachments)]
struct Mill;

#[handle(raw = ffi::stone, release = ffi::stone_free, parent = Mill)]
struct Stone;

#[methods(unsafe, rust_only)]
impl Mill {
    #[calls(ffi::mill_the)]
    fn the() -> Option<Borrowed<Mill>>;

    #[calls(ffi::mill_the)]
    fn of_this_test() -> Option<Owned<Mill>>;

    #[calls(ffi::stone_new, fails = null)]
    fn stone(&self) -> Result<Owned<Stone>>;

    #[calls(ffi::mill_turn, args = (self, look.look, look.data), scope = handle)]
    fn turn(&self, look: Look);

    #[calls(ffi::mill_turn, args = (self, look.alone, look.data), scope = handle)]
    fn turn_alone(&self, look: Look);

    #[calls(ffi::mill_start)]
    fn start(&self);
}

struct Look(fn());

impl Attachment for Look {}

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::look, args = (data))]
    fn look(&self) {
        (self.0)();
    }

    #[callback(ffi::look, args = (data), exclusive)]
    fn alone(&self) {
        (self.0)();
    }
}

thread_local! {
    static STONE: RefCell<Option<Owned<'static, Stone>>> = const { RefCell::new(None) };
}
static BEFORE: AtomicUsize = AtomicUsize::new(0);

#[test]
fn child_that_an_exclusive_callback_of_another_thread_drops_is_released() {
    let _native = Native::start();
    // C lends it to each thread besides: its children live for as long as the library.
    let mill = Mill::of_this_test().unwrap();
    mill.turn(Look(|| {
        STONE.set(Some(Mill::the().unwrap().get().stone().unwrap()))
    }));
    mill.turn_alone(Look(|| {
        assert_eq!(ffi::STONES.load(SeqCst), 1);
        drop(STONE.take());
        BEFORE.store(ffi::STONES.load(SeqCst), SeqCst);
    }));
    mill.start();
    ffi::wait();
    assert_eq!(BEFORE.load(SeqCst), 1);
    // No call runs it: this thread makes none.
    let begun = Instant::now();
    while ffi::STONES.load(SeqCst) != 0 {
        assert!(
            begun.elapsed() < Duration::from_secs(20),
            "it is never released"
        );
        std::thread::sleep(Duration::from_millis(1));
    }
}
