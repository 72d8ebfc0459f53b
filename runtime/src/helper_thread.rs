//! Calls that signals interrupt: `#[calls(…, interrupt = Handle::method)]`.
//!
//! Python runs the handlers of signals on its main thread only, between two steps of Python code, so a C function that
//! works for long on that thread keeps them waiting. A call with `interrupt` is made on Python's main thread as
//! follows: C runs on a helper thread; the main thread waits without the GIL and runs the handlers of the signals that
//! come; when a handler raises, the main thread calls the author's method, again and again, until C has returned. Then
//! the call goes on where it was made: what C gave gets its owner, and the exception is raised. On every other thread,
//! and where no helper thread can be started, C runs on the thread of the call.
//!
//! All that a call sets for its thread (collector, thread-local variables of C, frame) is set on the helper thread,
//! since the whole of [`hooked`](crate::call) runs there. The main thread touches nothing of the call meanwhile.
//!
//! A forked child has no helper thread. Where a signal handler forks, the calls in which the handler runs are
//! interrupted first and have ended when both processes go on: they end as C says. Python says before its own forks
//! that it will fork, so that the main thread can wait without the GIL, which what C reports may need. Other forks, by
//! C, wait in the system call's own handler, where other packages may have locked what threads with the GIL wait for.

use std::marker::PhantomData;

use crate::callback::CallbackFailure;
use crate::handle::Handle;

/// The choice of the thread that a call runs C on.
pub trait Runner {
    /// Set for the thread of the call.
    const IS_THIS_THREAD: bool = false;

    /// Runs `call` on that thread. Returns also what a signal handler raised meanwhile.
    fn run<R>(self, call: impl FnOnce() -> R) -> (R, Option<RaisedBySignal>);
}

/// The exception that a signal handler raised while C ran, or a panic of the author's method that interrupts.
#[doc(hidden)]
pub struct RaisedBySignal(pub(crate) CallbackFailure);

/// The thread of the call.
#[derive(Debug)]
pub struct ThisThread;

impl Runner for ThisThread {
    const IS_THIS_THREAD: bool = true;

    #[inline]
    fn run<R>(self, call: impl FnOnce() -> R) -> (R, Option<RaisedBySignal>) {
        (call(), None)
    }
}

/// A helper thread, where the thread of the call runs Python's signal handlers.
#[derive(Debug)]
pub struct Aside<I> {
    interrupt: I,
}

impl<I: Fn()> Aside<I> {
    /// Returns the runner for a call that `interrupt` ends.
    ///
    /// # Safety
    ///
    /// The C function may run on another thread than that of the call, calls back nothing of the author's but
    /// `ErrorSource`, and may be interrupted by `interrupt` from the thread of the call at any time, also before it
    /// begins. The call holds no value that belongs to its thread: the errors of its handle are `Send`
    /// ([`errors_are_sent`]).
    #[inline]
    pub const unsafe fn interrupted_by(interrupt: I) -> Self {
        Aside { interrupt }
    }
}

impl<I: Fn()> Runner for Aside<I> {
    fn run<R>(self, call: impl FnOnce() -> R) -> (R, Option<RaisedBySignal>) {
        #[cfg(feature = "python")]
        if crate::interpreter::handles_signals() {
            return helper::run(call, &self.interrupt);
        }
        let _ = self.interrupt;
        (call(), None)
    }
}

/// Refuses, while compiling, errors that collect what C reports and must stay on their thread.
pub const fn errors_are_sent<T: Handle>()
where
    T::Errors: Send,
{
}

/// The facts of a parameter's type about the threads that may use it.
#[derive(Debug)]
pub struct Probe<T: ?Sized>(PhantomData<T>);

impl<T: Handle> Probe<T> {
    /// True if the handle, or what it lives in, belongs to its thread.
    pub const IS_THREAD_BOUND: bool = T::SPEC.is_thread_bound();
    /// True if its borrows are noted by the thread of the call.
    pub const IS_COUNTED: bool = T::SPEC.is_counted();
    /// True if it says that it lends memory.
    pub const LENDS: bool = T::SPEC.lends_memory();
}

/// Facts of types that are not handles: text, memory, records.
pub trait NoHandle {
    /// False: these types belong to no thread.
    const IS_THREAD_BOUND: bool = false;
    /// False: these types have no counted owners.
    const IS_COUNTED: bool = false;
    /// Nothing is asked.
    const LENDS: bool = true;
}

impl<T: ?Sized> NoHandle for Probe<T> {}

#[cfg(feature = "python")]
pub(crate) use helper::before_python_forks;

#[cfg(feature = "python")]
mod helper {
    use std::cell::Cell;
    use std::convert::Infallible;
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::ptr;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
    use std::sync::{Mutex, PoisonError};
    use std::thread::{self, ScopedJoinHandle};
    use std::time::Duration;

