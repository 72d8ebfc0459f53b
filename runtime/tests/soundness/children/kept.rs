//! Parents of children that C keeps.

use super::*;

#[test]
fn parent_of_a_handle_that_c_keeps_waits_for_c() {
    let _native = Native::start();
    let mut bag = Bag::new().unwrap();
    {
        let pool = Pool::new().unwrap();
        bag.add(pool.item().unwrap()).unwrap();
        bag.add(pool.item().unwrap()).unwrap();
    }
    assert_eq!(log(), [""; 0]);
    drop(bag);
    let released = [
        "release Item",
        "release Item",
        "release Note",
        "release Bag",
        "release Pool",
    ];
    assert_eq!(log(), released);
}

#[test]
fn close_of_a_parent_whose_child_c_keeps_is_deferred() {
    let _native = Native::start();
    let mut bag = Bag::new().unwrap();
    let pool = Pool::new().unwrap();
    bag.add(pool.item().unwrap()).unwrap();
    assert!(pool.close().is_ok());
    assert_eq!(live("Pool"), 1);
    drop(bag);
    assert_eq!(live("Pool"), 0);
}

#[test]
fn parent_whose_child_c_kept_and_released_is_released_at_once() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    let mut bag = Bag::new().unwrap();
    bag.add(pool.item().unwrap()).unwrap();
    drop(bag);
    drop(pool);
    assert_eq!(
        log(),
        [
            "release Item",
            "release Note",
            "release Bag",
            "release Pool"
        ]
    );
}

#[test]
fn child_that_c_did_not_take_is_released_with_its_guard() {
    let _native = Native::start();
    let mut bag = Bag::new().unwrap();
    let first = Pool::new().unwrap();
    for _ in 0..2 {
        bag.add(first.item().unwrap()).unwrap();
    }
    let second = Pool::new().unwrap();
    assert!(bag.add(second.item().unwrap()).is_err());
    drop(second);
    assert_eq!(log(), ["release Item", "release Pool"]);
    drop((first, bag));
}

#[test]
fn child_that_goes_back_into_its_parent_does_not_keep_it() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    pool.take_back(pool.item().unwrap());
    drop(pool);
    assert_eq!(log(), ["release Item", "release Pool"]);
}

#[test]
fn child_that_a_function_ends_does_not_keep_its_parent() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    Item::finish(pool.item().unwrap());
    drop(pool);
    assert_eq!(log(), ["release Item", "release Pool"]);
}

#[test]
fn parent_of_a_child_that_became_another_handle_waits_for_that() {
    let _native = Native::start();
    let bag = {
        let pool = Pool::new().unwrap();
        Item::into_bag(pool.item().unwrap()).unwrap()
    };
    assert_eq!(log(), [""; 0]);
    drop(bag);
    assert_eq!(
        log(),
        [
            "release Item",
            "release Note",
            "release Bag",
            "release Pool"
        ]
    );
}

#[test]
fn forgotten_keeper_keeps_the_parents_of_what_c_keeps_in_it() {
    let mut native = Native::start();
    let mut bag = Bag::new().unwrap();
    let pool = Pool::new().unwrap();
    bag.add(pool.item().unwrap()).unwrap();
    forget(bag);
    drop(pool);
    assert_eq!(live("Pool"), 1);
    lost(&mut native, &["Pool", "Bag"]);
    native.loses("Item");
    native.loses("Note");
}

#[test]
fn handle_with_a_forgotten_child_is_not_given_to_c() {
    let mut native = Native::start();
    let pool = Pool::new().unwrap();
    let item = pool.item().unwrap();
    forget(item.tag().unwrap());
    let mut bag = Bag::new().unwrap();
    let message = panic_of(|| bag.add(item));
    assert_eq!(
        message,
        "a Item cannot be given to C while other handles live in it"
    );
    drop(bag);
    drop(pool);
    assert_eq!(log(), ["release Note", "release Bag"]);
    lost(&mut native, &["Pool", "Item", "Tag"]);
}

#[test]
fn handle_that_c_keeps_in_one_of_its_own_keeps_its_parent_until_the_lender_goes() {
    let _native = Native::start();
    let bag = Bag::new().unwrap();
    {
        let pool = Pool::new().unwrap();
        bag.note().unwrap().get().stick(pool.item().unwrap());
    }
    assert_eq!(live("Pool"), 1);
    drop(bag);
    assert_eq!(live("Pool"), 0);
}

#[test]
fn handle_that_was_lent_and_then_given_keeps_what_c_keeps_in_it() {
    let _native = Native::start();
    let mut bag = Bag::new().unwrap();
    // C's own, so far.
    assert!(bag.note().is_some());
    let note = bag.steal_note().unwrap();
    {
        let pool = Pool::new().unwrap();
        note.stick(pool.item().unwrap());
    }
    drop(bag);
    assert_eq!((live("Pool"), live("Item")), (1, 1));
    drop(note);
    assert_eq!(
        log(),
        [
            "release Bag",
            "release Item",
            "release Note",
            "release Pool"
        ]
    );
}

#[test]
fn handle_that_kept_others_before_it_was_given_keeps_them_afterwards() {
    let _native = Native::start();
    let mut bag = Bag::new().unwrap();
    {
        let pool = Pool::new().unwrap();
        bag.note().unwrap().get().stick(pool.item().unwrap());
    }
    let note = bag.steal_note().unwrap();
    drop(bag);
    assert_eq!(live("Pool"), 1);
    drop(note);
    assert_eq!(live("Pool"), 0);
}
