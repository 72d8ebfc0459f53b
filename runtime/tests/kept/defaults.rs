//! A library that keeps defaults and an error handler for each thread, and whose own handlers of events can be
//! replaced.

use std::cell::{Cell, RefCell};
use std::ffi::{c_int, c_void};
use std::sync::Mutex;

use leakproof::__private::thread_locals::{Setting, during};
use leakproof::Handle;
use leakproof::prelude::*;

use super::panic_of;

/// The library.
#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr;

    pub struct report {
        pub code: c_int,
    }
    pub type report_fn = Option<unsafe extern "C" fn(*mut c_void, *const report)>;
    pub type find = Option<unsafe extern "C" fn(*mut reader, c_int) -> *mut word>;
    pub type make = Option<unsafe extern "C" fn(*mut reader) -> *mut word>;

    pub struct word {
        pub number: c_int,
        pub mark: *mut c_void,
    }

    pub struct reader {
        pub strict: c_int,
        pub words: [word; 2],
        pub user: *mut c_void,
        pub find: find,
        pub make: make,
    }

    thread_local! {
        static STRICT: Cell<c_int> = const { Cell::new(0) };
        static REPORT: Cell<report_fn> = const { Cell::new(None) };
        pub static FREED: Cell<u32> = const { Cell::new(0) };
    }

    pub unsafe extern "C" fn default_strict() -> *mut c_int {
        STRICT.with(Cell::as_ptr)
    }

    pub unsafe extern "C" fn default_report() -> *mut report_fn {
        REPORT.with(Cell::as_ptr)
    }

    unsafe fn complain(code: c_int) {
        if let Some(report) = REPORT.get() {
            let record = report { code };
            unsafe { report(ptr::null_mut(), &raw const record) };
        }
    }

    pub unsafe extern "C" fn reader_new(code: c_int) -> *mut reader {
        if code != 0 {
            unsafe { complain(code) };
            return ptr::null_mut();
        }
        let word = |number| word {
            number,
            mark: ptr::null_mut(),
        };
        Box::into_raw(Box::new(reader {
            strict: STRICT.get(),
            words: [word(1), word(2)],
            user: ptr::null_mut(),
            find: None,
            make: None,
        }))
    }

    pub unsafe extern "C" fn reader_free(reader: *mut reader) {
        unsafe { complain(0) };
        drop(unsafe { Box::from_raw(reader) });
    }

    /// Negative for a failure, else the default.
    pub unsafe extern "C" fn reader_check(_: *mut reader, code: c_int) -> c_int {
        if code != 0 {
            unsafe { complain(code) };
        }
        if code > 100 { -1 } else { STRICT.get() }
    }

    pub unsafe extern "C" fn reader_find(reader: *mut reader, number: c_int) -> *mut word {
        if number < 0 {
            unsafe { complain(number) };
        }
        let words = unsafe { &mut (*reader).words };
        words
            .iter_mut()
            .find(|word| word.number == number)
            .map_or(ptr::null_mut(), ptr::from_mut)
    }

    /// Read: find one word, and make one. The sum of their numbers.
    pub unsafe extern "C" fn reader_read(reader: *mut reader, number: c_int) -> c_int {
        unsafe {
            let found = (*reader)
                .find
                .map_or(ptr::null_mut(), |find| find(reader, number));
            let made = (*reader).make.map_or(ptr::null_mut(), |make| make(reader));
            let mut sum = 0;
            if !found.is_null() {
                sum += (*found).number;
            }
            if !made.is_null() {
                sum += (*made).number;
                word_free(made);
            }
            sum
        }
    }

    pub unsafe extern "C" fn word_new(number: c_int) -> *mut word {
        Box::into_raw(Box::new(word {
            number,
            mark: ptr::null_mut(),
        }))
    }

    pub unsafe extern "C" fn word_free(word: *mut word) {
        FREED.set(FREED.get() + 1);
        drop(unsafe { Box::from_raw(word) });
    }
}

#[handle(raw = ffi::report, callback_only)]
struct Report;

#[methods(unsafe, rust_only)]
impl Report {
    #[field(code)]
    fn code(&self) -> c_int;
}

/// Reports in calls that did not fail.
#[derive(Default)]
struct Reported(Mutex<Vec<c_int>>);

impl Attachment for Reported {}

#[derive(Default)]
struct Reports(Vec<c_int>);

impl ErrorSink for Reports {
    type Record = Report;