    use pyo3::prelude::*;
    use pyo3::types::{PyCFunction, PyDict, PyTuple};

    use super::RaisedBySignal;
    use crate::callback::CallbackFailure;
    use crate::error::Error;
    use crate::fork::BeforeFork;
    use crate::interpreter::{ReentrancyGuard, detach, report, run_signal_handlers};
    use crate::panics::Caught;
    use crate::restore_guard::RestoreGuard;
    use crate::uses::depth::{Inside, at_depth, callbacks_here};

    /// The stack of a main thread on most systems. Of pages that are not used only the addresses are taken.
    const STACK: usize = 8 << 20;

    /// Room for what a new thread allocates besides its stack. Without room for its variables, glibc does not fail: it
    /// ends the process.
    const ROOM: usize = 2 << 20;

    /// Returns whether there are addresses for a new thread. The allocator's free memory does not count: a new thread
    /// begins with memory of its own.
    fn has_room() -> bool {
        let (protection, flags) = (libc::PROT_NONE, libc::MAP_PRIVATE | libc::MAP_ANONYMOUS);
        // SAFETY: C: new addresses are asked for, anywhere, and nothing is in them.
        let probe = unsafe { libc::mmap(ptr::null_mut(), STACK + ROOM, protection, flags, -1, 0) };
        if probe == libc::MAP_FAILED {
            return false;
        }
        // SAFETY: C: these are the addresses that `mmap` gave.
        unsafe { libc::munmap(probe, STACK + ROOM) == 0 }
    }

    /// The time between two looks for signals.
    const SIGNALS_EVERY: Duration = Duration::from_millis(20);

    /// The time between two calls of the method that interrupts.
    const INTERRUPTS_EVERY: Duration = Duration::from_millis(1);

    /// A value that goes to the helper thread and back.
    struct Sent<T>(T);

    // SAFETY: the caller's promise: the call that `Aside::interrupted_by` was made for may run on another thread, and
    // its errors are `Send`. Guarantee 22: the thread of the call leaves all of it alone until the helper thread has
    // ended.
    unsafe impl<T> Send for Sent<T> {}

    impl<T> Sent<T> {
        fn into_inner(self) -> T {
            self.0
        }
    }

    type Outcome<R> = Sent<thread::Result<R>>;

    /// The helper thread of one call.
    struct Helper<'s, 'i, R> {
        thread: Cell<Option<ScopedJoinHandle<'s, Outcome<R>>>>,
        /// Disconnected as soon as C has returned.
        ended: Receiver<Infallible>,
        outcome: Cell<Option<Outcome<R>>>,
        interrupt: &'i dyn Fn(),
        /// The place of the call in the callbacks of its thread.
        depth: u32,
        /// A panic of `interrupt`, after which `interrupt` is called no more.
        caught: Caught,
        panicked: Cell<bool>,
    }

    impl<R> Helper<'_, '_, R> {
        fn ends_within(&self, time: Duration) -> bool {
            self.ended.recv_timeout(time) == Err(RecvTimeoutError::Disconnected)
        }

        /// Returns whether nobody has joined the thread.
        fn is_running(&self) -> bool {
            let thread = self.thread.take();
            let is_running = thread.is_some();
            self.thread.set(thread);
            is_running
        }

        /// Waits for the end of the thread itself, after that of the call: the thread-local variables are gone then.
        fn join(&self) {
            if let Some(thread) = self.thread.take() {
                let outcome = thread.join();
                let outcome = outcome.unwrap_or_else(|panic| Sent(Err(panic)));
                self.outcome.set(Some(outcome));
            }
        }

        /// Interrupts C until it has returned. `wait` waits for some time, and returns whether C has returned.
        fn interrupt_until(&self, wait: impl Fn() -> bool) {
            loop {
                if !self.panicked.get() {
                    // The method is written in Rust, and may use handles.
                    let _python = ReentrancyGuard::begin();
                    // It belongs to the call, also where a signal handler forks.
                    let _at_call = at_depth(self.depth);
                    let called = self.caught.run(|| (self.interrupt)());
                    self.panicked.set(called.is_none());
                }
                if wait() {
                    return;
                }
            }
        }

        /// Runs the handlers of signals until C has returned.
        fn wait(&self) -> Option<Error> {
            loop {
                if detach(|| self.ends_within(SIGNALS_EVERY)) {
                    return None;
                }
                // A handler is no part of the call: what the call uses exclusively it cannot use.
                let inside = Inside::begin();
                let handled = run_signal_handlers();
                drop(inside);
                if let Err(error) = handled {
                    self.interrupt_until(|| detach(|| self.ends_within(INTERRUPTS_EVERY)));
                    return Some(error);
                }
            }
        }

