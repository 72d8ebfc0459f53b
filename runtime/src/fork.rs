//! Forks of the process: a fork ends what is bound to a process, and what other threads held.
//!
//! A forked child has one thread. A lock that another thread held at the fork would stay locked in the child forever. A
//! fork therefore takes all of the runtime's own locks first ([`Lock`]), and both processes release them. Nothing here
//! waits for a one-time initialization, as the thread that runs it might not exist in the child: a value that is
//! computed once is in a [`OnceBox`](once_cell::race::OnceBox), for which two threads may compute it both.

use std::any::Any;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// The number of forks in the lower half, and in the upper half the number of releases that wait for their thread. One
/// word, so that a call asks both at once ([`gate`]).
static GATE: AtomicU64 = AtomicU64::new(0);
/// The unit of the upper half.
#[cfg(feature = "python")]
const ONE_WAITING: u64 = 1 << 32;

/// A function that takes one of the runtime's own locks and returns its guard. Each of these locks is held for a few
/// instructions and, except around a fork, never together with another one.
pub(crate) struct Lock(pub(crate) fn() -> Box<dyn Any>);

inventory::collect!(Lock);

/// A function that runs in a forked child. It forgets the work of threads that the child does not have.
pub(crate) struct InChild(pub(crate) fn());

inventory::collect!(InChild);

/// A function that runs before each fork, before the locks are taken.
pub(crate) struct BeforeFork(pub(crate) fn());

inventory::collect!(BeforeFork);

thread_local! {
    /// The locks that this thread holds while it forks.
    static HELD: RefCell<Vec<Box<dyn Any>>> = const { RefCell::new(Vec::new()) };
}

extern "C" fn before_fork() {
    // Before the locks, as helper threads take some of them.
    for BeforeFork(run) in inventory::iter::<BeforeFork> {
        run();
    }
    let locks = inventory::iter::<Lock>.into_iter();
    let held = locks.map(|Lock(take)| take()).collect();
    let _ = HELD.try_with(|mine| mine.replace(held));
}

extern "C" fn after_fork() {
    let _ = HELD.try_with(RefCell::take);
}

extern "C" fn in_forked_child() {
    GATE.fetch_add(1, Ordering::Relaxed);
    after_fork();
    let forget = inventory::iter::<InChild>.into_iter();
    forget.for_each(|InChild(forget)| forget());
}

/// Has the system call the functions above at each fork.
extern "C" fn watch_forks() {
    // SAFETY: C: the function may be called at any time. The handlers take and free locks that are held for a few
    // instructions, none within another one, take entries out of lists, and add to a number. Where there is no memory
    // to remember them, forks go unnoticed.
    let _ =
        unsafe { libc::pthread_atfork(Some(before_fork), Some(after_fork), Some(in_forked_child)) };
}

/// Runs [`watch_forks`] while the library is loaded. A thread that did so at its first call could be the one that a
/// fork leaves behind: with a lock that was taken before the fork could take it.
#[used]
// SAFETY: C: the loader calls each function in this section once, with arguments that this one ignores.
#[cfg_attr(
    target_vendor = "apple",
    unsafe(link_section = "__DATA,__mod_init_func,mod_init_funcs")
)]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static AT_LOAD: extern "C" fn() = watch_forks;

/// Returns the number of forks between this process and the process that loaded the library.
#[inline]
pub(crate) fn forks() -> u32 {
    // The lower half.
    GATE.load(Ordering::Relaxed) as u32
}

/// A bit that no result of [`gate`] has.
#[cfg(feature = "python")]
pub(crate) const NO_GATE: u64 = 1 << 63;

/// Returns the number of forks if no release waits for its thread, and else a number that is never one of forks.
#[inline(always)]
#[cfg(feature = "python")]
pub(crate) fn gate() -> u64 {
    GATE.load(Ordering::Relaxed)
}

/// Returns whether a release waits for its thread.
#[inline]
#[cfg(feature = "python")]
pub(crate) fn is_release_waiting() -> bool {
    gate() >= ONE_WAITING
}

/// Counts a release that waits for its thread.
#[cfg(feature = "python")]
pub(crate) fn add_waiting_release() {
    GATE.fetch_add(ONE_WAITING, Ordering::Relaxed);
}

/// Ends [`add_waiting_release`] for some.
#[cfg(feature = "python")]
pub(crate) fn remove_waiting_releases(count: usize) {
    GATE.fetch_sub(ONE_WAITING * count as u64, Ordering::Relaxed);
}

/// A handle that a forked child made: the number of forks before that, and the number of guards that own the handle.
struct Made {
    forks: u32,
    owners: u32,
}

/// The handles that are bound to their process and were made in a forked child, by kind and address.
///
/// A guard is one pointer and does not record the process that made it. A process that was never forked owns all of its
/// handles and records none. A forked child records the handles that it makes; all others belong to its parent.
static MADE: Mutex<BTreeMap<(usize, usize), Made>> = Mutex::new(BTreeMap::new());

inventory::submit! { Lock(|| Box::new(all_made())) }

fn all_made() -> MutexGuard<'static, BTreeMap<(usize, usize), Made>> {
    MADE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Records that this process made the handle of this kind and address.
#[inline]
pub(crate) fn made(handle: (usize, usize)) {
    if forks() != 0 {
        note_made(handle);
    }
}

#[cold]
fn note_made(handle: (usize, usize)) {
    let forks = forks();
    let mut all = all_made();
    let made = all.entry(handle).or_insert(Made { forks, owners: 0 });
    if made.forks != forks {
        // One of before the last fork, which is not released here.
        *made = Made { forks, owners: 0 };
    }
    made.owners += 1;
}

/// Returns whether this process made the handle.
#[inline]
pub(crate) fn is_own(handle: (usize, usize)) -> bool {
    let made = || {
        all_made()
            .get(&handle)
            .is_some_and(|made| made.forks == forks())
    };
    forks() == 0 || made()
}

/// Removes one owner of the handle, which is about to go. Returns whether this process made the handle.
#[inline]
pub(crate) fn gone(handle: (usize, usize)) -> bool {
    forks() == 0 || note_gone(handle)
}

#[cold]
fn note_gone(handle: (usize, usize)) -> bool {
    let mut all = all_made();
    let Some(made) = all.get_mut(&handle) else {
        return false;
    };
    let own = made.forks == forks();
    made.owners -= 1;
    if made.owners == 0 {
        all.remove(&handle);
    }
    own
}
