//! A library whose functions say whether their thread has the GIL.

use std::ffi::c_int;
use std::sync::Mutex;

use leakproof::__private::uses;
use leakproof::prelude::*;
use leakproof::pyo3::{Py, PyAny, Python};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::sync::atomic::{AtomicI32, Ordering};
    use std::time::Duration;

    use leakproof::pyo3::ffi::{PyGILState_GetThisThreadState, compat::PyThreadState_GetUnchecked};

    pub struct gauge {
        pub number: c_int,
    }

    pub type read_t = Option<unsafe extern "C" fn(*mut gauge, *mut c_void) -> c_int>;

    /// 1 if the last release, or the last retain, had the GIL.
    static COUNTED: AtomicI32 = AtomicI32::new(-1);

    fn attached() -> c_int {
        let state = unsafe { PyThreadState_GetUnchecked() };
        c_int::from(!state.is_null() && state == unsafe { PyGILState_GetThisThreadState() })
    }

    pub unsafe extern "C" fn gauge_new() -> *mut gauge {
        Box::into_raw(Box::new(gauge { number: 7 }))
    }

    pub unsafe extern "C" fn gauge_free(gauge: *mut gauge) {
        COUNTED.store(attached(), Ordering::Relaxed);
        drop(unsafe { Box::from_raw(gauge) });
    }

    /// Releases the gauge, and returns 1 if its number is negative.
    pub unsafe extern "C" fn gauge_close(gauge: *mut gauge) -> c_int {
        let is_negative = unsafe { (*gauge).number } < 0;
        unsafe { gauge_free(gauge) };
        c_int::from(is_negative)
    }

    pub unsafe extern "C" fn gauge_attached(_: *mut gauge) -> c_int {
        attached()
    }

    pub unsafe extern "C" fn gauge_add(gauge: *mut gauge, n: c_int) -> c_int {
        unsafe { (*gauge).number += n };
        unsafe { (*gauge).number }
    }

    pub unsafe extern "C" fn counted() -> c_int {
        COUNTED.swap(-1, Ordering::Relaxed)
    }

    /// Returns whether a release, or a retain, comes within ten seconds.
    pub fn waits_for_count() -> bool {
        (0..10_000).any(|_| {
            std::thread::sleep(Duration::from_millis(1));
            COUNTED.load(Ordering::Relaxed) != -1
        })
    }

    pub unsafe extern "C" fn gauge_read(
        gauge: *mut gauge,
        read: read_t,
        data: *mut c_void,
    ) -> c_int {
        read.map_or(-1, |read| unsafe { read(gauge, data) })
    }

    /// Reads on a thread of its own.
    pub unsafe extern "C" fn gauge_read_aside(
        gauge: *mut gauge,
        read: read_t,
        data: *mut c_void,
    ) -> c_int {
        let (gauge, data) = (gauge.addr(), data.addr());
        let aside = std::thread::spawn(move || unsafe {
            let gauge = std::ptr::with_exposed_provenance_mut(gauge);
            gauge_read(gauge, read, std::ptr::with_exposed_provenance_mut(data))
        });
        aside.join().unwrap_or(-1)
    }

    static SHARED: gauge = gauge { number: 0 };

    pub unsafe extern "C" fn shared_new() -> *mut gauge {
        (&raw const SHARED).cast_mut()
    }

    pub unsafe extern "C" fn shared_meet(_: *mut gauge, _: *const gauge) {}

    pub unsafe extern "C" fn shared_count(_: *mut gauge) {
        COUNTED.store(attached(), Ordering::Relaxed);
    }
}

/// A gauge.
#[handle(raw = ffi::gauge, release = ffi::gauge_free, fork_safe)]
pub struct Gauge;

/// Reads a gauge in a callback of C's.
#[derive(Attachment)]
struct Reader;

#[callbacks(unsafe)]
impl Reader {
    #[callback(ffi::read_t, args = (gauge, data), on_error = -1)]
    fn read(&self, gauge: &Gauge) -> c_int {
        gauge.attached()
    }

    #[callback(ffi::read_t, args = (gauge, data), on_error = -1)]
    fn read_asked(&self, gauge: &Asked) -> c_int {
        gauge.attached()
    }