    fn record(&mut self, report: &Report) {
        assert_ne!(report.code(), 13, "thirteen");
        self.0.push(report.code());
    }
}

impl ErrorSource<Reader> for Reports {
    fn into_error(self, _: &CallInfo<'_, Reader>) -> Error {
        Error::Value(format!("{:?}", self.0))
    }

    fn succeeded(self, call: &CallInfo<'_, Reader>) {
        if let Some(reported) = call.handle().and_then(attached::<Reported, _>) {
            reported.0.lock().unwrap().extend(self.0);
        }
    }
}

#[handle(
    raw = ffi::reader,
    release = ffi::reader_free,
    errors(Reports, asks_handle, thread_callback = ffi::default_report),
    thread_locals(ffi::default_strict = 7),
    attachments
)]
struct Reader;

#[handle(raw = ffi::word, release = ffi::word_free)]
struct Made;

#[handle(raw = ffi::reader, callback_only)]
struct Reading;

#[methods(unsafe, rust_only)]
impl Made {
    #[calls(ffi::word_new, fails = null)]
    fn new(number: c_int) -> Result<Owned<Made>>;

    #[field(mark)]
    fn mark(&self) -> usize;

    #[field(mark)]
    fn set_mark(&mut self, mark: usize);
}

/// Events of one reading.
#[derive(Debug, Default)]
struct Events {
    fails: bool,
    strict: Mutex<Vec<c_int>>,
    found: Mutex<Vec<c_int>>,
}

impl Attachment for Events {}

impl Events {
    fn look(&self) {
        // SAFETY: the library keeps it for this thread.
        self.strict
            .lock()
            .unwrap()
            .push(unsafe { *ffi::default_strict() });
    }
}

#[callbacks(unsafe)]
impl Events {
    #[callback(ffi::find, args = (reader, number), before = ffi::reader_find, data = (*reader).user, on_error = std::ptr::null_mut())]
    fn find(&self, number: c_int) -> Result<()> {
        self.look();
        self.found.lock().unwrap().push(number);
        if self.fails {
            return Err(Error::Value("not this one".into()));
        }
        Ok(())
    }

    #[callback(ffi::make, args = (reader), data = (*reader).user, on_error = std::ptr::null_mut())]
    fn make(&self, reader: &Reading) -> Result<Option<Owned<'static, Made>>> {
        let _ = reader;
        self.look();
        // The library's functions see the handle's values in a call within the callback, too.
        let other = Reader::new(0)?;
        assert_eq!(other.strict(), 7);
        drop(other);
        self.look();
        match self.found.lock().unwrap().contains(&9) {
            true => Ok(None),
            false => Made::new(40).map(Some),
        }
    }
}

#[methods(unsafe, rust_only)]
impl Reader {
    #[calls(ffi::reader_new, fails = null)]
    fn new(code: c_int) -> Result<Owned<Reader>>;

    #[field(strict)]
    fn strict(&self) -> c_int;

    #[calls(ffi::reader_check, fails = negative)]
    fn check(&self, code: c_int) -> Result<c_int>;

    #[calls(ffi::reader_check)]
    fn look(&self, code: c_int) -> c_int;

    #[calls(
        ffi::reader_read,
        args = (self, number),
        fields(user = events.data, find = events.find, make = events.make),
        fails = negative
    )]
    fn read(&mut self, number: c_int, events: &Events) -> Result<c_int>;
}

thread_local! {
    static FOREIGN: RefCell<Vec<c_int>> = const { RefCell::new(Vec::new()) };
}

unsafe extern "C" fn foreign(_: *mut c_void, report: *const ffi::report) {
    // SAFETY: the library passes one.
    FOREIGN.with_borrow_mut(|reports| reports.push(unsafe { (*report).code }));
}

/// The pointer to it, of which a second one may differ.
static FOREIGN_POINTER: unsafe extern "C" fn(*mut c_void, *const ffi::report) = foreign;

/// Another user of the library in this process sets the thread's variables.
fn other_user() {
    // SAFETY: the library keeps them for this thread.
    unsafe {
        *ffi::default_strict() = 1;
        *ffi::default_report() = Some(FOREIGN_POINTER);
    }
}

#[track_caller]
fn assert_untouched() {
    // SAFETY: as above.
    let (strict, report) = unsafe { (*ffi::default_strict(), *ffi::default_report()) };
    assert_eq!(strict, 1);
    assert!(report.is_some_and(|report| report as usize == FOREIGN_POINTER as usize));
    assert_eq!(FOREIGN.take(), [0_i32; 0]);
}

