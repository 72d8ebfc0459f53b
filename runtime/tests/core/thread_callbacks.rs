//! Reports that C makes to a function that each thread keeps: they reach the call, and nobody else's function.

use std::ffi::c_int;

use leakproof::prelude::*;

/// A library that reports to functions of the running thread, as libxml2 does.
#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::missing_safety_doc,
    clippy::undocumented_unsafe_blocks,
    reason = "stands in for C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_char, c_int, c_void};
    use std::ptr;

    pub struct meter {
        pub level: c_int,
    }
    pub struct record {
        pub code: c_int,
    }
    pub type report_t = Option<unsafe extern "C" fn(*mut c_void, *mut record)>;
    pub type print_t = Option<unsafe extern "C" fn(*mut c_void, *const c_char, ...)>;

    thread_local! {
        pub static REPORT: Cell<report_t> = const { Cell::new(None) };
        pub static PRINT: Cell<print_t> = const { Cell::new(None) };
        /// The codes that reached somebody else's function.
        pub static ELSEWHERE: Cell<c_int> = const { Cell::new(0) };
    }

    pub unsafe extern "C" fn report_place() -> *mut report_t {
        REPORT.with(Cell::as_ptr)
    }

    pub unsafe extern "C" fn print_place() -> *mut print_t {
        PRINT.with(Cell::as_ptr)
    }

    pub unsafe extern "C" fn somebody_else(_: *mut c_void, record: *mut record) {
        ELSEWHERE.set(ELSEWHERE.get() + unsafe { (*record).code });
    }

    pub unsafe extern "C" fn meter_new(start: c_int) -> *mut meter {
        unsafe { meter_report(start) };
        Box::into_raw(Box::new(meter { level: start }))
    }

    pub unsafe extern "C" fn meter_free(meter: *mut meter) {
        drop(unsafe { Box::from_raw(meter) });
    }

    unsafe fn meter_report(code: c_int) {
        if let (Some(report), true) = (REPORT.get(), code != 0) {
            unsafe { report(ptr::null_mut(), &mut record { code }) };
        }
    }

    pub unsafe extern "C" fn meter_read(meter: *mut meter, code: c_int) -> c_int {
        unsafe { meter_report(code) };
        unsafe { (*meter).level }
    }

    #[cfg(not(miri))]
    pub unsafe extern "C" fn meter_print(meter: *mut meter) -> c_int {
        if let Some(print) = PRINT.get() {
            unsafe {
                print(
                    ptr::null_mut(),
                    c"%s of %d\n".as_ptr(),
                    c"x".as_ptr(),
                    (*meter).level,
                )
            };
        }
        0
    }
}

#[handle(
    raw = ffi::meter,
    release = ffi::meter_free,
    errors(MeterErrors, thread_callback = ffi::report_place, thread_messages = ffi::print_place)
)]
struct Meter;

#[methods(unsafe, rust_only)]
impl Meter {
    #[calls(ffi::meter_new, fails = sticky)]
    fn new(start: c_int) -> Result<Owned<Meter>>;

    #[calls(ffi::meter_read, fails = sticky)]
    fn read(&self, code: c_int) -> Result<c_int>;

    #[calls(ffi::meter_read)]
    fn read_anyway(&self, code: c_int) -> c_int;

    #[cfg(not(miri))]
    #[calls(ffi::meter_print, fails = sticky)]
    fn print(&self) -> Result<()>;
}

#[handle(raw = ffi::record, callback_only)]
struct Record;

#[methods(unsafe, rust_only)]
impl Record {
    #[field(code)]
    fn code(&self) -> c_int;
}

#[derive(Default)]
struct MeterErrors(Vec<String>);

impl ErrorSink for MeterErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        self.0.push(format!("code {}", record.code()));
    }

    fn record_format(&mut self, format: &CStr) {
        self.0.push(format.to_string_lossy().into_owned());
    }
}

impl ErrorSource<Meter> for MeterErrors {
    fn failed_silently(&self, _: &CallInfo<'_, Meter>) -> bool {
        !self.0.is_empty()
    }

    fn into_error(self, _: &CallInfo<'_, Meter>) -> Error {
        Error::Value(self.0.join(", "))
    }
}

fn message<T>(result: Result<T>) -> String {
    result.map_or_else(|error| error.to_string(), |_| "no error".into())
}

/// The function of somebody else is in the thread's place.
fn with_somebody_else(test: impl FnOnce()) {
    ffi::REPORT.set(Some(ffi::somebody_else));
    test();
    assert!(ffi::REPORT.get().is_some(), "it is back in its place");
    assert_eq!(ffi::ELSEWHERE.get(), 0, "nothing of ours reached it");
}

#[test]
fn a_report_of_the_thread_reaches_its_call() {
    let _library = crate::wrapper::Library::start();
    with_somebody_else(|| {
        let meter = Meter::new(0).unwrap();
        assert_eq!(message(meter.read(7)), "code 7");
        assert_eq!(meter.read(0).unwrap(), 0);
    });
    assert!(ffi::PRINT.get().is_none(), "an empty place is empty again");
}

#[test]
fn a_call_without_a_receiver_gets_its_reports_too() {
    let _library = crate::wrapper::Library::start();
    with_somebody_else(|| assert_eq!(message(Meter::new(3)), "code 3"));
}

#[test]
fn a_call_that_cannot_fail_keeps_its_reports_from_others() {
    let _library = crate::wrapper::Library::start();
    with_somebody_else(|| assert_eq!(Meter::new(0).unwrap().read_anyway(5), 0));
}

#[test]
fn the_place_of_another_thread_is_left_alone() {
    let _library = crate::wrapper::Library::start();
    with_somebody_else(|| {
        let reports = std::thread::spawn(|| message(Meter::new(9))).join();
        assert_eq!(reports.unwrap(), "code 9");
    });
}

#[cfg(not(miri))]
#[test]
fn a_message_that_c_would_print_is_collected_by_its_format() {
    let _library = crate::wrapper::Library::start();
    let meter = Meter::new(0).unwrap();
    assert_eq!(message(meter.print()), "%s of %d\n");
}
