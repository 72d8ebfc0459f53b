//! Lengths in other units, and fields that are never NULL, or are after all.

use std::ffi::c_int;

use leakproof::prelude::*;

use super::{ffi, panic_of};
use crate::wrapper::Library;

#[handle(raw = ffi::picture, release = ffi::picture_free, fork_safe)]
struct Picture;

#[handle(raw = ffi::picture, part_of = Picture)]
struct Frame;

#[methods(unsafe, rust_only)]
impl Picture {
    #[calls(ffi::picture_new, fails = null)]
    fn new(rows: c_int, columns: c_int) -> Result<Owned<Picture>>;

    #[calls(ffi::picture_set_size)]
    fn set_size(&mut self, rows: c_int, columns: c_int);

    #[calls(ffi::picture_erase)]
    fn erase(&mut self);

    // ---- results

    #[calls(
        ffi::picture_bytes, len = |it, _| ffi::picture_rows(it) * (*it).columns * ffi::DEPTH, borrowed, fails = null
    )]
    fn bytes(&self, from: c_int) -> Result<Bytes>;

    #[calls(ffi::picture_bytes, len = |it, from| (*it).rows * (*it).columns * 2 - from)]
    fn bytes_or_none(&self, from: c_int) -> Option<Bytes>;

    #[calls(
        ffi::picture_bytes,
        len = |it, from| match (*it).rows {
            #[cfg(any())]
            _ => 0,
            rows => rows * 2 - from,
        }
    )]
    fn bytes_of_arm(&self, from: c_int) -> Option<Bytes>;

    #[calls(ffi::picture_bytes, len = 2 * ffi::DEPTH)]
    fn four_bytes(&self, from: c_int) -> Option<Bytes>;

    #[calls(ffi::picture_pixels, args = (self, len), len = |pixels| pixels * ffi::DEPTH, fails = null)]
    fn counted(&self) -> Result<Bytes>;

    #[calls(ffi::picture_pixels, args = (self, len), len = |pixels| pixels * 2)]
    fn counted_or_none(&self) -> Option<Bytes>;

    #[calls(
        ffi::picture_copy, args = (self, out, len), len = |pixels| pixels * 2, free = ffi::picture_free_bytes,
        fails = nonzero, on_failure = undefined
    )]
    fn copied(&self) -> Result<Bytes>;

    #[calls(ffi::picture_pixels, args = (self, len), len = |n| { (n - 4) * 2 })]
    fn in_block(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::picture_pixels, args = (self, len), len = |n| if n > 5 { n * 2 } else { n - 4 })]
    fn in_branch(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::picture_pixels, args = (self, len), len = |n| match n { 5 => panic!("five"), n => n - 4 })]
    fn in_arm(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::picture_pixels, args = (self, len), len = |n| ((n * 1_000_000) as c_int) / 1_000_000)]
    fn in_cast(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::picture_pixels, args = (self, len), len = |n| (n - 3) as usize)]
    fn cast(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::picture_pixels, args = (self, len), len = |n| (n * 2 + 3) & !3)]
    fn masked(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::picture_pixels, args = (self, len), len = |n| -(4 - n) << 33 >> 32)]
    fn shifted(&self) -> Result<Option<Bytes>>;

    #[calls(ffi::picture_word, args = (self, out), len = 1, borrowed)]
    fn first_word(&self) -> Vec<u16>;

    #[calls(ffi::picture_word, args = (self, out), len = ffi::picture_size, borrowed)]
    fn all_words(&self) -> Vec<u16>;

    #[calls(ffi::picture_info, args = (self, ffi::COLUMNS, out as *mut c_int), fails = nonzero)]
    fn columns(&self) -> Result<c_int>;

    #[calls(
        ffi::picture_info, args = (self, ffi::BYTES, out as *mut *const u8),
        len = |it, _| (*it).rows * ffi::picture_columns(it) * ffi::DEPTH, fails = nonzero
    )]
    fn all_bytes(&self) -> Result<Bytes>;

    #[calls(
        ffi::picture_info, args = (self, what, out as *mut *const u8),
        len = |it, what| (*it).rows * (*it).columns * 2 / what, none = when(|ret| ret == 2)
    )]
    fn some_bytes(&self, what: c_int) -> Option<Bytes>;

    #[calls(
        ffi::picture_copy, args = (self, out, &mut 0), len = |it, _| (*it).rows * 4, free = ffi::picture_free_bytes,
        fails = nonzero, on_failure = undefined
    )]
    fn copied_by_handle(&self) -> Result<Bytes>;

    // ---- fields

    #[field(bytes, len = size)]
    fn field_bytes(&self) -> Option<Bytes>;

    #[field(bytes, len = size)]
    fn required_bytes(&self) -> Result<Bytes>;

    #[field(bytes, len = |it| (*it).rows * (*it).columns * ffi::DEPTH)]
    fn computed_bytes(&self) -> Result<Option<Bytes>>;

    #[field(bytes, len = |it| (*it).rows * (*it).columns)]
    fn pixels_or_panic(&self) -> Option<Bytes>;

    #[field(bytes, len = |it| (*it).rows * 4 - (*it).rows * 3 - (2_147_483_647 - 12))]
    fn difference(&self) -> Option<Bytes>;

    #[field(bytes, len = ffi::DEPTH)]
    fn first_pixel(&self) -> Bytes;

    #[field(words, len = size)]
    fn words(&self) -> Option<Vec<u16>>;

    #[field(aliases, until = null)]
    fn aliases(&self) -> Vec<CString>;

    #[field(aliases, until = null)]
    fn aliases_or_error(&self) -> Result<Option<Vec<String>>>;

    #[field(aliases, until = null, utf8 = lossy, when(rows, 1..))]
    fn aliases_of_rows(&self) -> Option<Vec<String>>;

    #[field(years, until = null)]
    fn years(&self) -> Vec<c_int>;

    #[field(name, len = 3, utf8 = lossy)]
    fn short_name(&self) -> Option<String>;

    #[field(name)]
    fn name(&self) -> Result<String>;

    #[field(name)]
    fn c_name(&self) -> CString;

    #[field(frame)]
    fn frame(&self) -> Borrowed<Frame>;

    #[field(frame)]
    fn frame_or_error(&self) -> Result<Borrowed<Frame>>;
}

