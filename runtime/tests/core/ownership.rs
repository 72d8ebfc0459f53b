//! The other ways in which C gives and takes handles.

use crate::wrapper::ffi::{self, Next};
use crate::wrapper::{Cursor, Journal, Library, Session, Shape, Store, Tally};
use leakproof::prelude::*;

#[methods(rust_only)]
impl Store {
    fn pass(&self, other: Owned<Store>) -> Owned<Store> {
        other
    }

    fn relay(other: Option<Owned<Store>>) -> Option<Owned<Store>> {
        other
    }

    fn pass_cursor(&self, cursor: Owned<Cursor>, fails: bool) -> Result<(Owned<Cursor>, bool)> {
        match fails {
            true => Err(Error::Value("failed".into())),
            false => Ok((cursor, fails)),
        }
    }

    fn cursor_or_new<'a>(&'a self, cursor: Option<Owned<Cursor>>) -> Result<Owned<Cursor>> {
        match cursor {
            Some(cursor) => Ok(cursor),
            None => self.cursor(),
        }
    }
}

#[test]
fn what_c_writes_is_owned() {
    let _library = Library::start();
    let store = Store::open_at(c"s").unwrap();
    assert_eq!(store.title().as_deref(), Some("s"));
    drop(store);
    assert_eq!(ffi::log(), ["store_open", "store_free"]);
}

#[test]
fn what_a_failing_call_leaves_is_asked_then_released() {
    let _library = Library::start();
    ffi::next([Next::Fail]);
    let error = Store::open_at(c"s").unwrap_err();
    assert_eq!(
        error.to_string(),
        r#"s.store_open_at[("title", "s")] after 7: "#
    );
    assert_eq!(ffi::log(), ["store_open", "store_free"]);
}

#[test]
fn what_is_undefined_is_not_looked_at() {
    let _library = Library::start();
    let store = Store::open(None).unwrap();
    ffi::next([Next::Fail]);
    assert!(store.make_cursor().is_err());
    let (mut cursor, position) = store.make_cursor().unwrap();
    assert_eq!((cursor.step(), position), (1, 42));
}

#[test]
fn the_second_is_not_lost_when_the_first_is_missing() {
    let _library = Library::start();
    let store = Store::open(None).unwrap();
    ffi::next([Next::Fail]);
    assert!(store.cursor_pair().is_err());
    assert_eq!(ffi::log(), ["store_open", "cursor_new", "cursor_free"]);
    let (first, second): (Owned<'_, Cursor>, Owned<'_, Cursor>) = store.cursor_pair().unwrap();
    assert_ne!(format!("{first:?}"), format!("{second:?}"));
    drop((first, second));
    ffi::next([Next::Fail]);
    let (first, second) = store.perhaps_cursors();
    assert!(first.is_none() && second.is_some());
}

#[test]
fn numbers_are_written_too() {
    let _library = Library::start();
    let store = Store::open(None).unwrap();
    assert_eq!(store.measure(), (3, 0.5));
}

#[test]
fn a_handle_in_place_is_not_moved() {
    let _library = Library::start();
    let mut tally = Tally::start(3).unwrap();
    assert_eq!(tally.add(2), 5);
    let mut moved = Box::new(tally);
    assert_eq!(moved.add(2), 7);
    drop(moved);
    assert_eq!(ffi::log(), ["tally_init", "tally_clear"]);
}

#[test]
fn memory_that_c_did_not_initialize_is_not_cleared() {
    let _library = Library::start();
    ffi::next([Next::Fail]);
    assert!(Tally::start_undefined(3).is_err());
    ffi::next([Next::Fail]);
    assert!(Tally::start(3).is_err());
    assert_eq!(ffi::log(), [""; 0]);
}

#[test]
fn owners_are_counted() {
    let _library = Library::start();
    let inner = Shape::new(None).unwrap();
    let outer = Shape::new(Some(&inner)).unwrap();
    assert_eq!(inner.owners(), 2);
    let copy = inner.clone();
    drop(inner);
    assert_eq!(copy.owners(), 2);
    drop(copy);
    let child = outer.child().unwrap();
    assert!(child.child().is_none());
    drop(outer);
    assert_eq!(child.owners(), 1);
    assert_eq!(leakproof::live_handles()["Shape"], 1);
    drop(child);
    let events = [2, 1, 0, 1, 0].map(|owners| format!("shape_unref to {owners}"));
    assert_eq!(ffi::log()[2..], events);
}

#[test]
fn field_with_retain_makes_the_caller_an_owner() {
    let _library = Library::start();
    let inner = Shape::new(None).unwrap();
    let outer = Shape::new(Some(&inner)).unwrap();
    let child = outer.child_field().unwrap();
    assert_eq!(inner.owners(), 3);
    let another = child.another_owner();
    assert_eq!(inner.owners(), 4);
    assert!(inner.child_field().is_none());
    drop((child, another));
    assert_eq!(inner.owners(), 2);
}

#[test]
fn a_close_that_is_refused_gives_the_handle_back() {
    let _library = Library::start();
    let mut session = Session::new().unwrap();
    session.set_busy(5);
    let (error, session) = session.close().unwrap_err();
    assert_eq!(error.to_string(), "session_close Some(5) Some(5)");
    let mut session = session.unwrap();
    assert_eq!(leakproof::live_handles()["Session"], 1);
    session.set_busy(0);
    session.close().unwrap();
}

#[test]
fn a_close_that_fails_may_have_closed() {
    let _library = Library::start();
    let mut journal = Journal::new().unwrap();
    journal.set_busy(6);
    let (error, journal) = journal.close().unwrap_err();
    assert_eq!(error.to_string(), "session_close failed");
    assert!(journal.is_none());
    assert_eq!(leakproof::live_handles()["Journal"], 0);
    assert_eq!(ffi::live(), 0);
}

#[test]
fn handle_knows_the_parent_that_it_was_made_in() {
    let _library = Library::start();
    let (first, second) = (Store::open(None).unwrap(), Store::open_at(c"s").unwrap());
    let (in_first, in_second) = (first.cursor().unwrap(), second.cursor().unwrap());
    let parent: &Store = leakproof::parent_of(&*in_second).unwrap();
    assert!(std::ptr::eq(parent, &*second));
    assert_eq!(parent.title().as_deref(), Some("s"));
    let parent: &Store = leakproof::parent_of(&*in_first).unwrap();
    assert!(std::ptr::eq(parent, &*first));
}

#[test]
fn body_returns_the_handle_that_it_took() {
    let _library = Library::start();
    let other = Store::open(None).unwrap();
    let store = Store::open(None).unwrap();
    let other: Owned<'static, Store> = store.pass(other);
    let other = Store::relay(Some(other)).unwrap();
    assert!(Store::relay(None).is_none());
    drop(store);
    assert_eq!(ffi::log(), ["store_open", "store_open", "store_free"]);
    drop(other);
    assert_eq!(ffi::log(), ["store_free"]);
}

#[test]
fn body_returns_the_child_that_it_took_or_another_one() {
    let _library = Library::start();
    let store = Store::open(None).unwrap();
    let (mut cursor, _) = store.pass_cursor(store.cursor().unwrap(), false).unwrap();
    assert_eq!(cursor.step(), 1);
    let mut cursor = store.cursor_or_new(Some(cursor)).unwrap();
    assert_eq!(cursor.step(), 2);
    let mut another = store.cursor_or_new(None).unwrap();
    assert_eq!(another.step(), 1);
    drop(another);
    ffi::log();
    assert!(store.pass_cursor(cursor, true).is_err());
    assert_eq!(ffi::log(), ["cursor_free"]);
}
