//! Memory that a method gives C to fill.

use std::cell::Cell;
use std::ffi::c_int;
use std::io::Error as IoError;

use leakproof::prelude::*;

use crate::panic_of;
use crate::wrapper::ffi::log;
use crate::wrapper::{Library, ffi};

#[handle(raw = ffi::quote, release = ffi::quote_free)]
struct Quote;

const CAPACITY: usize = 4;
const ERANGE: c_int = 34;

#[methods(unsafe, rust_only)]
impl Quote {
    #[calls(ffi::quote_new, fails = null)]
    fn new(text: &CStr) -> Result<Owned<Quote>>;

    #[calls(
        ffi::quote_get, args = (self, buffer.ptr, &mut buffer.len), buffer = CAPACITY, fails = nonzero,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL)
    )]
    fn get(&self) -> Result<Bytes>;

    /// The test is wrong: C writes how much it needs, and the result is not cut.
    #[calls(
        ffi::quote_get, args = (self, buffer.ptr, &mut buffer.len), buffer = 4,
        fails = when(|ret| ret != ffi::QUOTE_TOO_SMALL && ret != 0), too_small = when(|_| false)
    )]
    fn get_in_four(&self) -> Result<Bytes>;

    #[calls(
        ffi::quote_get, args = (self, buffer.ptr, &mut buffer.len), buffer = 4,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL), fails = nonzero, none = when(|ret| ret == -1)
    )]
    fn get_or_none(&self) -> Result<Option<Bytes>>;

    #[calls(
        ffi::quote_fetch, args = (self, buffer.ptr, &mut buffer.len), buffer = 4, fails = nonzero,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL)
    )]
    fn fetch(&self) -> Result<String>;

    #[calls(ffi::quote_print, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn print(&self) -> Result<String>;

    #[calls(
        ffi::quote_print, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n,
        none = when(|ret| ret == -1)
    )]
    fn print_or_none(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::quote_read, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n, fails = negative)]
    fn read(&self) -> Result<Bytes>;

    #[calls(
        ffi::quote_explain, args = (self, buffer.ptr, buffer.len), buffer = 4, until = null, fails = nonzero,
        too_small = nonzero
    )]
    fn explain(&self) -> Result<CString>;

    #[calls(ffi::quote_explain, args = (self, buffer.ptr, buffer.len), buffer = 4, until = null, fails = nonzero)]
    fn explain_in_four(&self) -> Result<CString>;

    /// C may fail, and has no way to say that the memory was too small.
    #[calls(ffi::quote_get, args = (self, buffer.ptr, &mut buffer.len), buffer = 4, fails = negative)]
    fn get_once(&self) -> Result<Bytes>;

    #[calls(
        ffi::quote_copy, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n,
        fails = when(|n| { asked(); n == usize::MAX })
    )]
    fn copy(&self) -> Result<Bytes>;

    #[calls(
        ffi::quote_copy, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |n| n,
        none = when(|n| { asked(); n == usize::MAX })
    )]
    fn copy_or_none(&self) -> Result<Option<Bytes>>;

    #[calls(
        ffi::quote_explain, args = (self, buffer.ptr, buffer.len), buffer = 4, until = null, fails = nonzero,
        too_small = when(|ret| ret == 34)
    )]
    fn explain_or_fail(&self) -> Result<CString>;

    #[calls(
        ffi::getcwd, args = (buffer.ptr, buffer.len), buffer = 1, until = null, fails = null,
        too_small = when(|path| path.is_null() && IoError::last_os_error().raw_os_error() == Some(ERANGE))
    )]
    fn folder() -> Result<CString>;

    #[calls(
        ffi::quote_size, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |size| size - 1,
        fails = when(|size| size == 0)
    )]
    fn sized_or_fail(&self) -> Result<String>;

    #[calls(ffi::quote_size, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |size| size - 1)]
    fn sized(&self) -> Result<String>;

    #[calls(ffi::quote_size, args = (self, buffer.ptr, buffer.len), buffer = 4, len = |size| size * 100)]
    fn miscounted(&self) -> Result<Bytes>;

    #[calls(
        ffi::quote_grow, args = (self, buffer.ptr, &mut buffer.len), buffer = 1, fails = nonzero,
        too_small = nonzero
    )]
    fn grow(&self) -> Result<Bytes>;

    #[calls(
        ffi::quote_get, args = (self, buffer.ptr, &mut buffer.len), buffer = 4, fails = nonzero,
        too_small = when(|_| panic!("asked"))
    )]
    fn ask(&self) -> Result<Bytes>;

    #[calls(
        ffi::quote_get, args = (self, buffer.ptr, &mut buffer.len), buffer = 0, fails = nonzero,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL)
    )]
    fn get_from_nothing(&self) -> Result<Bytes>;

    #[calls(ffi::quote_print, args = (self, buffer.ptr, buffer.len), fails = negative)]
    fn print_to(&self, buffer: &mut [u8]) -> Result<c_int>;
}

