//! Callbacks that panic, in their expressions too, and calls from thread-local destructors.

use std::cell::RefCell;
use std::ffi::{c_int, c_void};

use leakproof::ErrorSink;
use leakproof::prelude::*;

use crate::native::{Native, log, note};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};

    use crate::native::note;

    pub type ring = Option<unsafe extern "C" fn(c_int, *mut c_void) -> c_int>;
    pub type report = Option<unsafe extern "C" fn(*mut c_void, *mut record)>;

    pub struct record {
        pub number: c_int,
    }

    pub struct each {
        _private: u8,
    }

    /// Calls it with 0, 1 and so on, until it says something else than 0.
    pub unsafe extern "C" fn each(times: c_int, ring: ring, data: *mut c_void) -> c_int {
        for number in 0..times {
            let status = ring.map_or(0, |ring| unsafe { ring(number, data) });
            if status != 0 {
                note(format!("stopped by {status}"));
                return -1;
            }
        }
        0
    }

    pub struct lamp {
        pub report: report,
        pub number: c_int,
    }

    pub unsafe extern "C" fn lamp_new() -> *mut lamp {
        Box::into_raw(Box::new(lamp {
            report: None,
            number: 0,
        }))
    }

    pub unsafe extern "C" fn lamp_free(lamp: *mut lamp) {
        drop(unsafe { Box::from_raw(lamp) });
    }

    /// Reports its number.
    pub unsafe extern "C" fn lamp_check(lamp: *mut lamp, number: c_int) -> c_int {
        let mut record = record { number };
        if let Some(report) = unsafe { (*lamp).report } {
            unsafe { report(std::ptr::null_mut(), &raw mut record) };
        }
        number
    }
}

const STOPS: [c_int; 2] = [5, 6];

#[handle(raw = ffi::each, callback_only)]
struct Each;

#[derive(Attachment)]
struct Ring(());

#[callbacks(unsafe)]
impl Ring {
    #[callback(unsafe extern "C" fn(c_int, *mut c_void) -> c_int, args = (number, data), on_error = STOPS[number as usize])]
    fn fails_from_1(&self, number: c_int) -> Result<c_int> {
        note(format!("called {number}"));
        match number {
            0 => Ok(0),
            _ => Err(Error::Value(format!("at {number}"))),
        }
    }

    #[callback(unsafe extern "C" fn(c_int, *mut c_void) -> c_int, args = (number, data), on_error = STOPS[number as usize])]
    fn fails_from_2(&self, number: c_int) -> Result<c_int> {
        note(format!("called {number}"));
        match number {
            0 | 1 => Ok(0),
            _ => Err(Error::Value(format!("at {number}"))),
        }
    }

    #[callback(
        unsafe extern "C" fn(c_int, *mut c_void) -> c_int,
        args = (number, data),
        data = { assert!(number < 1, "where the data is"); data },
        on_error = 7
    )]
    fn has_no_data_from_1(&self, number: c_int) -> c_int {
        note(format!("called {number}"));
        0
    }
}

#[methods(unsafe, rust_only)]
impl Each {
    #[calls(ffi::each, args = (times, ring.fails_from_1, ring.data), fails = nonzero)]
    fn until_1(times: c_int, ring: &Ring) -> Result<()>;

    #[calls(ffi::each, args = (times, ring.fails_from_2, ring.data), fails = nonzero)]
    fn until_2(times: c_int, ring: &Ring) -> Result<()>;

    #[calls(ffi::each, args = (times, ring.has_no_data_from_1, ring.data), fails = nonzero)]
    fn until_no_data(times: c_int, ring: &Ring) -> Result<()>;
}

#[test]
fn error_comes_out_where_stop_works() {
    let _native = Native::start();
    let error = Each::until_1(9, &Ring(())).unwrap_err();
    assert_eq!(error.to_string(), "at 1");
    assert_eq!(log(), ["called 0", "called 1", "stopped by 6"]);
}

