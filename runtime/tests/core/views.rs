//! Views and children: handles inside of other handles.

use leakproof::Handle;
use leakproof::prelude::*;

use crate::open;
use crate::wrapper::ffi::log;
use crate::wrapper::{Item, Library};

#[test]
fn views_are_equal_where_they_look_at_the_same_place() {
    let _library = Library::start();
    let store = open();
    let (first, last) = (store.first().unwrap(), store.last().unwrap());
    assert_ne!(first, last);
    assert_eq!(first.next(), Some(last));
    assert_eq!(Borrowed::from(first.get()), first);
    assert_eq!(last.next(), None);
    assert!(log().is_empty());
}

#[test]
fn steps_walk_from_part_to_part() {
    let _library = Library::start();
    let store = open();
    assert_eq!(store.walk().collect::<Vec<_>>(), store.items());
    let sizes = Dict(store.walk().map(|item| (item.size(), item)).collect());
    assert_eq!(sizes.0[1], (20, store.last().unwrap()));
    assert_eq!(Successors::new(None, Item::next).next(), None);
}

#[test]
fn a_part_is_accepted_by_its_own_owner_alone() {
    let _library = Library::start();
    let (store, other) = (open(), open());
    let found = {
        // The view outlives the loan by which it was found.
        let short: Vec<_> = store.walk().collect();
        short[0].with_owner(&store)
    };
    assert_eq!(found, store.first());
    assert_eq!(store.first().unwrap().with_owner(&other), None);
}

#[test]
fn guards_show_their_type_and_place() {
    let _library = Library::start();
    let store = open();
    let place = format!("{:p}", store.as_raw());
    assert_eq!(format!("{store:?}"), format!("Owned<Store>({place})"));
    assert_eq!(format!("{:?}", &*store), format!("Store({place})"));
    let shelf = store.as_shelf();
    assert_eq!(format!("{shelf:?}"), format!("Borrowed<Shelf>({place})"));
}
