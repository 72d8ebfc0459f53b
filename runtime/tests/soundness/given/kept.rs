//! Handles that C keeps in others, or gets from callbacks.

use super::*;

#[test]
fn parent_waits_for_each_handle_of_a_result_that_may_keep_its_child() {
    for second_first in [false, true] {
        let _native = Native::start();
        let (one, two) = Bag::two(Pool::new().unwrap().item().unwrap()).unwrap();
        let (one, two) = if second_first { (two, one) } else { (one, two) };
        drop(one);
        assert_eq!(live("Pool"), 1);
        drop(two);
        assert_eq!(live("Pool"), 0);
    }
}

#[test]
fn parent_of_what_an_object_with_several_owners_keeps_is_leaked() {
    let mut native = Native::start();
    let mut sheet = Sheet::new().unwrap();
    sheet.put(full_bag());
    drop(sheet.clone());
    drop(sheet);
    assert_eq!(
        log(),
        ["release Item", "release Bag", "release Sheet"],
        "C may have owners of its own"
    );
    lost(&mut native, &["Pool"], &["Pool"]);
}

#[test]
fn object_with_several_owners_may_keep_what_lives_in_nothing() {
    let _native = Native::start();
    let mut sheet = Sheet::new().unwrap();
    sheet.put(Bag::new().unwrap());
}

#[test]
fn parent_of_what_a_callback_gave_is_leaked() {
    let mut native = Native::start();
    Crate::new().unwrap().ask(&Maker);
    assert_eq!(log(), ["release Item", "release Bag", "release Box"]);
    lost(&mut native, &["Pool"], &["Pool"]);
}

#[test]
fn handle_that_c_gives_to_a_callback_that_does_not_run_is_released() {
    let _native = Native::start();
    let r#box = Crate::new().unwrap();
    // The first text cannot be converted, and then no more is called.
    r#box.give(&Taker);
    assert_eq!(log(), ["release Bag", "release Bag"]);
}

#[test]
fn child_of_ours_is_given_to_c_in_a_callback_with_its_parent() {
    let _native = Native::start();
    let r#box = Crate::new().unwrap();
    let note = Note::new().unwrap();
    r#box.show_yours(&note, &Viewer);
    let shop = Shop::new().unwrap();
    r#box.show_yours(shop.shelf().unwrap().get().note().unwrap().get(), &Viewer);
    drop((note, shop));
    assert_eq!((live("Note"), live("Shop")), (2, 1));
    drop(BAG.take());
    assert_eq!((live("Note"), live("Shop")), (0, 0));
}

#[test]
fn what_a_handle_keeps_goes_with_it_although_it_lives_in_it() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    let mut bag = Bag::new().unwrap();
    bag.add(pool.item().unwrap());
    pool.keep(bag);
    drop(pool);
    assert_eq!(log(), ["release Item", "release Bag", "release Pool"]);
}

#[test]
fn handles_that_keep_each_other_are_an_error_of_the_last() {
    let mut native = Native::start();
    let (mut one, mut two) = (Pool::new().unwrap(), Pool::new().unwrap());
    let mut bags = (Bag::new().unwrap(), Bag::new().unwrap());
    bags.0.add(two.item().unwrap());
    bags.1.add(one.item().unwrap());
    one.keep(bags.0);
    two.keep(bags.1);
    assert!(one.close().is_ok());
    let message = two.close().unwrap_err().0.to_string();
    assert!(
        message.contains("a Pool is never released: C keeps a child of it in a "),
        "{message}"
    );
    lost(&mut native, &["Pool", "Pool"], &["Pool", "Pool"]);
    lost(&mut native, &["Bag", "Bag", "Item", "Item"], &[]);
}

#[test]
fn child_that_is_made_when_its_parent_is_released_keeps_that() {
    for closes in [false, true] {
        let mut native = Native::start();
        let pool = Pool::new().unwrap();
        MEDDLE.set(Some(keep_item));
        match closes {
            // The error comes with the handle.
            true => drop(pool.close().unwrap_err().1.unwrap()),
            false => {
                drop(pool);
                lost(&mut native, &["Pool"], &["Pool"]);
            }
        }
        assert_eq!(live("Pool"), 1);
        drop(BAG.take());
    }
}

#[test]
fn handle_in_which_a_child_is_made_on_its_way_to_c_stays() {
    let calls: [fn(&Pool, Owned<'_, Item>); 2] = [
        |pool, item| {
            MEDDLE.set(Some(|pool| {
                keep_tag(pool);
            }));
            let _ = pool.take_back(item);
        },
        |pool, item| pool.take_tagged(item),
    ];
    for call in calls {
        let _native = Native::start();
        let pool = Pool::new().unwrap();
        let message = panic_of(|| call(&pool, pool.item().unwrap()));
        assert!(
            message.contains("a Tag cannot be given to C: it lives in a Item"),
            "{message}"
        );
        drop(pool);
        drop(BAG.take());
    }
}