#[test]
fn defaults_of_another_user_of_the_thread_change_nothing() {
    other_user();
    let reader = Reader::new(0).unwrap();
    assert_eq!(reader.strict(), 7);
    assert_eq!(reader.check(0).unwrap(), 7);
    assert_eq!(reader.look(0), 7);
    drop(reader);
    assert_untouched();
}

#[test]
fn reports_without_a_handle_reach_the_call_alone() {
    other_user();
    assert_eq!(Reader::new(5).map(drop).unwrap_err().to_string(), "[5]");
    let reader = Reader::new(0).unwrap();
    assert_eq!(reader.check(101).unwrap_err().to_string(), "[101]");
    assert_eq!(reader.look(3), 7);
    drop(reader);
    assert_untouched();
}

#[test]
fn reports_of_a_call_that_succeeds_can_be_kept() {
    other_user();
    let reader = Reader::new(0).unwrap();
    assert!(attached::<Reported, _>(&*reader).is_none());
    attach(&*reader, Reported::default());
    attach(&*reader, 1_i32);
    reader.check(3).unwrap();
    reader.check(4).unwrap();
    reader.check(101).unwrap_err();
    let reported = attached::<Reported, _>(&*reader).unwrap();
    assert_eq!(*reported.0.lock().unwrap(), [3, 4]);
    assert_eq!(attached::<i32, _>(&*reader), Some(&1));
    attach(&*reader, 2_i32);
    assert_eq!(attached::<i32, _>(&*reader), Some(&2));
}

#[test]
fn a_panic_in_a_collector_puts_the_variables_back() {
    other_user();
    let reader = Reader::new(0).unwrap();
    assert!(std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| reader.check(13))).is_err());
    drop(reader);
    assert_untouched();
}

#[test]
fn callbacks_see_the_variables_of_the_other_user() {
    other_user();
    let events = Events::default();
    let mut reader = Reader::new(0).unwrap();
    ffi::FREED.set(0);
    assert_eq!(reader.read(2, &events).unwrap(), 42);
    assert_eq!(*events.strict.lock().unwrap(), [1, 1, 1]);
    assert_eq!(ffi::FREED.get(), 1);
    assert_eq!(leakproof::live_handles()["Made"], 0);
    drop(reader);
    assert_untouched();
}

#[test]
fn the_default_runs_first_and_c_gets_what_it_returned() {
    other_user();
    let events = Events::default();
    let mut reader = Reader::new(0).unwrap();
    assert_eq!(reader.read(9, &events).unwrap(), 0);
    // SAFETY: the reader is alive.
    let raw = unsafe { &*reader.as_raw() };
    assert!(raw.find.is_none() && raw.make.is_none() && raw.user.is_null());
    assert_eq!(*events.found.lock().unwrap(), [9]);
    // What the default reports belongs to the call.
    attach(&*reader, Reported::default());
    reader.read(-5, &events).unwrap();
    assert_eq!(
        *attached::<Reported, _>(&*reader).unwrap().0.lock().unwrap(),
        [-5]
    );
    let events = Events {
        fails: true,
        ..Events::default()
    };
    let error = reader.read(2, &events).unwrap_err();
    assert_eq!(error.to_string(), "not this one");
    drop(reader);
    assert_untouched();
}

#[test]
fn a_pointer_can_hold_a_number() {
    let mut made = Made::new(1).unwrap();
    assert_eq!(made.mark(), 0);
    made.set_mark(70_001);
    assert_eq!(made.mark(), 70_001);
}

#[test]
fn a_variable_that_is_named_twice_is_put_back() {
    let (number, pointer) = (Cell::new(1_i32), Cell::new(std::ptr::null::<u8>()));
    let place = &raw const number;
    // SAFETY: the cells live longer, and only this thread has them.
    let mut settings = unsafe {
        [
            Setting::to(number.as_ptr(), (2,)),
            Setting::to(pointer.as_ptr(), (place.cast(),)),
            Setting::to(number.as_ptr(), (3,)),
        ]
    };
    let seen = during(&mut settings, || (number.get(), pointer.get()));
    assert_eq!(seen, (3, place.cast()));
    assert_eq!((number.get(), pointer.get()), (1, std::ptr::null()));
    assert_eq!(panic_of(|| during(&mut settings, || panic!("at"))), "at");
    assert_eq!(number.get(), 1);
}
