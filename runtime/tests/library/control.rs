//! The side of the library that C callers do not see: the outcome of the next calls, the log, live objects, and the
//! gate.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::ffi::{CString, c_char, c_int, c_void};
use std::ptr;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

/// The outcome of a call that can fail.
#[derive(Clone, Copy)]
pub(crate) enum Next {
    Succeed,
    /// Fails without a report.
    Fail,
    /// Reports these messages through the callback, then fails.
    Report(&'static [&'static str]),
    /// Reports these messages through the callback that was called last, of whatever struct, then fails.
    Misreport(&'static [&'static str]),
    /// Reports these messages through the callback, and succeeds all the same.
    Grumble(&'static [&'static str]),
}

#[derive(Default)]
struct State {
    next: VecDeque<Next>,
    log: Vec<String>,
    live: isize,
    last_callback: report,
}

thread_local! {
    /// The state of a Rust test. Each test has a thread, so tests run beside each other.
    static STATE: RefCell<State> = RefCell::default();
}

/// Calls `f` with the state of this thread, or with an empty one while the thread ends.
fn with<R>(f: impl FnOnce(&mut State) -> R) -> R {
    let mut f = Some(f);
    let mut run = |state: &mut State| f.take().map(|f| f(state));
    let done = STATE.try_with(|state| run(&mut state.borrow_mut()));
    let done = done.unwrap_or_else(|_| run(&mut State::default()));
    done.unwrap_or_else(|| unreachable!("it runs once"))
}

/// Sets the outcome of the next calls of this thread that can fail; all others succeed.
pub(crate) fn next<const N: usize>(next: [Next; N]) {
    with(|state| state.next.extend(next));
}

/// The number of objects that this thread acquired and did not release.
pub(crate) fn live() -> isize {
    with(|state| state.live)
}

/// The callback that was called last, as a library has it that calls a callback too late.
pub(crate) fn last_callback() -> unsafe extern "C" fn(*mut c_void, *mut record) {
    with(|state| state.last_callback).expect("a callback was called")
}

/// Writes `event` into the log: that of this thread in a Rust test, that of all threads in the extension module.
pub(crate) fn note(event: impl Into<String>) {
    let event = event.into();
    if cfg!(test) {
        with(|state| state.log.push(event));
    } else {
        shared().log.push(event);
    }
}

/// The events since the last call of this function.
pub(crate) fn log() -> Vec<String> {
    if cfg!(test) {
        with(|state| std::mem::take(&mut state.log))
    } else {
        std::mem::take(&mut shared().log)
    }
}

pub(crate) fn acquire<T>(event: &str, value: T) -> *mut T {
    note(event);
    with(|state| state.live += 1);
    Box::into_raw(Box::new(value))
}

pub(crate) fn release<T>(event: &str, pointer: *mut T) {
    note(event);
    release_unseen(pointer);
}

/// Releases an object without an event.
pub(crate) fn release_unseen<T>(pointer: *mut T) {
    with(|state| state.live -= 1);
    // SAFETY: the caller of the release function passes a pointer of `acquire`, once.
    drop(unsafe { Box::from_raw(pointer) });
}

struct Shared {
    gate_closed: bool,
    at_gate: usize,
    log: Vec<String>,
}

static SHARED: Mutex<Shared> = Mutex::new(Shared {
    gate_closed: false,
    at_gate: 0,
    log: Vec::new(),
});
static CHANGED: Condvar = Condvar::new();

fn shared() -> MutexGuard<'static, Shared> {
    SHARED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Closes the gate, at which calls wait until it is opened, or opens it.
pub(crate) fn set_gate(closed: bool) {
    shared().gate_closed = closed;
    CHANGED.notify_all();
}

/// The number of calls that wait at the gate.
pub(crate) fn at_gate() -> usize {
    shared().at_gate
}

/// Waits while the gate is closed.
pub(crate) fn pass_gate() {
    let mut shared = shared();
    shared.at_gate += 1;
    while shared.gate_closed {
        shared = CHANGED.wait(shared).unwrap_or_else(PoisonError::into_inner);
    }
    shared.at_gate -= 1;
}

/// The argument of the callback that reports errors.
#[repr(C)]
pub struct record {
    pub message: *const c_char,
}

pub type report = Option<unsafe extern "C" fn(*mut c_void, *mut record)>;

/// Does what the test set as the next outcome; true for failure.
///
/// # Safety
///
/// The function in `report` is valid.
pub(crate) unsafe fn fails(report: *const report) -> bool {
    let next = with(|state| state.next.pop_front());
    let last = Some(with(|state| state.last_callback));
    let report = match (&next, &last) {
        (Some(Next::Misreport(_)), Some(last)) => ptr::from_ref(last),
        _ => report,
    };
    let (messages, fails) = match next {
        None | Some(Next::Succeed) => (&[][..], false),
        Some(Next::Fail) => (&[][..], true),
        Some(Next::Report(messages) | Next::Misreport(messages)) => (messages, true),
        Some(Next::Grumble(messages)) => (messages, false),
    };
    for message in messages {
        let message = CString::new(*message).unwrap();
        let mut record = record {
            message: message.as_ptr(),
        };
        // SAFETY: the callback may be called with any user data and a valid record.
        unsafe {
            if let Some(report) = report.as_ref().copied().flatten() {
                with(|state| state.last_callback = Some(report));
                report(ptr::null_mut(), &raw mut record);
            }
        }
    }
    fails
}
