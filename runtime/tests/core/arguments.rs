//! The arguments that C gets.

use std::path::Path;

use leakproof::prelude::*;

use crate::open;
use crate::wrapper::ffi::log;
use crate::wrapper::{Library, Store, hooks};

#[test]
fn arguments_go_where_args_says() {
    let _library = Library::start();
    let store = open();
    store.mix(b"a\0b", -5, true, "name").unwrap();
    assert_eq!(log(), [r#"store_mix -5 "name" "s" true [97, 0, 98] 2 1"#]);
}

#[test]
fn a_missing_argument_is_null() {
    let _library = Library::start();
    let mut store = open();
    store.rename(Some(c"new"));
    assert_eq!(store.title().as_deref(), Some("new"));
    store.rename(None);
    assert_eq!(store.title(), None);
    store.rename_str(Some("text")).unwrap();
    assert_eq!(store.title().as_deref(), Some("text"));
    store.rename_str(None).unwrap();
    assert_eq!(store.title(), None);
    assert_eq!(store.write_optional(None).unwrap(), 0);
}

#[test]
fn a_nul_in_a_text_is_an_error_before_c_is_called() {
    let _library = Library::start();
    let mut store = open();
    let Err(Error::Value(message)) = Store::open_str("a\0b") else {
        panic!("C would have read `a`");
    };
    assert_eq!(message, "title holds a NUL character at byte 1");
    assert!(matches!(store.rename_str(Some("\0")), Err(Error::Value(_))));
    assert_eq!(store.title().as_deref(), Some("s"));
    assert!(log().is_empty());
    assert!(hooks().is_empty());
}

#[test]
fn a_length_that_c_cannot_hold_is_an_error_before_c_is_called() {
    let _library = Library::start();
    let mut store = open();
    assert_eq!(store.write(&[0; 255]).unwrap(), 255);
    log();
    let Err(Error::Overflow(message)) = store.write(&[0; 256]) else {
        panic!("C would have written nothing");
    };
    assert_eq!(message, "bytes is too long for C: 256 bytes");
    assert!(log().is_empty());
}

#[test]
fn a_slice_is_a_buffer() {
    let _library = Library::start();
    let mut store = open();
    let bytes: &[u8] = b"xyz";
    assert_eq!(store.write_buffer(bytes.into()).unwrap(), 3);
    assert_eq!(store.write_optional(Some("é")).unwrap(), 2);
    assert_eq!(
        log(),
        ["store_write [120, 121, 122]", "store_write [195, 169]"]
    );
}

#[test]
fn a_path_is_passed_byte_by_byte() {
    let _library = Library::start();
    let path = FsPath::new(c"/tmp/\xff");
    let store = Store::open_path(path).unwrap();
    assert_eq!(store.raw_title().as_deref(), Some(c"/tmp/\xff"));
    assert_eq!(path.as_path().parent(), Some(Path::new("/tmp")));
}