    #[callback(ffi::read_t, args = (gauge, data), on_error = -1)]
    fn meet(&self, gauge: &Gauge) -> Result<c_int> {
        Shared::meet_itself()?;
        Ok(gauge.attached())
    }
}

#[methods(unsafe)]
impl Gauge {
    /// Makes a gauge.
    #[new]
    #[calls(ffi::gauge_new, fails = null)]
    fn new() -> Result<Owned<Gauge>>;

    /// Returns whether a call that needs the GIL has the GIL.
    #[calls(ffi::gauge_attached)]
    fn attached(&self) -> c_int;

    /// Returns whether a call that can fail has the GIL.
    #[calls(ffi::gauge_attached, fails = negative)]
    fn attached_or_failed(&self) -> Result<c_int>;

    /// Returns whether a detached call has the GIL.
    #[calls(ffi::gauge_attached, detach)]
    fn detached(&self) -> c_int;

    #[rust_only]
    #[calls(ffi::gauge_read, args = (self, reader.read, reader.data), fails = negative, detach)]
    fn read(&self, reader: &Reader) -> Result<c_int>;

    #[rust_only]
    #[calls(ffi::gauge_read_aside, args = (self, reader.read, reader.data), fails = negative, detach)]
    fn read_aside(&self, reader: &Reader) -> Result<c_int>;

    #[rust_only]
    #[calls(ffi::gauge_read_aside, args = (self, reader.read_asked, reader.data), fails = negative, detach)]
    fn read_asked_aside(&self, reader: &Reader) -> Result<c_int>;

    #[rust_only]
    #[calls(ffi::gauge_read, args = (self, reader.meet, reader.data), fails = negative, detach)]
    fn read_beside(&self, reader: &Reader) -> Result<c_int>;

    /// Ask all of them without the GIL, twice.
    #[detach]
    fn in_body(&self) -> Result<Vec<c_int>> {
        Ok(vec![
            self.attached(),
            self.detached(),
            self.attached_or_failed()?,
            self.detached(),
        ])
    }

    /// Ask in a callback of a detached call.
    fn in_callback(&self) -> Result<c_int> {
        self.read(&Reader)
    }

    /// Asks in a callback, in a body without the GIL.
    #[detach]
    fn in_callback_in_body(&self) -> Result<c_int> {
        self.read(&Reader)
    }

    /// Asks in a callback on a thread of C's: by a call, and by one whose error asks the handle.
    fn in_callback_aside(&self) -> Result<(c_int, c_int)> {
        Ok((self.read_aside(&Reader)?, self.read_asked_aside(&Reader)?))
    }

    /// Returns whether the field is read with the GIL.
    #[detach]
    fn reads_attached(&self) -> Result<bool> {
        let (_, used) = uses::field(self, false)?;
        Ok(format!("{used:?}").contains("_attached: Some"))
    }

    /// Release one without the GIL.
    #[detach]
    #[staticmethod]
    fn release_in_body() -> Result<()> {
        Gauge::new().map(drop)
    }

    /// Release one without the GIL, which is marked so.
    #[detach]
    #[staticmethod]
    fn release_detached_in_body() -> Result<()> {
        Valve::new().map(drop)
    }

    /// Releases one without the GIL, which is marked so, once the gate is open.
    #[detach]
    #[staticmethod]
    fn release_detached_at_the_gate() -> Result<()> {
        let valve = Valve::new()?;
        crate::ffi::pass_gate();
        drop(valve);
        Ok(())
    }

    /// Opens the gate, and waits with the GIL for a release on another thread. Returns whether one came.
    #[staticmethod]
    fn open_gate_until_release() -> bool {
        crate::ffi::set_gate(false);
        ffi::waits_for_count()
    }

    /// Retain one without the GIL. Return whether C had the GIL.
    #[detach]
    #[staticmethod]
    fn retain_in_body() -> Result<c_int> {
        let one = Shared::new()?;
        let other = one.clone();
        let counted = Gauge::counted();
        drop(other);
        Ok(counted)
    }

