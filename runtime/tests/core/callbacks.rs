//! Reports that C makes through a callback while a call runs.

use std::ffi::c_void;
use std::ptr;

use leakproof::Handle;

use crate::wrapper::ffi::Next::{Grumble, Report};
use crate::wrapper::ffi::{self, log, next};
use crate::wrapper::{Library, Probe, Store};
use crate::{message_of, open, panic_of};

unsafe extern "C" fn of_the_library(_: *mut c_void, _: *mut ffi::record) {}

fn callback_of(store: &Store) -> ffi::report {
    // SAFETY: the store is alive.
    unsafe { (*store.as_raw()).report }
}

#[test]
fn the_callback_hangs_there_for_one_call() {
    let _library = Library::start();
    let store = open();
    assert!(!store.has_callback());
    next([Report(&["x"])]);
    store.check().unwrap_err();
    assert!(callback_of(&store).is_none());
}

#[test]
fn the_callback_that_was_there_is_put_back() {
    let _library = Library::start();
    let store = open();
    let before: ffi::report = Some(of_the_library);
    // SAFETY: the store is alive.
    unsafe { (*store.as_raw()).report = before };
    next([Report(&["x"]), Report(&["panic"])]);
    assert_eq!(message_of(store.check()), "s.store_check[]: x");
    let same = |now: ffi::report| now.map(|f| f as usize) == before.map(|f| f as usize);
    assert!(same(callback_of(&store)));
    panic_of(|| store.check());
    assert!(same(callback_of(&store)));
}

#[test]
fn a_panic_in_the_collector_continues_when_c_has_returned() {
    let _library = Library::start();
    let store = open();
    next([Grumble(&["panic", "ignored"]), Report(&["after"])]);
    assert_eq!(panic_of(|| store.check()), "in the collector");
    assert_eq!(message_of(store.check()), "s.store_check[]: after");
}

#[test]
fn a_panic_in_the_collector_releases_what_c_gave() {
    let _library = Library::start();
    let store = open();
    next([Grumble(&["panic"]), Grumble(&["panic"])]);
    panic_of(|| store.cursor());
    panic_of(|| store.description());
    assert_eq!(
        log(),
        ["cursor_new", "cursor_free", "store_describe", "text_free"]
    );
}

#[test]
fn a_panic_while_an_error_is_worded_releases_too() {
    let _library = Library::start();
    let mut store = open();
    next([Report(&["panic later"])]);
    assert!(panic_of(|| store.sync()).contains("while wording"));
    // The status is still set, so this is taken for a failure although C gave a cursor.
    next([Grumble(&["panic later"])]);
    assert!(panic_of(|| store.cursor()).contains("while wording"));
    assert_eq!(log(), ["cursor_new", "cursor_free"]);
}

#[cfg(any(debug_assertions, feature = "fault-injection"))]
#[test]
fn report_in_a_pure_call_is_a_wrong_annotation() {
    let _library = Library::start();
    let store = open();
    assert_eq!(store.status_purely(), 0);
    next([Grumble(&["x"])]);
    let message = panic_of(|| store.status_purely());
    let expected = "Store.status_purely: store_check called back or reported something, although";
    assert!(message.starts_with(expected), "{message}");
    assert_eq!(store.status_purely(), 0);
}

#[test]
fn nested_calls_report_each_to_its_own_collector() {
    let _library = Library::start();
    let store = open();
    next([Report(&["before", "nest", "after"])]);
    assert_eq!(
        message_of(store.check()),
        "s.store_check[]: before, probe(inner), after"
    );
}

#[test]
fn nested_calls_of_the_same_type_do_not_mix() {
    let _library = Library::start();
    let store = open();
    next([Report(&["nest same", "after"])]);
    assert_eq!(
        message_of(store.check()),
        "s.store_check[]: .store_check[]: inner, after"
    );
}

#[test]
fn a_panic_within_a_nested_call_goes_through_both() {
    let _library = Library::start();
    let store = open();
    next([Grumble(&["nest panic"])]);
    assert_eq!(panic_of(|| store.cursor()), "in the collector");
    assert_eq!(
        log(),
        ["store_open", "store_free", "cursor_new", "cursor_free"]
    );
    next([Report(&["after"])]);
    assert_eq!(message_of(store.check()), "s.store_check[]: after");
}

#[test]
fn a_callback_outside_of_any_call_is_ignored() {
    let _library = Library::start();
    let store = open();
    next([Report(&["x"])]);
    store.check().unwrap_err();
    let mut record = ffi::record {
        message: c"late".as_ptr(),
    };
    // SAFETY: it may be called at any time, with a valid record.
    unsafe { ffi::last_callback()(ptr::null_mut(), &raw mut record) };
    assert!(store.check().is_ok());
}

#[test]
fn a_report_to_another_kind_of_collector_is_dropped() {
    let _library = Library::start();
    let (store, probe) = (open(), Probe::open(None).unwrap());
    next([Report(&["to the store"])]);
    assert!(store.check().is_err());
    next([ffi::Next::Misreport(&["as if to the store"])]);
    assert_eq!(probe.check().unwrap_err().to_string(), "probe()");
}