#[test]
fn error_comes_out_where_stop_panics_and_no_more_is_called() {
    let _native = Native::start();
    let error = Each::until_2(9, &Ring(())).unwrap_err();
    assert_eq!(error.to_string(), "at 2");
    assert_eq!(log(), ["called 0", "called 1", "called 2"]);
}

#[test]
fn panic_of_the_data_expression_continues_when_c_has_returned() {
    let _native = Native::start();
    let message = panic_of(|| Each::until_no_data(9, &Ring(())));
    assert_eq!(message, "where the data is");
    assert_eq!(log(), ["called 0", "stopped by 7"]);
}

// ---- errors that C reports

#[handle(raw = ffi::record, callback_only)]
struct Record;

#[methods(unsafe, rust_only)]
impl Record {
    #[field(number)]
    fn number(&self) -> c_int;
}

#[derive(Default)]
struct Reports(Vec<c_int>);

impl ErrorSink for Reports {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        let number = record.number();
        if number == 2 {
            // Another call of the same thread, whose panic is its own.
            let lamp = Lamp::new().unwrap();
            assert_eq!(panic_of(|| lamp.check(3)), "collected 3");
        }
        assert!(number != 3, "collected {number}");
        self.0.push(number);
    }
}

impl ErrorSource<Lamp> for Reports {
    fn into_error(self, _: &CallInfo<'_, Lamp>) -> Error {
        Error::Value(format!("{:?}", self.0))
    }
}

#[handle(raw = ffi::lamp, release = ffi::lamp_free, errors(Reports, callback = report))]
struct Lamp;

#[methods(unsafe, rust_only)]
impl Lamp {
    #[calls(ffi::lamp_new, fails = null)]
    fn new() -> Result<Owned<Lamp>>;

    #[calls(ffi::lamp_check, fails = nonzero)]
    fn check(&self, number: c_int) -> Result<()>;
}

#[test]
fn panic_of_a_collector_belongs_to_its_own_call() {
    let _native = Native::start();
    let lamp = Lamp::new().unwrap();
    assert_eq!(lamp.check(2).unwrap_err().to_string(), "[2]");
    assert_eq!(panic_of(|| lamp.check(3)), "collected 3");
    assert_eq!(lamp.check(1).unwrap_err().to_string(), "[1]");
}

#[test]
fn call_in_a_thread_local_destructor_reports_as_ever() {
    struct Last(Owned<'static, Lamp>, std::sync::mpsc::Sender<String>);
    impl Drop for Last {
        fn drop(&mut self) {
            let error = self.0.check(1).unwrap_err();
            let _ = self.1.send(error.to_string());
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let _native = Native::start();
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        // Before the runtime is used: so this goes after whatever the runtime has in the thread.
        LAST.with_borrow(|last| assert!(last.is_none()));
        let lamp = Lamp::new().unwrap();
        assert_eq!(panic_of(|| lamp.check(3)), "collected 3");
        LAST.set(Some(Last(lamp, sender)));
    });
    thread.join().unwrap();
    assert_eq!(receiver.recv().unwrap(), "[1]");
}

#[test]
fn callback_in_a_thread_local_destructor_stops_as_ever() {
    struct Last(std::sync::mpsc::Sender<String>);
    impl Drop for Last {
        fn drop(&mut self) {
            let error = Each::until_2(9, &Ring(())).unwrap_err();
            let _ = self.0.send(error.to_string());
        }
    }
    thread_local! {
        static LAST: RefCell<Option<Last>> = const { RefCell::new(None) };
    }
    let _native = Native::start();
    let (sender, receiver) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || {
        LAST.with_borrow(|last| assert!(last.is_none()));
        Each::until_1(1, &Ring(())).unwrap();
        LAST.set(Some(Last(sender)));
    });
    thread.join().unwrap();
    assert_eq!(receiver.recv().unwrap(), "at 2");
}
