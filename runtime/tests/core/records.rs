//! Records in Rust: text, order, and the fields that a partial record keeps.

use std::ffi::c_int;

use leakproof::prelude::*;

use super::library as ffi;
use crate::wrapper::Library;

#[record(ffi::stamp, ord)]
struct Inscription {
    id: CString,
    text: String,
}

#[record(ffi::stamp)]
struct Scribble {
    #[field(text, utf8 = lossy)]
    words: String,
}

#[record(ffi::point, ord)]
struct Point {
    x: f64,
    y: f64,
}

#[record(ffi::caption, partial, ord)]
struct Caption {
    size: c_int,
    text: String,
    #[field(place.x)]
    left: f64,
}

#[handle(raw = ffi::sheet, release = ffi::sheet_free)]
struct Sheet;

#[methods(unsafe, rust_only)]
impl Sheet {
    #[calls(ffi::sheet_new, fails = null)]
    fn new() -> Result<Owned<Sheet>>;

    #[calls(ffi::sheet_stamp, args = (self, inscription, out))]
    fn reverse(&self, inscription: &Inscription) -> Inscription;

    #[calls(ffi::sheet_stamp, args = (self, inscription, out))]
    fn scribble(&self, inscription: &Inscription) -> Scribble;

    #[calls(ffi::sheet_caption, args = (self, size, out), none = when(|found| found == 0))]
    fn caption(&self, size: c_int) -> Option<Caption>;
}

#[test]
fn text_has_room_for_all_bytes_but_the_last() {
    let inscription = Inscription::new(c"abc", "é").unwrap();
    assert_eq!(inscription.id().as_c_str(), c"abc");
    assert_eq!(inscription.text().unwrap(), "é");
    for (text, message) in [
        (
            "abcd",
            "text is too long: C has room for 3 bytes, and the text has 4",
        ),
        ("a\0b", "text holds a NUL character"),
    ] {
        let error = Inscription::new(c"", text).unwrap_err();
        assert!(
            matches!(&error, Error::Value(it) if it == message),
            "{error:?}"
        );
    }
}

#[test]
fn array_without_a_nul_is_text_to_its_end() {
    let _library = Library::start();
    let reversed = Sheet::new()
        .unwrap()
        .reverse(&Inscription::new(c"abc", "").unwrap());
    // The NUL came to the front.
    assert_eq!(reversed.id().as_c_str(), c"");
    let whole = Inscription(ffi::stamp {
        id: *b"abcd",
        ..ffi::stamp::default()
    });
    assert_eq!(whole.id().as_c_str(), c"abcd");
}

#[test]
fn text_that_is_not_utf8_is_an_error_unless_it_is_lossy() {
    let _library = Library::start();
    let text = [b'a'.cast_signed(), -1, 0, b'x'.cast_signed()];
    let raw = ffi::stamp { id: [0; 4], text };
    let error = Inscription(raw).text().unwrap_err();
    assert!(matches!(error, Error::NotUtf8("Inscription.text", _)));
    assert_eq!(Scribble(raw).words(), "a\u{fffd}");
    assert_eq!(
        format!("{:?}", Inscription(raw)),
        "Inscription { id: \"\", text: \"a\u{fffd}\" }"
    );
    let other = ffi::stamp {
        text: [b'a'.cast_signed(), -1, 0, 0],
        ..raw
    };
    assert_eq!(Inscription(raw), Inscription(other));
    assert_eq!(
        Sheet::new().unwrap().scribble(&Inscription(raw)).words(),
        "x"
    );
}

#[test]
fn partial_record_keeps_the_listed_fields_alone() {
    let _library = Library::start();
    let caption = Sheet::new().unwrap().caption(3).unwrap();
    assert_eq!(caption, Caption::new(3, "caption", 1.0).unwrap());
    // SAFETY: zeros are values of these fields, and the pointer is not followed.
    let (next, y) = unsafe { ((*caption.0.as_ptr()).next, (*caption.0.as_ptr()).place.y) };
    assert!(next.is_null());
    assert_eq!(y, 0.0);
    assert!(Sheet::new().unwrap().caption(-1).is_none());
}

#[test]
fn records_are_ordered_by_their_fields() {
    assert!(Point::new(1.0, 9.0) < Point::new(2.0, 0.0));
    assert!(Point::new(1.0, 0.0) < Point::new(1.0, 1.0));
    assert!(Point::new(1.0, 1.0) <= Point::new(1.0, 1.0));
    assert_eq!(
        Point::new(1.0, f64::NAN).partial_cmp(&Point::new(1.0, 0.0)),
        None
    );
    assert!(Inscription::new(c"a", "b").unwrap() < Inscription::new(c"a", "c").unwrap());
}
