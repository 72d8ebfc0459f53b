//! Uses of an object through its owners, and of the parents of its children.

use super::*;

#[test]
fn field_of_an_object_is_in_use_until_it_is_retained() {
    let _native = Native::start();
    let one = Shared::new().unwrap();
    let mut same = one.clone();
    ON_REF.set(Some(Box::new(move || is_busy(same.rebuild()))));
    drop(one.again());
    drop(one);
    assert_eq!(log(), ["busy", "release Pool"]);
}

#[test]
fn object_is_in_use_until_what_a_call_returned_is_retained() {
    let calls: [fn(&Shared); 2] = [|one| drop(one.same()), |one| drop(one.try_same())];
    for call in calls {
        let _native = Native::start();
        let one = Shared::new().unwrap();
        let mut same = one.clone();
        ON_REF.set(Some(Box::new(move || is_busy(same.rebuild()))));
        call(&one);
        let mut same = one.clone();
        same.rebuild().unwrap();
        drop((one, same));
        assert_eq!(log(), ["busy", "release Pool"]);
    }
}

#[test]
fn owner_that_is_given_to_c_uses_the_object() {
    let _native = Native::start();
    let mut one = Shared::new().unwrap();
    SHARED.set(Some(one.clone()));
    one.rebuild_with(&Run(|| {
        is_busy(Shared::finish(SHARED.take().unwrap()));
    }));
    let same = one.clone();
    is_busy(one.assign(same));
    assert_eq!(Shared::finish(one).unwrap(), 1);
    assert_eq!(log(), ["busy", "busy", "release Pool"]);
}

#[test]
fn call_on_a_child_uses_a_second_parent() {
    let _native = Native::start();
    let (pool, shared) = (Pool::new().unwrap(), Shared::new().unwrap());
    let item = pool.item_of(&shared).unwrap();
    SHARED.set(Some(shared.clone()));
    item.visit(&Run(|| {
        let mut same = SHARED.take().unwrap();
        is_busy(same.rebuild());
    }));
    assert_eq!(log(), ["busy"]);
}

#[test]
fn child_of_an_object_is_released_when_that_was_changed() {
    let _native = Native::start();
    let shared: &'static _ = Box::leak(Box::new(Shared::new().unwrap()));
    let mut same = shared.clone();
    CHILD.set(Some(shared.item().unwrap()));
    same.rebuild_with(&Run(|| {
        drop(CHILD.take());
        note("dropped");
    }));
    assert_eq!(log(), ["dropped", "release Item"]);
    drop(same);
    // SAFETY: the box was leaked above, and nothing borrows it any more.
    drop(unsafe { Box::from_raw(std::ptr::from_ref(shared).cast_mut()) });
}

#[test]
fn child_of_an_object_is_released_when_no_other_child_holds_that() {
    let _native = Native::start();
    let shared = Shared::new().unwrap();
    let mut same = shared.clone();
    let item = shared.item().unwrap();
    let audit = same.audit().unwrap();
    drop(item);
    assert_eq!(log(), Vec::<String>::new());
    drop(audit);
    assert_eq!(log(), ["release Audit", "release Item"]);
}
