//! Threads that Python ends while our functions are on their stack.
//!
//! When the interpreter ends, CPython up to 3.13 ends every other thread that wants to run Python code, by
//! `pthread_exit`. That unwinds the thread's stack, which aborts the process as soon as it comes to a function of Rust
//! that catches panics. PyO3 sees to the threads that attach. A thread that runs Python code inside of our functions is
//! ended by the interpreter loop; such a thread hangs for ever instead, as every thread does from Python 3.14 on. So
//! nothing on its stack is unwound, and the handles that it uses stay borrowed.
//!
//! glibc calls the handlers that were registered with `_pthread_cleanup_push` on each step of the unwinding, before the
//! function of that step, if the handler's record is not on the part of the stack that is still there. Our record is on
//! the heap, so its handler is called on the first step, and never returns.

#[cfg(all(target_os = "linux", not(Py_3_14)))]
pub(crate) use linux::Hang;

/// A guard that does nothing: Python hangs such threads itself.
#[cfg(not(all(target_os = "linux", not(Py_3_14))))]
#[derive(Debug)]
pub(crate) struct Hang(());

#[cfg(not(all(target_os = "linux", not(Py_3_14))))]
impl Hang {
    #[inline]
    pub(crate) fn begin() -> Self {
        Hang(())
    }
}

#[cfg(all(target_os = "linux", not(Py_3_14)))]
mod linux {
    use std::cell::{Cell, UnsafeCell};
    use std::ffi::{CStr, c_char, c_int, c_void};
    use std::mem::MaybeUninit;
    use std::ptr;
    use std::sync::atomic::{AtomicPtr, Ordering};

    use crate::interpreter::attach::is_ending;

    type Handler = extern "C" fn(*mut c_void);
    type Push = unsafe extern "C" fn(*mut c_void, Handler, *mut c_void);
    type Pop = unsafe extern "C" fn(*mut c_void, c_int);

    // SAFETY: C: POSIX declares the function so.
    unsafe extern "C" {
        fn dlsym(library: *mut c_void, name: *const c_char) -> *mut c_void;
    }

    /// Stands for a function that is not there.
    const MISSING: *mut c_void = ptr::without_provenance_mut(1);

    /// A function of the C library: null until it was looked up, or [`MISSING`].
    struct Function(&'static CStr, AtomicPtr<c_void>);

    static PUSH: Function = Function::new(c"_pthread_cleanup_push");
    static POP: Function = Function::new(c"_pthread_cleanup_pop");

    impl Function {
        const fn new(name: &'static CStr) -> Self {
            Function(name, AtomicPtr::new(ptr::null_mut()))
        }

        /// Returns the function, or null.
        #[inline(always)]
        fn get(&self) -> *mut c_void {
            let found = self.1.load(Ordering::Acquire);
            match found.addr() > MISSING.addr() {
                true => found,
                false => self.look_up(),
            }
        }

        #[cold]
        fn look_up(&self) -> *mut c_void {
            if self.1.load(Ordering::Acquire) == MISSING {
                return ptr::null_mut();
            }
            // SAFETY: C: the name is a string, and null stands for all libraries of the process.
            let found = unsafe { dlsym(ptr::null_mut(), self.0.as_ptr()) };
            let known = if found.is_null() { MISSING } else { found };
            self.1.store(known, Ordering::Release);
            found
        }
    }

    #[inline(always)]
    fn functions() -> Option<(Push, Pop)> {
        // SAFETY: C: null, or glibc's functions of these names, whose types never change.
        unsafe {
            let push = std::mem::transmute::<*mut c_void, Option<Push>>(PUSH.get());
            let pop = std::mem::transmute::<*mut c_void, Option<Pop>>(POP.get());
            push.zip(pop)
        }
    }

    /// The C library's record of one handler: a function, its argument, a number, the record before it.
    type Record = UnsafeCell<MaybeUninit<[*mut c_void; 8]>>;

    thread_local! {
        /// The number of guards of this thread.
        static DEPTH: Cell<u32> = const { Cell::new(0) };
        /// On the heap, as the record must not be on the stack: thread-local variables may be.
        static RECORD: Box<Record> = Box::new(UnsafeCell::new(MaybeUninit::zeroed()));
    }

    /// A guard of a thread. While a guard lives, the thread hangs where Python would end it.
    #[derive(Debug)]
    pub(crate) struct Hang(Option<Pop>);

    impl Hang {
        #[inline(always)]
        pub(crate) fn begin() -> Self {
            let depth = DEPTH.get();
            DEPTH.set(depth + 1);
            Hang(if depth == 0 { push() } else { None })
        }
    }

    impl Drop for Hang {
        #[inline]
        fn drop(&mut self) {
            DEPTH.set(DEPTH.get() - 1);
            if let Some(pop) = self.0 {
                // SAFETY: C: `begin` pushed the record, and guards are dropped in the opposite order, so it is the
                // newest one.
                let _ = RECORD.try_with(|record| unsafe { pop(record.get().cast(), 0) });
            }
        }
    }

    #[inline(always)]
    fn push() -> Option<Pop> {
        let (push, pop) = functions()?;
        let pushed = RECORD.try_with(|record| {
            // SAFETY: C: the record is this thread's own, large enough, and stays where it is until `pop`.
            unsafe { push(record.get().cast(), hang, ptr::null_mut()) }
        });
        // A thread that has dropped its variables is about to end anyway.
        pushed.ok().map(|()| pop)
    }

    /// Hangs the thread if the interpreter is ending. Returns if other code ends the thread.
    extern "C" fn hang(_: *mut c_void) {
        if is_ending() {
            loop {
                std::thread::park();
            }
        }
    }
}
