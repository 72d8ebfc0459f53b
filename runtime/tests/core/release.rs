//! Releases of handles, and their counts.

use leakproof::live_handles;
use leakproof::prelude::*;

use crate::wrapper::ffi::Next::{Fail, Succeed};
use crate::wrapper::ffi::{log, next};
use crate::wrapper::{Cursor, Library, Store, StoreError};
use crate::{open, panic_of};

fn counts() -> (isize, isize) {
    let live = live_handles();
    (live["Store"], live["Cursor"])
}

#[test]
fn a_handle_is_released_when_it_is_dropped() {
    let _library = Library::start();
    let store = Store::open(None).unwrap();
    assert_eq!(log(), ["store_open"]);
    drop(store);
    assert_eq!(log(), ["store_free"]);
}

#[test]
fn a_null_is_an_error_and_releases_nothing() {
    let _library = Library::start();
    next([Fail]);
    let error = Store::open(None).unwrap_err();
    assert!(error.library::<StoreError>().is_some());
    assert!(log().is_empty());
}

#[test]
fn children_are_released_before_their_parents() {
    let _library = Library::start();
    let store = open();
    let mut first = store.cursor().unwrap();
    first.step();
    let copy = first.copy().unwrap();
    drop(copy);
    drop(first);
    drop(store);
    assert_eq!(
        log(),
        [
            "cursor_new",
            "cursor_copy",
            "cursor_free",
            "cursor_free",
            "store_free"
        ]
    );
}

#[test]
fn a_temporary_parent_lives_as_long_as_the_expression() {
    let _library = Library::start();
    assert_eq!(open().cursor().unwrap().step(), 1);
    assert_eq!(log(), ["cursor_new", "cursor_free", "store_free"]);
}

#[test]
fn an_early_return_releases() {
    let _library = Library::start();
    let store = open();
    next([Succeed, Fail]);
    assert!(store.use_cursor().is_err());
    assert_eq!(log(), ["cursor_new", "cursor_free"]);
}

#[test]
fn a_panic_releases_children_then_parents() {
    let _library = Library::start();
    let panic = panic_of(|| {
        let store = open();
        let _cursor = store.cursor().unwrap();
        panic!("in the body");
    });
    assert_eq!(panic, "in the body");
    assert_eq!(log(), ["cursor_new", "cursor_free", "store_free"]);
}

#[test]
fn what_a_failing_call_gave_is_released() {
    let _library = Library::start();
    let store = open();
    let cursor = store.cursor().unwrap();
    log();
    assert!(matches!(
        cursor.copy_and_fail(),
        Err(Error::Failed("cursor_copy"))
    ));
    assert_eq!(log(), ["cursor_copy", "cursor_free"]);
}

#[test]
fn a_nullable_result_is_none() {
    let _library = Library::start();
    let store = open();
    let mut cursor = store.cursor().unwrap();
    cursor.step();
    cursor.step();
    assert!(cursor.copy().is_none());
    assert!(cursor.copy_and_fail().unwrap().is_none());
}

#[test]
fn live_handles_are_counted_at_each_step() {
    let _library = Library::start();
    assert_eq!(counts(), (0, 0));
    let store = open();
    assert_eq!(counts(), (1, 0));
    let cursor = store.cursor().unwrap();
    assert_eq!(counts(), (1, 1));
    next([Fail]);
    assert!(store.cursor().is_err());
    assert_eq!(counts(), (1, 1));
    let other = open();
    assert_eq!(counts(), (2, 1));
    drop(cursor);
    assert_eq!(counts(), (2, 0));
    drop((store, other));
    assert_eq!(counts(), (0, 0));
}

#[test]
fn only_what_is_released_is_listed() {
    let names: Vec<_> = live_handles().into_keys().collect();
    let mut expected = vec![
        "Bell",
        "Bookmark",
        "Config",
        "Cursor",
        "Door",
        "Failure",
        "GloomyQuote",
        "Hatch",
        "Intake",
        "Journal",
        "Loader",
        "Meter",
        "Motto",
        "Outline",
        "Page",
        "Picture",
        "Player",
        "Probe",
        "Quote",
        "R",
        "Safe",
        "Session",
        "Shape",
        "Sheet",
        "Store",
        "Sum",
        "T",
        "Tally",
        "Topic",
        "Tune",
        "Variation",
    ];
    if cfg!(feature = "python") {
        // Of the test that imports PyO3's prelude.
        expected.push("Shelf");
        expected.sort_unstable();
    }
    assert_eq!(names, expected);
}

#[test]
fn a_cursor_moves_with_its_guard() {
    let _library = Library::start();
    let store = open();
    let boxed: Vec<Box<Owned<'_, Cursor>>> = vec![Box::new(store.cursor().unwrap())];
    let [mut cursor] = boxed.try_into().unwrap();
    assert_eq!((cursor.step(), cursor.step()), (1, 2));
    drop(cursor);
    assert_eq!(log(), ["cursor_new", "cursor_free"]);
}