        /// Returns the result, and what was raised meanwhile.
        fn outcome(self, error: Option<Error>) -> (R, Option<RaisedBySignal>) {
            let outcome = self.outcome.take();
            let outcome =
                outcome.unwrap_or_else(|| unreachable!("the thread was joined, only by `join`"));
            let result = outcome
                .into_inner()
                .unwrap_or_else(|panic| resume_unwind(panic));
            let raised = match (error, self.caught.take()) {
                (error, None) => error.map(CallbackFailure::Error),
                (error, Some(panic)) => {
                    error.into_iter().for_each(report);
                    Some(CallbackFailure::Panic(panic))
                }
            };
            (result, raised.map(RaisedBySignal))
        }
    }

    /// A call of this thread that waits for its helper thread, on the stack.
    struct Waiting<'w> {
        /// Interrupts C and waits for the end of the helper thread, without the GIL or as the thread is.
        end: &'w dyn Fn(Wait),
        outer: *const Waiting<'static>,
    }

    thread_local! {
        /// The innermost waiting call of this thread.
        static INNERMOST: Cell<*const Waiting<'static>> = const { Cell::new(ptr::null()) };
    }

    /// The way in which a thread waits.
    #[derive(Clone, Copy)]
    enum Wait {
        WithoutGil,
        AsItIs,
    }

    impl Wait {
        fn run<R>(self, wait: impl FnOnce() -> R) -> R {
            match self {
                Wait::WithoutGil => detach(wait),
                Wait::AsItIs => wait(),
            }
        }
    }

    inventory::submit! { BeforeFork(|| end_all(Wait::AsItIs)) }

    /// Has Python say before it forks that it will: then no lock is taken yet.
    ///
    /// # Errors
    ///
    /// `MemoryError`.
    pub(crate) fn before_python_forks(py: Python<'_>) -> PyResult<()> {
        static IS_REGISTERED: AtomicBool = AtomicBool::new(false);
        let os = py.import("os")?;
        // Only systems that fork have it.
        let Some(register) = os.getattr_opt("register_at_fork")? else {
            return Ok(());
        };
        let end = |_: &Bound<'_, PyTuple>, _: Option<&Bound<'_, PyDict>>| end_all(Wait::WithoutGil);
        let end = PyCFunction::new_closure(py, None, None, end)?;
        let before = PyDict::new(py);
        before.set_item("before", end)?;
        if !IS_REGISTERED.swap(true, Ordering::Relaxed) {
            register.call((), Some(&before))?;
        }
        Ok(())
    }

    /// Ends the helper threads of this thread's calls: this thread forks in a signal handler.
    fn end_all(wait: Wait) {
        let mut waiting = INNERMOST.get();
        // SAFETY: Rust: each is on the stack of a call of this thread, which takes it from the list before it returns
        // (`waiting`).
        while let Some(call) = unsafe { waiting.as_ref() } {
            (call.end)(wait);
            waiting = call.outer;
        }
    }

    /// Tells `before_fork` how to end the helper thread, while `wait` runs.
    fn waiting<R>(end: &dyn Fn(Wait), wait: impl FnOnce() -> R) -> R {
        let call = Waiting {
            end,
            outer: INNERMOST.get(),
        };
        let _outer = RestoreGuard::set(&INNERMOST, ptr::from_ref(&call).cast());
        wait()
    }

    /// Runs `call` on a helper thread.
    pub(super) fn run<R>(
        call: impl FnOnce() -> R,
        interrupt: &dyn Fn(),
    ) -> (R, Option<RaisedBySignal>) {
        // A thread that does not start leaves the call here.
        let call = Mutex::new(Some(Sent(call)));
        let take = || {
            let call = call.lock().unwrap_or_else(PoisonError::into_inner).take();
            let call = call.unwrap_or_else(|| unreachable!("it is taken once"));
            call.into_inner()
        };
        if !has_room() {
            return (take()(), None);
        }
        thread::scope(|scope| {
            let (running, ended) = channel::<Infallible>();
            let thread = thread::Builder::new()
                .name("interruptible".into())
                .stack_size(STACK)
                .spawn_scoped(scope, move || {
                    let _running = running;
                    // What is collected may run Python code.
                    let _python = ReentrancyGuard::begin();
                    Sent(catch_unwind(AssertUnwindSafe(take())))
                });
            let Ok(thread) = thread else {
                return (take()(), None);
            };
            let helper = Helper {
                thread: Cell::new(Some(thread)),
                ended,
                outcome: Cell::new(None),
                interrupt,
                depth: callbacks_here(),
                caught: Caught::new(),
                panicked: Cell::new(false),
            };
            let end = |wait: Wait| {
                if helper.is_running() {
                    helper.interrupt_until(|| wait.run(|| helper.ends_within(INTERRUPTS_EVERY)));
                    wait.run(|| helper.join());
                }
            };
            let error = waiting(&end, || helper.wait());
            detach(|| helper.join());
            helper.outcome(error)
        })
    }
}
