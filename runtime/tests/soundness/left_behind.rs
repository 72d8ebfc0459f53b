//! Deferred releases: when they run, and what waits for them.

use std::ffi::c_int;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::time::{Duration, Instant};

use leakproof::live_handles;
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
    use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, Sender};
    use std::sync::{Mutex, OnceLock};

    pub struct mill {
        owners: AtomicI32,
    }
    pub struct sack {
        _mill: *mut mill,
    }

    /// The library's own mill.
    pub unsafe extern "C" fn mill_default() -> *mut mill {
        static MILL: OnceLock<usize> = OnceLock::new();
        let new = || {
            Box::into_raw(Box::new(mill {
                owners: AtomicI32::new(1),
            }))
            .expose_provenance()
        };
        std::ptr::with_exposed_provenance_mut(*MILL.get_or_init(new))
    }

    pub unsafe extern "C" fn mill_ref(mill: *mut mill) {
        unsafe { &(*mill).owners }.fetch_add(1, Ordering::SeqCst);
    }

    pub unsafe extern "C" fn mill_free(mill: *mut mill) {
        unsafe { &(*mill).owners }.fetch_sub(1, Ordering::SeqCst);
    }

    /// The number of turns that have begun.
    pub static TURNS: AtomicUsize = AtomicUsize::new(0);

    pub unsafe extern "C" fn mill_turn(_: *mut mill, length: usize) -> std::ffi::c_int {
        TURNS.fetch_add(1, Ordering::SeqCst);
        (0..length).for_each(|_| std::hint::spin_loop());
        0
    }

    pub struct wheel {
        owners: AtomicI32,
    }

    pub unsafe extern "C" fn wheel_new() -> *mut wheel {
        Box::into_raw(Box::new(wheel {
            owners: AtomicI32::new(1),
        }))
    }

    pub unsafe extern "C" fn wheel_ref(wheel: *mut wheel) {
        unsafe { &(*wheel).owners }.fetch_add(1, Ordering::SeqCst);
    }

    pub unsafe extern "C" fn wheel_unref(wheel: *mut wheel) {
        if unsafe { &(*wheel).owners }.fetch_sub(1, Ordering::SeqCst) == 1 {
            drop(unsafe { Box::from_raw(wheel) });
        }
    }

    /// Turns until the other side says that it may stop.
    pub static STOP: Mutex<Option<(Sender<()>, Receiver<()>)>> = Mutex::new(None);

    pub unsafe extern "C" fn mill_grind(_: *mut mill) -> std::ffi::c_int {
        let (begun, may_stop) = STOP.lock().unwrap().take().unwrap();
        begun.send(()).unwrap();
        may_stop.recv().unwrap();
        0
    }

    pub struct grain {
        _sack: *mut sack,
    }

    pub unsafe extern "C" fn sack_grain(sack: *mut sack) -> *mut grain {
        Box::into_raw(Box::new(grain { _sack: sack }))
    }

    pub unsafe extern "C" fn grain_free(grain: *mut grain) {
        drop(unsafe { Box::from_raw(grain) });
    }

    pub unsafe extern "C" fn mill_sack(mill: *mut mill) -> *mut sack {
        Box::into_raw(Box::new(sack { _mill: mill }))
    }

    /// Gets a message for each sack that is released.
    pub static FREED: Mutex<Option<Sender<()>>> = Mutex::new(None);

    pub unsafe extern "C" fn sack_free(sack: *mut sack) {
        drop(unsafe { Box::from_raw(sack) });
        if let Some(freed) = &*FREED.lock().unwrap() {
            freed.send(()).unwrap();
        }
    }

    pub struct crew {
        worker: Option<std::thread::JoinHandle<()>>,
    }
    pub type job = Option<unsafe extern "C" fn(*mut c_void)>;

    pub unsafe extern "C" fn crew_new() -> *mut crew {
        Box::into_raw(Box::new(crew { worker: None }))
    }

    /// Has a thread of the library's own call back.
    pub unsafe extern "C" fn crew_send(crew: *mut crew, job: job, data: *mut c_void) {
        let data = data.expose_provenance();
        let work = move || unsafe { job.unwrap()(std::ptr::with_exposed_provenance_mut(data)) };
        unsafe { (*crew).worker = Some(std::thread::spawn(work)) };
    }

    /// Waits for the thread.
    pub unsafe extern "C" fn crew_free(crew: *mut crew) {
        let crew = unsafe { Box::from_raw(crew) };
        crew.worker
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
    }

    pub struct tray {
        size: i32,
    }
    pub struct scoop {
        sacks: Vec<*mut sack>,
    }

    pub unsafe extern "C" fn tray_new() -> *mut tray {
        Box::into_raw(Box::new(tray { size: 3 }))
    }

    pub unsafe extern "C" fn tray_size(tray: *mut tray) -> i32 {
        unsafe { (*tray).size }
    }

    pub unsafe extern "C" fn tray_free(tray: *mut tray) {
        drop(unsafe { Box::from_raw(tray) });
    }

    pub unsafe extern "C" fn tray_scoop(_: *mut tray) -> *mut scoop {
        Box::into_raw(Box::new(scoop { sacks: Vec::new() }))
    }

    pub unsafe extern "C" fn scoop_fill(scoop: *mut scoop, sack: *mut sack) {
        unsafe { (*scoop).sacks.push(sack) };
    }

    pub unsafe extern "C" fn scoop_free(scoop: *mut scoop) {
        let scoop = unsafe { Box::from_raw(scoop) };
        scoop
            .sacks
            .iter()
            .for_each(|sack| unsafe { sack_free(*sack) });
    }
}

