//! Results of C, and values that are read from its structs.

use std::ffi::CString;
use std::ptr;

use leakproof::__private::from_c::{FreedMemory, array};
use leakproof::__private::lifetime::Life;
use leakproof::Handle;

use crate::wrapper::ffi::Next::Fail;
use crate::wrapper::ffi::{self, log, next};
use crate::wrapper::{Library, Store};
use crate::{open, panic_of};

#[test]
fn a_text_that_is_ours_is_copied_then_freed() {
    let _library = Library::start();
    let store = open();
    assert_eq!(store.description().as_deref(), Some("text"));
    assert_eq!(store.describe().unwrap().as_c_str(), c"text");
    assert_eq!(store.label_text().as_deref(), Some("text"));
    next([Fail, Fail]);
    assert_eq!(store.description(), None);
    assert!(store.describe().is_err());
    let once = ["store_describe", "text_free"];
    assert_eq!(log(), [once, once, once].concat());
}

#[test]
fn a_text_that_is_ours_is_freed_when_copying_panics() {
    let _library = Library::start();
    let store = open();
    // SAFETY: the store is alive, and the text is freed once.
    let text = FreedMemory::new(
        unsafe { ffi::store_describe(store.as_raw()) },
        |text| unsafe { ffi::text_free(text) },
    );
    let panic = panic_of(|| {
        let _text = text;
        panic!("while copying")
    });
    assert_eq!(panic, "while copying");
    assert_eq!(log(), ["store_describe", "text_free"]);
}

#[test]
fn a_static_text_is_copied() {
    assert_eq!(Store::version().as_deref(), Some("1.0"));
}

#[test]
fn scalar_fields_are_read_and_written() {
    let _library = Library::start();
    let mut store = open();
    store.set_limit(99);
    assert_eq!(store.limit(), 99);
    assert!(store.is_open());
    assert_eq!(store.reads(), 7);
    assert_eq!(store.first_size(), 10);
    assert_eq!(store.title().as_deref(), Some("s"));
    assert_eq!(store.label().as_deref(), Some("ab"));
}

#[test]
fn a_field_is_there_while_its_tag_says_so() {
    let _library = Library::start();
    let mut store = open();
    assert_eq!(store.number(), Some(1.5));
    assert_eq!(store.text(), None);
    // SAFETY: the store is alive.
    unsafe { (*store.as_raw()).value.text = c"t".as_ptr() };
    for tag in [ffi::TEXT, 3] {
        store.set_tag(tag);
        assert_eq!((store.number(), store.text().as_deref()), (None, Some("t")));
    }
    store.set_tag(0);
    assert_eq!((store.number(), store.text()), (None, None));
}

#[test]
fn an_array_has_the_length_that_c_says_and_leaves_nulls_out() {
    let _library = Library::start();
    let mut store = open();
    assert_eq!(store.sizes(), [10, 20]);
    let sizes: Vec<_> = store.items().iter().map(|item| item.size()).collect();
    assert_eq!(sizes, [10, 20]);
    for none in [0, -1] {
        store.set_item_count(none);
        assert!(store.items().is_empty());
    }
}

#[test]
fn an_array_of_null_is_empty() {
    // SAFETY: null is allowed.
    let items = unsafe { array::<i32, i32>(ptr::null(), 5, Life::any()) };
    assert!(items.is_empty());
}

#[test]
fn a_handle_can_be_seen_as_another_type() {
    let _library = Library::start();
    let store = open();
    let shelf = store.as_shelf();
    assert_eq!(shelf.limit(), 10);
    assert_eq!(shelf.as_raw(), store.as_raw());
}

#[test]
fn memory_is_copied_at_its_length() {
    let _library = Library::start();
    let store = open();
    assert_eq!(store.memory(3), Some(leakproof::Bytes(b"a\0b".to_vec())));
    assert_eq!(store.memory(-1), Some(leakproof::Bytes::default()));
    assert_eq!(store.memory(0), None);
    assert_eq!(store.some_memory(1).unwrap().0, b"a");
    assert!(store.some_memory(0).is_err());
}

#[test]
fn memory_can_be_text() {
    let _library = Library::start();
    let store = open();
    assert_eq!(store.memory_as_text(3).as_deref(), Some("a\0b"));
    assert_eq!(store.memory_as_text(0), None);
}

#[test]
fn an_array_ends_at_its_null_and_is_freed() {
    let _library = Library::start();
    let store = open();
    assert_eq!(store.names(), ["one", "two"]);
    assert_eq!(
        store.some_names().unwrap(),
        [CString::from(c"one"), c"two".into()]
    );
    assert_eq!(Store::primes(), [2, 3, 5]);
    assert_eq!(Store::counted_primes(), [2, 3]);
    next([Fail, Fail]);
    assert!(store.names().is_empty());
    assert!(store.some_names().is_err());
    let once = ["store_names", "names_free"];
    assert_eq!(log(), [once, once].concat());
}

#[test]
fn memory_through_out_is_freed_also_where_the_call_failed() {
    let _library = Library::start();
    let store = open();
    assert_eq!(store.dump().unwrap().unwrap().0, b"d\0mp");
    next([Fail]);
    assert!(store.dump().is_err());
    let once = ["store_dump", "text_free"];
    assert_eq!(log(), [once, once].concat());
}

#[test]
fn what_a_failing_call_left_is_not_looked_at() {
    let _library = Library::start();
    let store = open();
    assert_eq!(store.motto().unwrap().as_deref(), Some("motto"));
    next([Fail]);
    assert!(store.motto().is_err());
}

#[test]
fn a_status_may_say_that_there_is_nothing() {
    let _library = Library::start();
    let store = open();
    assert_eq!(store.next_item(0).unwrap().unwrap().size(), 10);
    assert!(store.next_item(1).unwrap().is_none());
    assert!(store.perhaps_item(0).is_some());
    assert!(store.perhaps_item(1).is_none());
    next([Fail, Fail]);
    assert!(store.next_item(0).is_err());
    assert!(store.perhaps_item(0).is_none());
}