thread_local! {
    static QUESTIONS: Cell<u32> = const { Cell::new(0) };
}

/// Counts the questions to the author's tests.
fn asked() {
    QUESTIONS.set(QUESTIONS.get() + 1);
}

fn quote(text: &CStr) -> Owned<'static, Quote> {
    let quote = Quote::new(text).unwrap();
    log();
    quote
}

#[test]
fn text_that_fits_is_written_by_one_call() {
    let _library = Library::start();
    let short = quote(c"abc");
    assert_eq!(&short.get().unwrap().0[..], b"abc");
    assert_eq!(short.fetch().unwrap(), "abc");
    assert_eq!(short.print().unwrap(), "abc");
    assert_eq!(&short.read().unwrap().0[..], b"abc");
    assert_eq!(short.explain().unwrap().as_c_str(), c"abc");
    assert_eq!(
        log(),
        ["4 bytes", "4 bytes", "3 bytes", "4 bytes", "3 bytes"]
    );
    // With its NUL this text is as long as the memory: nothing tells that it was not cut.
    assert_eq!(short.sized().unwrap(), "abc");
    assert_eq!(log(), ["3 bytes", "7 bytes"]);
}

#[test]
fn memory_that_is_too_small_grows_to_what_c_needs() {
    let _library = Library::start();
    let long = quote(c"a text of many letters");
    assert_eq!(&long.get().unwrap().0[..], b"a text of many letters");
    assert_eq!(log(), ["4 bytes", "23 bytes"]);
    assert_eq!(long.print().unwrap(), "a text of many letters");
    assert_eq!(log(), ["3 bytes", "22 bytes"]);
    assert_eq!(long.sized().unwrap(), "a text of many letters");
    assert_eq!(log(), ["3 bytes", "23 bytes"]);
}

#[test]
fn memory_doubles_where_c_does_not_say_what_it_needs() {
    let _library = Library::start();
    let long = quote(c"a text of many letters");
    assert_eq!(long.fetch().unwrap(), "a text of many letters");
    assert_eq!(log(), ["4 bytes", "8 bytes", "16 bytes", "32 bytes"]);
    assert_eq!(&long.read().unwrap().0[..], b"a text of many letters");
    assert_eq!(log(), ["4 bytes", "8 bytes", "16 bytes", "32 bytes"]);
    assert_eq!(
        long.explain().unwrap().as_c_str(),
        c"a text of many letters"
    );
    assert_eq!(log(), ["3 bytes", "7 bytes", "15 bytes", "31 bytes"]);
}

#[test]
fn text_as_long_as_the_memory_may_have_been_cut() {
    let _library = Library::start();
    let exact = quote(c"abcd");
    assert_eq!(&exact.read().unwrap().0[..], b"abcd");
    assert_eq!(log(), ["4 bytes", "8 bytes"]);
    assert_eq!(exact.print().unwrap(), "abcd");
    assert_eq!(log(), ["3 bytes", "7 bytes"]);
    assert_eq!(&exact.get().unwrap().0[..], b"abcd");
    assert_eq!(log(), ["4 bytes"]);
}