    /// Changes an object beside itself, without the GIL.
    #[detach]
    #[staticmethod]
    fn meet_in_body() -> Result<()> {
        Shared::meet_itself()
    }

    /// Changes an object beside itself, in a callback without the GIL.
    fn meet_in_callback(&self) -> Result<c_int> {
        self.read_beside(&Reader)
    }

    /// Returns whether the last release or retain had the GIL.
    #[staticmethod]
    #[calls(ffi::counted)]
    fn counted() -> c_int;
}

/// A gauge whose release needs no GIL.
#[handle(raw = ffi::gauge, release(ffi::gauge_free, detach), fork_safe)]
pub struct Valve;

#[methods(unsafe, rust_only)]
impl Valve {
    #[calls(ffi::gauge_new, fails = null)]
    fn new() -> Result<Owned<Valve>>;
}

/// A gauge whose owners C counts.
#[handle(raw = ffi::gauge, retain = ffi::shared_count, release = ffi::shared_count, independent, fork_safe)]
pub struct Shared;

#[methods(unsafe, rust_only)]
impl Shared {
    #[calls(ffi::shared_new, fails = null)]
    fn new() -> Result<Owned<Shared>>;

    /// Cannot fail.
    #[calls(ffi::shared_meet, detach)]
    fn meet(&mut self, other: &Shared);

    fn meet_itself() -> Result<()> {
        let mut one = Shared::new()?;
        let other = one.clone();
        one.meet(&other);
        Ok(())
    }
}

/// A gauge that knows what went wrong.
#[handle(raw = ffi::gauge, release = ffi::gauge_free, errors(Asking, asks_handle), fork_safe)]
pub struct Asked;

/// The errors of an asked gauge.
#[derive(Default)]
pub struct Asking;

impl ErrorSource<Asked> for Asking {
    fn into_error(self, call: &CallInfo<'_, Asked>) -> Error {
        Error::Failed(call.function)
    }
}

#[methods(unsafe, rust_only)]
impl Asked {
    #[calls(ffi::gauge_attached)]
    fn attached(&self) -> c_int;
}

/// A gauge whose errors run Python code.
#[handle(raw = ffi::gauge, release(ffi::gauge_close, fails = nonzero), errors(Telling), fork_safe)]
pub struct Told;

static TOLD: Mutex<Option<Py<PyAny>>> = Mutex::new(None);

/// Calls the Python function that is to be told.
fn tell(when: &str) {
    Python::attach(|py| {
        let told = TOLD.lock().unwrap().as_ref().map(|told| told.clone_ref(py));
        if let Some(told) = told {
            told.call1(py, (when,)).unwrap();
        }
    });
}

/// A number. Tells Python of it.
fn told_number() -> c_int {
    tell("argument");
    1
}

/// The errors of a told gauge.
#[derive(Default)]
pub struct Telling;

impl ErrorSource<Told> for Telling {
    fn before_call(&mut self, _: &CallInfo<'_, Told>) {
        tell("before");
    }

    fn into_error(self, call: &CallInfo<'_, Told>) -> Error {
        tell("error");
        Error::Failed(call.function)
    }
}

#[methods(unsafe)]
impl Told {
    #[new]
    #[calls(ffi::gauge_new, fails = null)]
    fn new() -> Result<Owned<Told>>;

    /// Fails.
    #[calls(ffi::gauge_attached, fails = nonzero)]
    fn check(&self) -> Result<()>;

    /// Fails.
    #[calls(ffi::gauge_attached, fails = nonzero)]
    fn check_alone(&mut self) -> Result<()>;

    /// Fails when its condition has told Python.
    #[calls(ffi::gauge_attached, fails = when(|status| { tell("fails"); status != 0 }))]
    fn check_condition(&self) -> Result<()>;

    /// Adds a number, which is an expression that tells Python. Returns the sum.
    #[calls(ffi::gauge_add, args = (self, told_number()))]
    fn add_told(&mut self) -> c_int;

    /// Sets the function that is called with `argument`, `before`, `fails` and `error`.
    #[staticmethod]
    fn tell(told: Option<Py<PyAny>>) {
        *TOLD.lock().unwrap() = told;
    }
}