#[handle(raw = ffi::mill, release = ffi::mill_free, retain = ffi::mill_ref, independent, fork_safe)]
struct Mill;

#[handle(raw = ffi::sack, release = ffi::sack_free, parent = Mill, fork_safe)]
struct FlourSack;

#[handle(raw = ffi::grain, release = ffi::grain_free, parent = FlourSack, fork_safe)]
struct FlourGrain;

#[handle(raw = ffi::tray, release = ffi::tray_free, fork_safe)]
struct Tray;

#[handle(raw = ffi::scoop, release = ffi::scoop_free, parent = &mut Tray, fork_safe)]
struct Scoop;

#[handle(raw = ffi::wheel, release = ffi::wheel_unref, retain = ffi::wheel_ref, borrowed_with = Self, fork_safe)]
struct MillWheel;

#[handle(integer = c_int, part_of = MillWheel)]
struct MillTooth;

#[methods(unsafe, rust_only)]
impl MillWheel {
    #[calls(ffi::wheel_new, fails = null)]
    fn new() -> Result<Owned<MillWheel>>;
}

#[methods(unsafe, rust_only)]
impl Tray {
    #[calls(ffi::tray_new, fails = null)]
    fn new() -> Result<Owned<Tray>>;

    #[calls(ffi::tray_size, fails = negative)]
    fn size(&self) -> Result<i32>;

    #[calls(ffi::tray_scoop, fails = null)]
    fn scoop(&mut self) -> Result<Owned<Scoop>>;
}

#[methods(unsafe, rust_only)]
impl Scoop {
    #[calls(ffi::scoop_fill)]
    fn fill(&self, sack: Owned<FlourSack>);
}

#[methods(unsafe, rust_only)]
impl FlourSack {
    #[calls(ffi::sack_grain, fails = null)]
    fn grain(&self) -> Result<Owned<FlourGrain>>;
}

#[handle(raw = ffi::crew, release = ffi::crew_free, attachments, fork_safe)]
struct Crew;

#[derive(Attachment)]
struct Grinds;

#[callbacks(unsafe)]
impl Grinds {
    #[callback(ffi::job, args = (data))]
    fn job(&self) -> Result<()> {
        Mill::shared()?.grind()
    }
}

#[methods(unsafe, rust_only)]
impl Crew {
    #[calls(ffi::crew_new, fails = null)]
    fn new() -> Result<Owned<Crew>>;

    #[calls(ffi::crew_send, args = (self, grinds.job, grinds.data), scope = handle)]
    fn send(&mut self, grinds: Grinds);
}

#[methods(unsafe, rust_only)]
impl Mill {
    #[calls(ffi::mill_default, fails = null, retain)]
    fn shared() -> Result<Owned<Mill>>;

    #[calls(ffi::mill_turn, fails = nonzero)]
    fn turn(&mut self, length: usize) -> Result<()>;

    #[calls(ffi::mill_grind, fails = nonzero)]
    fn grind(&mut self) -> Result<()>;

    #[calls(ffi::mill_sack, fails = null)]
    fn sack(&self) -> Result<Owned<FlourSack>>;
}

fn living() -> (isize, isize) {
    let all = live_handles();
    (all["FlourSack"], all["FlourGrain"])
}

#[test]
fn parent_of_a_handle_whose_release_is_deferred_is_closed_without_an_error() {
    let _native = Native::start();
    let mill = Mill::shared().unwrap();
    let sack = mill.sack().unwrap();
    let grain = sack.grain().unwrap();
    let ((begun, has_begun), (stop, may_stop)) = (channel(), channel());
    *ffi::STOP.lock().unwrap() = Some((begun, may_stop));
    let ground = std::thread::spawn(|| Mill::shared().unwrap().grind());
    has_begun.recv().unwrap();
    grain.close().unwrap();
    sack.close().unwrap();
    assert_eq!(living(), (1, 1));
    stop.send(()).unwrap();
    ground.join().unwrap().unwrap();
    assert_eq!(living(), (0, 0));
}