#[test]
fn empty_text_is_an_empty_result() {
    let _library = Library::start();
    let empty = quote(c"");
    assert!(empty.get().unwrap().0.is_empty() && empty.read().unwrap().0.is_empty());
    assert_eq!(empty.print().unwrap() + &empty.fetch().unwrap(), "");
    assert_eq!(empty.explain().unwrap().as_c_str(), c"");
    assert!(empty.get_from_nothing().unwrap().0.is_empty());
}

#[test]
fn memory_of_no_bytes_grows() {
    let _library = Library::start();
    let short = quote(c"abc");
    assert_eq!(&short.get_from_nothing().unwrap().0[..], b"abc");
    assert_eq!(log(), ["1 bytes", "4 bytes"]);
}

#[test]
fn failing_call_is_not_repeated() {
    let _library = Library::start();
    let unlucky = quote(c"thirteen char");
    let error = unlucky.get().unwrap_err();
    assert!(matches!(error, Error::Failed("quote_get")), "{error:?}");
    assert!(unlucky.print().is_err());
    assert!(unlucky.print_or_none().unwrap().is_none());
    assert!(unlucky.get_or_none().unwrap().is_none());
    assert_eq!(log(), ["quote_get failed"; 2]);
    let error = quote(c"a text").explain_in_four().unwrap_err();
    assert!(error.to_string().contains("quote_explain"), "{error}");
}

#[test]
fn failure_is_not_taken_for_memory_that_is_too_small() {
    let _library = Library::start();
    let unlucky = quote(c"thirteen char");
    let failed = |result: Result<Bytes>| matches!(result, Err(Error::Failed(_)));
    assert!(failed(unlucky.get_once()));
    assert_eq!(log(), ["quote_get failed"]);
    assert!(failed(unlucky.copy()));
    assert_eq!(log(), ["quote_copy failed"]);
    assert!(unlucky.copy_or_none().unwrap().is_none());
    assert_eq!(log(), ["quote_copy failed"]);
    assert!(unlucky.explain_in_four().is_err());
    assert_eq!(log(), ["quote_explain failed"]);
    assert!(unlucky.explain_or_fail().is_err());
    assert_eq!(log(), ["quote_explain failed"]);
}

#[test]
fn call_that_did_not_fail_is_repeated_by_its_length() {
    let _library = Library::start();
    let long = quote(c"a text of many letters");
    assert_eq!(&long.copy().unwrap().0[..], b"a text of many letters");
    assert_eq!(log(), ["4 bytes", "8 bytes", "16 bytes", "32 bytes"]);
    assert_eq!(
        long.explain_or_fail().unwrap().as_c_str(),
        c"a text of many letters"
    );
}

#[test]
fn reason_of_a_failure_is_read_from_errno() {
    let folder = std::env::current_dir().unwrap();
    let folder = folder.into_os_string().into_encoded_bytes();
    assert_eq!(Quote::folder().unwrap().into_bytes(), folder);
}

#[test]
fn test_of_the_author_is_asked_once_about_each_value() {
    let _library = Library::start();
    let (unlucky, short, long) = (quote(c"thirteen char"), quote(c"abc"), quote(c"abcde"));
    let questions = |call: &dyn Fn()| {
        QUESTIONS.set(0);
        call();
        QUESTIONS.get()
    };
    assert_eq!(questions(&|| drop(unlucky.copy())), 1);
    assert_eq!(questions(&|| drop(unlucky.copy_or_none())), 1);
    assert_eq!(questions(&|| drop(short.copy())), 1);
    // C cut the text, and was called again.
    assert_eq!(questions(&|| drop(long.copy())), 2);
}

#[test]
fn length_after_a_failure_is_not_computed() {
    let _library = Library::start();
    let error = quote(c"thirteen char").sized_or_fail().unwrap_err();
    assert!(matches!(error, Error::Failed("quote_size")), "{error:?}");
    assert_eq!(quote(c"abc").sized_or_fail().unwrap(), "abc");
}