#[methods(unsafe, rust_only)]
impl Frame {
    #[field(rows)]
    fn rows(&self) -> c_int;
}

fn bytes(count: u8) -> Bytes {
    Bytes((0..count).collect())
}

const TOO_LONG: &str = "is negative, or more than any memory has";

fn is_too_long<T>(result: Result<T>) -> bool {
    match result.map(drop).unwrap_err() {
        Error::Overflow(message) => message.ends_with(TOO_LONG),
        _ => false,
    }
}

#[test]
fn length_is_computed_of_what_c_gets() {
    let _library = Library::start();
    let picture = Picture::new(2, 3).unwrap();
    assert_eq!(picture.bytes(0).unwrap(), bytes(12));
    assert_eq!(picture.bytes_or_none(5), Some(bytes(7)));
    assert_eq!(picture.bytes_of_arm(0), Some(bytes(4)));
    assert_eq!(picture.four_bytes(0), Some(bytes(4)));
    assert_eq!(picture.first_word(), [7]);
}

#[test]
fn length_is_computed_of_what_c_writes() {
    let _library = Library::start();
    let picture = Picture::new(2, 3).unwrap();
    assert_eq!(picture.counted().unwrap(), bytes(12));
    assert_eq!(picture.counted_or_none(), Some(bytes(12)));
    assert_eq!(picture.copied().unwrap(), Bytes(vec![0; 12]));
}

#[test]
fn length_of_memory_in_out_is_computed_of_what_c_gets() {
    let _library = Library::start();
    let mut picture = Picture::new(2, 3).unwrap();
    assert_eq!(picture.all_words(), vec![7; 12]);
    assert_eq!(picture.columns().unwrap(), 3);
    assert_eq!(picture.all_bytes().unwrap(), bytes(12));
    assert_eq!(picture.some_bytes(1), Some(bytes(12)));
    assert_eq!(picture.copied_by_handle().unwrap(), Bytes(vec![0; 8]));
    picture.set_size(-2, 3);
    ffi::log();
    assert!(is_too_long(picture.all_bytes()));
    assert!(is_too_long(picture.copied_by_handle()));
    assert_eq!(ffi::log(), ["picture_copy", "picture_free_bytes"]);
    assert!(panic_of(|| picture.some_bytes(1)).ends_with(TOO_LONG));
    picture.set_size(2, 3);
    picture.erase();
    assert!(picture.all_words().is_empty());
    assert_eq!(picture.some_bytes(1), None);
}

#[test]
fn length_of_memory_that_c_did_not_write_to_out_is_not_computed() {
    let _library = Library::start();
    let mut picture = Picture::new(2, 3).unwrap();
    picture.erase();
    picture.set_size(-2, 3);
    let error = picture.all_bytes().unwrap_err();
    assert_eq!(error.to_string(), "picture_info failed");
    assert_eq!(picture.some_bytes(1), None);
}

#[test]
fn length_that_is_negative_or_overflows_is_an_error() {
    let library = Library::start();
    let mut picture = Picture::new(2, 3).unwrap();
    picture.set_size(c_int::MIN, 3);
    ffi::log();
    assert!(is_too_long(picture.bytes(0)));
    assert!(is_too_long(picture.computed_bytes()));
    picture.set_size(-2, 3);
    assert!(is_too_long(picture.counted()));
    assert!(is_too_long(picture.copied()));
    assert_eq!(ffi::log(), ["picture_copy", "picture_free_bytes"]);
    let message = panic_of(|| picture.bytes_or_none(0));
    assert!(message.starts_with("the length that `len` computes for the result of picture_bytes"));
    assert!(panic_of(|| picture.counted_or_none()).ends_with(TOO_LONG));
    assert!(
        panic_of(|| picture.pixels_or_panic())
            .starts_with("the length that `len` computes for Picture.pixels_or_panic")
    );
    drop(picture);
    drop(library);
}

