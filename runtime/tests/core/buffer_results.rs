//! Results beside the memory that a method gives C to fill, and what C writes about a failure.

use std::ffi::c_int;

use leakproof::prelude::*;

use crate::wrapper::ffi::log;
use crate::wrapper::{Library, ffi};

#[handle(raw = ffi::quote, release = ffi::quote_free, errors = MottoErrors)]
struct Motto;

#[int_enum(std::ffi::c_int)]
enum Code {
    Zero = 0,
    One = 1,
}

#[methods(unsafe, rust_only)]
impl Motto {
    #[calls(ffi::quote_new, fails = null)]
    fn new(text: &CStr) -> Result<Owned<Motto>>;

    #[calls(
        ffi::quote_replace, args = (self, i32::from(from), to, buffer.ptr, &mut buffer.len), buffer = 4,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL), fails = negative, details = usize
    )]
    fn replace(&self, from: u8, to: &CStr) -> Result<(c_int, String)>;

    #[calls(
        ffi::quote_replace, args = (self, i32::from(from), to, buffer.ptr, &mut buffer.len), buffer = 4,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL), fails = when(|ret| ret < -3), none = when(|ret| ret == -3)
    )]
    fn replace_or_none(&self, from: u8, to: &CStr) -> Result<Option<(i64, Bytes)>>;

    #[calls(
        ffi::quote_peek, args = (self, out, buffer.ptr, buffer.len, out), buffer = 4, len = |n| n, fails = negative
    )]
    fn peek(&self) -> Result<(bool, Bytes, u8)>;

    #[calls(
        ffi::quote_peek, args = (self, out, buffer.ptr, buffer.len, out), buffer = 4, len = |n| n, fails = negative
    )]
    fn peek_all(&self) -> Result<(isize, Code, CString, u8)>;

    #[calls(
        ffi::quote_check, args = (self, buffer.ptr, &mut buffer.len, details), buffer = 4,
        too_small = when(|ret| ret == ffi::QUOTE_TOO_SMALL), fails = negative, details = c_int
    )]
    fn check(&self) -> Result<Bytes>;
}

#[exception]
struct MottoError {
    message: String,
}

#[derive(Default)]
struct MottoErrors {
    offset: Option<usize>,
    code: Option<c_int>,
}

impl FailureDetails<usize> for MottoErrors {
    fn details(&mut self, offset: usize) {
        self.offset = (offset != usize::MAX).then_some(offset);
    }
}

impl FailureDetails<c_int> for MottoErrors {
    fn details(&mut self, code: c_int) {
        self.code = Some(code);
    }
}

impl<T: leakproof::Handle> ErrorSource<T> for MottoErrors {
    fn into_error(self, call: &CallInfo<'_, T>) -> Error {
        let (offset, code) = (self.offset, self.code);
        let message = format!("{}: offset {offset:?}, code {code:?}", call.function);
        MottoError { message }.into()
    }
}

fn motto(text: &CStr) -> Owned<'static, Motto> {
    let motto = Motto::new(text).unwrap();
    log();
    motto
}

#[test]
fn value_that_c_returns_stands_before_what_it_has_filled() {
    let _library = Library::start();
    let motto = motto(c"a-b-c");
    assert_eq!(motto.replace(b'-', c"").unwrap(), (2, "abc".to_owned()));
    assert_eq!(log(), ["4 bytes"]);
    assert_eq!(motto.replace(b'x', c"").unwrap(), (0, "a-b-c".to_owned()));
    // The value is that of the last call.
    assert_eq!(log(), ["4 bytes", "6 bytes"]);
    let longer = (2, "a, b, c".to_owned());
    assert_eq!(motto.replace(b'-', c", ").unwrap(), longer);
    assert_eq!(log(), ["4 bytes", "8 bytes"]);
}

#[test]
fn call_without_a_result_has_no_tuple() {
    let _library = Library::start();
    let motto = motto(c"a-b-c");
    assert!(motto.replace_or_none(b'-', c"$").unwrap().is_none());
    assert_eq!(log(), ["4 bytes"]);
    let (count, bytes) = motto.replace_or_none(b'-', c"").unwrap().unwrap();
    assert_eq!((count, &bytes.0[..]), (2, &b"abc"[..]));
}

#[test]
fn number_in_the_length_explains_a_failure() {
    let _library = Library::start();
    let error = motto(c"a-b-c").replace(b'-', c"12$4").unwrap_err();
    assert_eq!(
        error.to_string(),
        "quote_replace: offset Some(2), code None"
    );
    let error = motto(c"thirteen char").replace(b'-', c"").unwrap_err();
    assert_eq!(error.to_string(), "quote_replace: offset None, code None");
    let calls = log().into_iter().filter(|event| event == "4 bytes");
    assert_eq!(calls.count(), 1);
}

#[test]
fn out_parameters_are_those_of_the_last_call() {
    let _library = Library::start();
    let (cut, bytes, first) = motto(c"abc").peek().unwrap();
    assert_eq!((cut, &bytes.0[..], first), (false, &b"abc"[..], b'a'));
    // The first call has cut the text, and said so.
    let (cut, bytes, first) = motto(c"defghi").peek().unwrap();
    assert_eq!((cut, &bytes.0[..], first), (false, &b"defghi"[..], b'd'));
    let all = motto(c"xyz").peek_all().unwrap();
    assert_eq!(all, (3, Code::Zero, c"xyz".to_owned(), b'x'));
    assert!(motto(c"").peek().is_err());
}

#[test]
fn details_are_those_of_the_last_call() {
    let _library = Library::start();
    assert_eq!(&motto(c"a text").check().unwrap().0[..], b"a text");
    let error = motto(c"").check().unwrap_err();
    assert_eq!(error.to_string(), "quote_check: offset None, code Some(7)");
    // The first call has said that the memory is too small.
    let error = motto(c"thirteen char").check().unwrap_err();
    assert_eq!(error.to_string(), "quote_check: offset None, code Some(0)");
}
