//! Handles that C lends: children of them, and handles that are lent from them.

use super::*;

#[test]
fn lender_waits_for_a_child_of_what_is_lent_from_what_it_lends() {
    let _native = Native::start();
    let mut bag = Bag::new().unwrap();
    {
        let shop = Shop::new().unwrap();
        let note = shop.shelf().unwrap().get().note().unwrap();
        bag.add_line(note.line().unwrap());
    }
    assert_eq!(log(), [""; 0]);
    drop(bag);
    assert_eq!(live("Shop"), 0);
}

#[test]
fn lender_waits_for_a_forgotten_child_of_what_is_lent_from_what_it_lends() {
    let mut native = Native::start();
    let shop = Shop::new().unwrap();
    let note = shop.shelf().unwrap().get().note().unwrap();
    forget(note.line().unwrap());
    assert!(shop.close().is_err());
    let all = ["Shop", "Shelf", "Note", "Line"];
    lost(&mut native, &all, &["Shop", "Line"]);
}

#[test]
fn parent_waits_for_what_is_lent_from_what_is_lent() {
    let _native = Native::start();
    let shop = Shop::new().unwrap();
    let note = shop.shelf().unwrap().get().note().unwrap();
    note.stick(Pool::new().unwrap().item().unwrap());
    assert_eq!(live("Pool"), 1);
    drop(shop);
    assert_eq!(live("Pool"), 0);
}

#[test]
fn handle_that_is_lent_as_the_argument_that_it_is_keeps_what_it_keeps() {
    let _native = Native::start();
    let (one, two) = (full_bag(), Bag::new().unwrap());
    assert_eq!(Bag::greater(&one, &two), Some(Borrowed::from(&*one)));
    drop(two);
    assert_eq!(live("Pool"), 1);
    drop(one);
    assert_eq!(live("Pool"), 0);
}

#[test]
fn child_of_what_c_lends_to_a_callback_is_not_given_to_c() {
    let _native = Native::start();
    let r#box = Crate::new().unwrap();
    let message = panic_of(|| r#box.show(&Viewer));
    assert!(
        message
            .contains("a Line cannot be given to C: it lives in a Note that C may release first"),
        "{message}"
    );
    drop(BAG.take());
}

#[test]
fn child_of_what_c_lends_through_an_optional_argument_of_a_callback_is_not_given_to_c() {
    let _native = Native::start();
    let r#box = Crate::new().unwrap();
    let message = panic_of(|| r#box.show_desk(&Viewer));
    assert!(
        message.contains(
            "a SlipLine cannot be given to C: it lives in a Slip that C may release first"
        ),
        "{message}"
    );
    drop(BAG.take());
}

#[test]
fn child_of_the_record_of_a_report_is_not_given_to_c() {
    let _native = Native::start();
    let message = panic_of(|| Teller::new().unwrap().fail());
    assert!(
        message.contains(
            "a RecordLine cannot be given to C: it lives in a RecordNote that C may release first"
        ),
        "{message}"
    );
    drop(BAG.take());
}

#[test]
fn optional_lender_waits_for_a_child_of_what_it_lends() {
    let ways: [fn(&mut Shop) -> Owned<'_, Line>; 2] = [
        |shop| Shop::note_in(Some(shop)).unwrap().get().line().unwrap(),
        |shop| Shop::note_of(Some(shop)).unwrap().get().line().unwrap(),
    ];
    for way in ways {
        let _native = Native::start();
        let mut bag = Bag::new().unwrap();
        let mut shop = Shop::new().unwrap();
        bag.add_line(way(&mut shop));
        drop(shop);
        assert_eq!(live("Shop"), 1);
        drop(bag);
        assert_eq!(live("Shop"), 0);
    }
    assert_eq!(Shop::note_in(None), None);
}