#[test]
fn release_that_waited_for_a_callback_on_a_thread_of_c_runs_when_the_callback_has_ended() {
    let _native = Native::start();
    let mill = Mill::shared().unwrap();
    let sack = mill.sack().unwrap();
    let mut crew = Crew::new().unwrap();
    let ((begun, has_begun), (stop, may_stop)) = (channel(), channel());
    *ffi::STOP.lock().unwrap() = Some((begun, may_stop));
    let (freed, is_freed) = channel();
    *ffi::FREED.lock().unwrap() = Some(freed);
    crew.send(Grinds);
    has_begun.recv().unwrap();
    sack.close().unwrap();
    assert_eq!(living(), (1, 0));
    stop.send(()).unwrap();
    // This thread calls nothing meanwhile.
    let released = is_freed.recv_timeout(Duration::from_secs(60));
    *ffi::FREED.lock().unwrap() = None;
    released.expect("the release was left behind");
    drop(crew);
    // The thread of another test may have run the release, and be about to count it.
    while living() != (0, 0) {
        std::thread::yield_now();
    }
}

#[test]
fn parent_of_a_closed_holder_is_refused_until_that_is_released() {
    let _native = Native::start();
    let mill = Mill::shared().unwrap();
    let mut tray = Tray::new().unwrap();
    let scoop = tray.scoop().unwrap();
    scoop.fill(mill.sack().unwrap());
    let ((begun, has_begun), (stop, may_stop)) = (channel(), channel());
    *ffi::STOP.lock().unwrap() = Some((begun, may_stop));
    let ground = std::thread::spawn(|| Mill::shared().unwrap().grind());
    has_begun.recv().unwrap();
    scoop.close().unwrap();
    let refused = tray.size().unwrap_err();
    assert!(
        matches!(refused, Error::Releasing("Tray", "Scoop")),
        "{refused}"
    );
    assert_eq!(
        refused.to_string(),
        "Tray cannot be used until a Scoop that uses it is released: the Scoop was closed while something else used it or what \
         it keeps"
    );
    stop.send(()).unwrap();
    ground.join().unwrap().unwrap();
    assert_eq!(tray.size().unwrap(), 3);
}

/// Ends the other threads of a test, also where the test fails.
struct Last<'a>(&'a AtomicUsize);

impl Drop for Last<'_> {
    fn drop(&mut self) {
        self.0.store(usize::MAX, Ordering::SeqCst);
    }
}

/// A use ends on another thread while the handle is closed. A third thread makes the moments last in which the close
/// may miss that: each tooth of the wheel asks for holders in the whole table of children, because a scoop holds its
/// tray. It is no call, which would run the release.
#[test]
#[cfg_attr(miri, ignore = "Miri takes too long")]
fn release_runs_whenever_the_use_in_its_way_ends() {
    let _native = Native::start();
    const ROUNDS: usize = 1500;
    let (round, done, length) = (
        AtomicUsize::new(0),
        AtomicUsize::new(0),
        AtomicUsize::new(0),
    );
    let wait = |for_: &AtomicUsize, n| {
        while for_.load(Ordering::SeqCst) < n {
            std::thread::yield_now();
        }
    };
    let is_released = || live_handles()["FlourSack"] == 1;
    let mill = Mill::shared().unwrap();
    let mut tray = Tray::new().unwrap();
    let _scoop = tray.scoop().unwrap();
    let full = mill.sack().unwrap();
    let _grains: Vec<_> = (0..5000).map(|_| full.grain().unwrap()).collect();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut mill = Mill::shared().unwrap();
            for n in 1..=ROUNDS {
                wait(&round, n);
                if round.load(Ordering::SeqCst) == usize::MAX {
                    break;
                }
                mill.turn(length.load(Ordering::SeqCst)).unwrap();
                done.store(n, Ordering::SeqCst);
            }
        });
        scope.spawn(|| {
            let wheel = MillWheel::new().unwrap();
            while round.load(Ordering::SeqCst) <= ROUNDS {
                assert!(Borrowed::<MillTooth>::from_integer(&wheel, 1).is_some());
                std::thread::yield_now();
            }
        });
        let _last = Last(&round);
        let start = Instant::now();
        for n in 1..=ROUNDS {
            // A busy machine makes fewer rounds.
            if start.elapsed() > Duration::from_secs(10) {
                break;
            }
            let (sack, turns) = (mill.sack().unwrap(), ffi::TURNS.load(Ordering::SeqCst));
            round.store(n, Ordering::SeqCst);
            wait(&ffi::TURNS, turns + 1);
            sack.close().unwrap();
            // The next use is longer after one that ended before the close, and else shorter: it ends about then.
            let last = length.load(Ordering::SeqCst);
            let next = match is_released() {
                true => last + last / 8 + 100,
                false => last - last / 8,
            };
            length.store(next.min(100_000), Ordering::SeqCst);
            wait(&done, n);
            // The thread of another test may have it in hand.
            let end = Instant::now() + Duration::from_secs(5);
            while !is_released() && Instant::now() < end {
                std::thread::yield_now();
            }
            assert!(is_released(), "round {n}: the release is left behind");
        }
    });
}
