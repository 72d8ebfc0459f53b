//! Uses by callbacks, by the calls that they run in, and by reports.

use super::*;

#[test]
fn callback_of_an_outer_call_is_refused_what_an_inner_call_changes() {
    let _native = Native::start();
    Pool::observe(&Watch(|pool| match pool {
        // Nothing in this call says that C calls back.
        None => is_busy(Pool::new().unwrap().rebuild()),
        Some(pool) => note(format!("told {}", pool.peek())),
    }));
    assert_eq!(log(), ["busy", "release Pool"]);
}

#[test]
fn handle_of_a_callback_is_released_when_the_callback_has_returned() {
    let _native = Native::start();
    POOL.set(Some(Pool::new().unwrap()));
    Pool::last(&Look(|pool| {
        drop(POOL.take());
        note(format!("peek {}", pool.peek()));
    }));
    assert_eq!(log(), ["peek 1", "release Pool"]);
}

#[test]
fn closed_handle_of_a_callback_is_released_when_the_callback_has_returned() {
    let _native = Native::start();
    POOL.set(Some(Pool::new().unwrap()));
    Pool::last(&Look(|pool| {
        let closed = POOL.take().map(Owned::close);
        assert!(matches!(closed, Some(Ok(()))));
        note(format!("peek {}", pool.peek()));
    }));
    assert_eq!(log(), ["peek 1", "release Pool"]);
}

#[test]
fn handle_of_a_callback_is_not_changed_by_its_owner() {
    let _native = Native::start();
    POOL.set(Some(Pool::new().unwrap()));
    Pool::last(&Look(|_| {
        POOL.with_borrow_mut(|pool| is_busy(pool.as_mut().unwrap().rebuild()));
    }));
    POOL.with_borrow_mut(|pool| pool.as_mut().unwrap().rebuild().unwrap());
    drop(POOL.take());
    assert_eq!(log(), ["busy", "release Pool"]);
}

#[test]
fn handle_of_an_outer_callback_is_refused_to_an_inner_one_that_changes_it() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    pool.lend(&LookLent(|_| {
        Pool::last_edited(&EditLent(Lent::rebuild));
    }));
    assert_eq!(pool.peek(), 1, "the inner callback was refused");
    pool.edit(&EditLent(Lent::rebuild));
    assert_eq!(pool.peek(), 2);
}

#[test]
fn handle_that_c_reports_is_in_use_until_the_report_was_taken() {
    let _native = Native::start();
    let herald = Herald::new().unwrap();
    POOL.set(Some(Pool::new().unwrap()));
    ON_REPORT.set(|pool| {
        POOL.with_borrow_mut(|owner| is_busy(owner.as_mut().unwrap().rebuild()));
        drop(POOL.take());
        note(format!("peek {}", pool.peek()));
    });
    assert!(herald.cry().is_err());
    assert_eq!(log(), ["busy", "peek 1", "release Pool"]);
}

#[test]
fn handle_that_a_call_changes_is_not_reported() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    ON_REPORT.set(|pool| note(format!("peek {}", pool.peek())));
    pool.rebuild_with(&Run(|| assert!(Herald::new().unwrap().cry().is_err())));
    assert!(Herald::new().unwrap().cry().is_err());
    assert_eq!(log(), ["release Herald", "peek 1", "release Herald"]);
}

#[test]
fn handle_of_an_outer_callback_is_refused_to_an_inner_one_of_another_type() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    pool.lend(&LookLent(|_| {
        Pool::last_changed(&Change(LentToChange::rebuild));
    }));
    assert_eq!(pool.peek(), 1, "the inner callback was refused");
    pool.change(&Change(LentToChange::rebuild));
    assert_eq!(pool.peek(), 2);
}

#[test]
fn object_that_a_callback_has_by_another_type_is_not_changed() {
    let _native = Native::start();
    POOL.set(Some(Pool::new().unwrap()));
    Pool::last_lent(&LookLent(|_| {
        POOL.with_borrow_mut(|pool| is_busy(pool.as_mut().unwrap().rebuild()));
        POOL.with_borrow(|pool| note(format!("peek {}", pool.as_ref().unwrap().peek())));
        // What C lends to an inner callback to be changed is the object, too.
        Pool::last_changed(&Change(LentToChange::rebuild));
    }));
    POOL.with_borrow_mut(|pool| pool.as_mut().unwrap().rebuild().unwrap());
    assert_eq!(POOL.take().unwrap().peek(), 2);
    assert_eq!(log(), ["busy", "peek 1", "release Pool"]);
}

#[test]
fn object_that_a_callback_has_by_another_type_is_not_given_to_c() {
    let _native = Native::start();
    SHARED.set(Some(Shared::new().unwrap()));
    Pool::last_lent(&LookLent(|_| {
        is_busy(Shared::finish(SHARED.take().unwrap()))
    }));
    assert_eq!(log(), ["busy", "release Pool"]);
}

#[test]
fn call_that_changes_an_object_lets_its_callback_have_that_by_another_type() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    pool.rebuild_with(&Run(|| {
        Pool::last_lent(&LookLent(|_| note("looked")));
    }));
    assert_eq!(log(), ["looked"]);
    drop(pool);
}
