//! Details of a failure, which C writes through a parameter.

use std::cell::Cell;

use leakproof::prelude::*;

use crate::library as ffi;
use crate::panic_of;
use crate::wrapper::Library;

#[handle(raw = ffi::loader, release = ffi::loader_free, errors = LoadErrors)]
struct Loader;

#[handle(raw = ffi::failure, release = ffi::failure_free)]
struct Failure;

#[methods(unsafe)]
impl Failure {
    #[field(code)]
    fn code(&self) -> i32;
}

#[record(ffi::place)]
struct Place {
    line: i32,
    column: i32,
}

#[methods(unsafe)]
impl Loader {
    #[new]
    #[calls(ffi::loader_new, fails = null)]
    fn new() -> Result<Owned<Loader>>;

    #[rust_only]
    #[calls(ffi::load_numbers, args = (n, details, details), details = (i32, usize), fails = null)]
    fn with_numbers(n: i32) -> Result<Owned<Loader>>;

    #[rust_only]
    #[calls(ffi::load_place, args = (self, n, details), details = Place, fails = negative)]
    fn place(&self, n: i32) -> Result<()>;

    #[rust_only]
    #[calls(ffi::load_text, args = (self, n, details), details(String, free = ffi::message_free), fails = negative)]
    fn text(&self, n: i32) -> Result<()>;

    #[rust_only]
    #[calls(ffi::load_constant, args = (self, n, details), details = String, fails = negative)]
    fn constant(&self, n: i32) -> Result<()>;

    #[rust_only]
    #[calls(ffi::load_failure, args = (self, n, details), details = Owned<Failure>, fails = negative)]
    fn failure(&self, n: i32) -> Result<()>;

    #[rust_only]
    #[calls(
        ffi::load_bytes, args = (self, len, details), details(String, free = ffi::message_free), fails = null,
        len = |count| match WANTED.get() { 0 => panic!("a panic in `len`"), more => count - more }
    )]
    fn bytes(&self) -> Result<Bytes>;

    #[rust_only]
    #[calls(ffi::load_buffer, args = (self, n, details, 16), details = TextBuffer<16>, fails = negative)]
    fn buffer(&self, n: i32) -> Result<()>;
}

#[exception]
struct LoadError {
    message: String,
}

#[derive(Default)]
struct LoadErrors {
    told: Vec<String>,
}

thread_local! {
    /// The number that the length of `Loader::bytes` is computed with.
    static WANTED: Cell<u32> = const { Cell::new(0) };
    static TOLD: Cell<u32> = const { Cell::new(0) };
}

impl LoadErrors {
    fn tell(&mut self, text: String) {
        TOLD.set(TOLD.get() + 1);
        self.told.push(text);
    }
}

impl FailureDetails<Place> for LoadErrors {
    fn details(&mut self, place: Place) {
        self.tell(format!("line {}, column {}", place.line(), place.column()));
    }
}

impl FailureDetails<(i32, usize)> for LoadErrors {
    fn details(&mut self, (code, offset): (i32, usize)) {
        self.tell(format!("code {code} at {offset}"));
    }
}

impl FailureDetails<String> for LoadErrors {
    fn details(&mut self, text: String) {
        self.tell(text);
    }
}

impl FailureDetails<Owned<'static, Failure>> for LoadErrors {
    fn details(&mut self, failure: Owned<'static, Failure>) {
        self.tell(format!("failure {}", failure.code()));
    }
}

impl FailureDetails<TextBuffer<16>> for LoadErrors {
    fn details(&mut self, text: TextBuffer<16>) {
        self.tell(text.text());
    }
}

impl<T: leakproof::Handle> ErrorSource<T> for LoadErrors {
    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        let message = format!("{}: {}", call.function, self.told.join("; "));
        LoadError { message }.into()
    }
}

fn message(result: Result<()>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn details_of_each_kind_reach_the_error() {
    let _library = Library::start();
    let loader = Loader::new().unwrap();
    assert_eq!(message(loader.place(-4)), "load_place: line 4, column 2");
    assert_eq!(message(loader.text(-1)), "load_text: bad \u{fffd} thing");
    assert_eq!(message(loader.constant(-1)), "load_constant: a constant");
    assert_eq!(message(loader.failure(-3)), "load_failure: failure -3");
    assert_eq!(message(loader.buffer(-1)), "load_buffer: too long a mess");
    let made = Loader::with_numbers(-5).map(drop);
    assert_eq!(message(made), "load_numbers: code -5 at 7");
    assert_eq!(ffi::live(), 1, "the loader");
}

#[test]
fn details_that_c_left_out_are_not_told() {
    let _library = Library::start();
    let loader = Loader::new().unwrap();
    assert_eq!(message(loader.text(-9)), "load_text: ");
    assert_eq!(message(loader.failure(-9)), "load_failure: ");
}

#[test]
fn details_of_a_call_that_succeeds_are_freed_untold() {
    let _library = Library::start();
    let loader = Loader::new().unwrap();
    let before = TOLD.get();
    loader.place(0).unwrap();
    loader.text(0).unwrap();
    loader.text(1).unwrap();
    loader.constant(0).unwrap();
    loader.failure(0).unwrap();
    loader.failure(1).unwrap();
    loader.buffer(0).unwrap();
    drop(Loader::with_numbers(0).unwrap());
    assert_eq!(TOLD.get(), before);
    assert_eq!(ffi::live(), 1, "the loader");
}

#[test]
fn details_are_freed_where_the_length_of_the_result_panics_or_overflows() {
    let _library = Library::start();
    let loader = Loader::new().unwrap();
    WANTED.set(1);
    assert_eq!(loader.bytes().unwrap(), Bytes(b"fou".to_vec()));
    WANTED.set(5);
    assert!(matches!(loader.bytes(), Err(Error::Overflow(_))));
    WANTED.set(0);
    assert_eq!(panic_of(|| loader.bytes()), "a panic in `len`");
    assert_eq!(ffi::live(), 1, "the loader");
}
