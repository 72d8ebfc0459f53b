//! Uses of handles that C keeps in others.

use super::*;

/// A pool, and a bag in which C keeps an item of it.
fn kept() -> (Owned<'static, Pool>, Owned<'static, Bag>) {
    let (pool, mut bag) = (Pool::new().unwrap(), Bag::new().unwrap());
    bag.add(pool.item().unwrap());
    (pool, bag)
}

#[test]
fn keeper_is_not_used_while_what_it_keeps_is_changed() {
    let _native = Native::start();
    let (mut pool, bag) = kept();
    BAG.set(Some(bag));
    pool.rebuild_with(&Run(|| {
        BAG.with_borrow(|bag| is_busy(bag.as_ref().unwrap().sum()));
    }));
    assert_eq!(BAG.take().unwrap().sum().unwrap(), 1);
}

#[test]
fn keeper_that_may_be_another_is_not_used_while_what_it_keeps_is_changed() {
    let _native = Native::start();
    let (mut pool, bag) = kept();
    let (one, two) = Bag::split(bag);
    BAG.set(Some(one));
    pool.rebuild_with(&Run(|| {
        BAG.with_borrow(|bag| is_busy(bag.as_ref().unwrap().sum()));
    }));
    assert_eq!(BAG.take().unwrap().sum().unwrap(), 1);
    assert_eq!(two.sum().unwrap(), 0);
}

#[test]
fn keeper_is_released_when_what_it_keeps_was_changed() {
    let _native = Native::start();
    let (mut pool, bag) = kept();
    BAG.set(Some(bag));
    pool.rebuild_with(&Run(|| {
        drop(BAG.take());
        note("dropped");
    }));
    assert_eq!(log(), ["dropped", "release Item", "release Bag"]);
}

#[test]
fn keeper_is_released_when_no_child_holds_what_it_keeps() {
    let _native = Native::start();
    let (mut pool, bag) = kept();
    let audit = pool.audit().unwrap();
    drop(bag);
    assert_eq!(log(), Vec::<String>::new());
    drop(audit);
    assert_eq!(log(), ["release Audit", "release Item", "release Bag"]);
}