#[test]
fn steps_of_a_length_do_not_overflow() {
    let _library = Library::start();
    let mut picture = Picture::new(2, 3).unwrap();
    // Each product is more than C's type holds, and the difference is not.
    picture.set_size(c_int::MAX, 0);
    assert_eq!(picture.difference(), Some(bytes(12)));
    picture.set_size(1, 6);
    assert_eq!(picture.computed_bytes().unwrap(), Some(bytes(12)));
}

#[test]
fn steps_within_blocks_branches_and_casts_do_not_overflow() {
    type Read = fn(&Picture) -> Result<Option<Bytes>>;
    let _library = Library::start();
    let mut picture = Picture::new(2, 3).unwrap();
    let reads: [(Read, u8); 7] = [
        (Picture::in_block, 4),
        (Picture::in_branch, 12),
        (Picture::in_arm, 2),
        (Picture::in_cast, 6),
        (Picture::cast, 3),
        (Picture::masked, 12),
        (Picture::shifted, 4),
    ];
    for (index, (read, count)) in reads.into_iter().enumerate() {
        assert_eq!(read(&picture).unwrap(), Some(bytes(count)), "{index}");
    }
    picture.set_size(1, -5);
    for (index, (read, _)) in reads.into_iter().enumerate() {
        assert!(is_too_long(read(&picture)), "{index}");
    }
    picture.set_size(1, 1_000_000);
    assert!(is_too_long(picture.in_cast()));
    picture.set_size(1, 5);
    assert_eq!(panic_of(|| picture.in_arm()), "five");
}

#[test]
fn fields_with_a_length_are_copied() {
    let _library = Library::start();
    let mut picture = Picture::new(2, 3).unwrap();
    assert_eq!(picture.field_bytes(), Some(bytes(12)));
    assert_eq!(picture.required_bytes().unwrap(), bytes(12));
    assert_eq!(picture.computed_bytes().unwrap(), Some(bytes(12)));
    assert_eq!(picture.first_pixel(), bytes(2));
    assert_eq!(picture.words(), Some(vec![7; 12]));
    assert_eq!(picture.short_name().as_deref(), Some("pic"));
    picture.erase();
    assert_eq!(picture.field_bytes(), None);
    assert_eq!(picture.computed_bytes().unwrap(), None);
    assert_eq!(picture.words(), None);
    assert_eq!(picture.short_name(), None);
}

#[test]
fn array_in_a_field_ends_with_its_first_null_or_0() {
    let _library = Library::start();
    let mut picture = Picture::new(2, 3).unwrap();
    assert_eq!(picture.aliases(), [c"image", c"figure"].map(CString::from));
    let aliases = ["image", "figure"].map(String::from);
    assert_eq!(picture.aliases_or_error().unwrap().unwrap(), aliases);
    assert_eq!(picture.aliases_of_rows().unwrap(), aliases);
    assert_eq!(picture.years(), [1503, 1911]);
    picture.set_size(0, 3);
    assert_eq!(picture.aliases_of_rows(), None);
    picture.erase();
    assert!(picture.aliases().is_empty() && picture.years().is_empty());
    assert_eq!(picture.aliases_or_error().unwrap(), None);
}

#[test]
fn fields_that_are_never_null_have_values() {
    let _library = Library::start();
    let picture = Picture::new(2, 3).unwrap();
    assert_eq!(picture.name().unwrap(), "picture");
    assert_eq!(picture.c_name().as_c_str(), c"picture");
    assert_eq!(picture.frame().rows(), 2);
    assert_eq!(picture.frame_or_error().unwrap().rows(), 2);
}

#[test]
fn null_in_a_field_that_is_never_null_is_an_error_or_a_panic() {
    let _library = Library::start();
    let picture = Picture::new(0, 0).unwrap();
    let is_null = |error: Error| matches!(error, Error::Null(_));
    assert!(is_null(picture.name().unwrap_err()));
    assert!(is_null(picture.required_bytes().unwrap_err()));
    let error = picture.frame_or_error().map(drop).unwrap_err();
    assert_eq!(
        error.to_string(),
        "Picture.frame_or_error: the C field is NULL, and the annotation says that it never is: return an `Option` there"
    );
    for message in [
        panic_of(|| picture.c_name()),
        panic_of(|| picture.frame().rows()),
        panic_of(|| picture.first_pixel()),
    ] {
        assert!(message.contains("the C field is NULL"), "{message}");
    }
}