#[test]
fn size_is_no_larger_than_its_type_can_say() {
    let _library = Library::start();
    let text = CString::new(vec![b'a'; 200]).unwrap();
    assert_eq!(quote(&text).read().unwrap().0.len(), 200);
    assert_eq!(log().last().unwrap(), "quote_free");
    let text = CString::new(vec![b'a'; 300]).unwrap();
    let long = quote(&text);
    let error = long.read().unwrap_err();
    assert!(matches!(error, Error::Overflow(_)), "{error:?}");
    assert_eq!(
        log(),
        ["4", "8", "16", "32", "64", "128", "255"].map(|size| format!("{size} bytes"))
    );
}

#[test]
fn memory_does_not_grow_for_ever() {
    let _library = Library::start();
    let error = quote(c"").grow().unwrap_err();
    assert!(matches!(error, Error::Overflow(_)), "{error:?}");
    assert!(
        error
            .to_string()
            .contains("quote_grow needs more memory than it can be given"),
        "{error}"
    );
    assert_eq!(log().len(), 25);
}

#[test]
fn written_length_beyond_the_memory_is_an_error() {
    let _library = Library::start();
    let error = quote(c"a text").get_in_four().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("longer than the memory: 6 bytes"),
        "{error}"
    );
    assert!(matches!(error, Error::Overflow(_)), "{error:?}");
    assert_eq!(&quote(c"abc").get_in_four().unwrap().0[..], b"abc");
    let error = quote(c"thirteen char").get_in_four().unwrap_err();
    assert!(matches!(error, Error::Failed("quote_get")), "{error:?}");
}

#[test]
fn computed_length_beyond_the_memory_is_an_error() {
    let _library = Library::start();
    let error = quote(c"abc").miscounted().unwrap_err();
    assert!(
        error
            .to_string()
            .contains("longer than the memory: 400 bytes"),
        "{error}"
    );
}

#[test]
fn panic_of_the_question_frees_the_memory() {
    let _library = Library::start();
    let short = quote(c"abc");
    assert_eq!(panic_of(|| drop(short.ask())), "asked");
    assert_eq!(&short.get().unwrap().0[..], b"abc");
}

#[test]
fn parameter_may_have_the_name_of_the_buffer() {
    let _library = Library::start();
    let mut memory = [0_u8; 8];
    assert_eq!(quote(c"abc").print_to(&mut memory).unwrap(), 3);
    assert_eq!(&memory[..4], b"abc\0");
}

/// A quote whose errors say after each `quote_get` that it failed.
#[handle(raw = ffi::quote, release = ffi::quote_free, errors(Gloomy))]
pub struct GloomyQuote;

#[derive(Default)]
pub struct Gloomy;

impl ErrorSource<GloomyQuote> for Gloomy {
    fn failed_silently(&self, call: &CallInfo<'_, GloomyQuote>) -> bool {
        call.function == "quote_get"
    }

    fn into_error(self, _: &CallInfo<'_, GloomyQuote>) -> Error {
        Error::Failed("gloomy")
    }
}

#[methods(unsafe, rust_only)]
impl GloomyQuote {
    #[calls(ffi::quote_new, fails = null)]
    fn new(text: &CStr) -> Result<Owned<GloomyQuote>>;

    #[calls(
        ffi::quote_get, args = (self, buffer.ptr, &mut buffer.len), buffer = 4, fails = sticky,
        too_small = when(|_| false)
    )]
    fn get_in_four(&self) -> Result<Bytes>;
}

#[test]
fn failure_comes_before_a_length_beyond_the_memory() {
    let _library = Library::start();
    let quote = GloomyQuote::new(c"a text").unwrap();
    let error = quote.get_in_four().unwrap_err();
    assert!(matches!(error, Error::Failed("gloomy")), "{error:?}");
}
