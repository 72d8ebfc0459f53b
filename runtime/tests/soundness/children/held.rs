//! Parents that a child holds (`parent = &mut P`).

use super::*;

fn busy<R>(result: Result<R>) {
    assert!(matches!(result, Err(Error::Held("Pool", "Audit"))));
}

#[test]
fn parent_that_a_forgotten_child_holds_is_busy_for_ever() {
    let mut native = Native::start();
    let mut pool = Pool::new().unwrap();
    forget(pool.audit().unwrap());
    busy(pool.size());
    busy(pool.audit());
    assert_eq!(
        panic_of(|| pool.audits()),
        Error::Held("Pool", "Audit").to_string()
    );
    drop(pool);
    lost(&mut native, &["Pool", "Audit"]);
}

#[test]
fn parent_that_a_child_holds_which_c_refused_to_release_is_busy_for_ever() {
    let mut native = Native::start();
    let mut pool = Pool::new().unwrap();
    pool.audit().unwrap().set_busy();
    busy(pool.size());
    drop(pool);
    lost(&mut native, &["Pool", "Audit"]);
}

#[test]
fn parent_that_a_child_of_c_s_holds_is_busy_until_c_releases_that() {
    let _native = Native::start();
    let mut safe = Safe::new().unwrap();
    let mut pool = Pool::new().unwrap();
    safe.keep(pool.audit().unwrap());
    busy(pool.size());
    drop(safe);
    assert_eq!(pool.size().unwrap(), 0);
}

#[test]
fn parent_is_free_after_the_child_that_held_it() {
    let _native = Native::start();
    let (mut pool, other) = (Pool::new().unwrap(), Pool::new().unwrap());
    let mut audit = pool.audit().unwrap();
    // Another pool is free meanwhile, and so is the child.
    assert_eq!(other.size().unwrap(), 0);
    assert!(audit.close().is_ok());
    audit = pool.audit().unwrap();
    drop(audit);
    assert_eq!((pool.size().unwrap(), pool.audits()), (0, 0));
}

#[test]
fn errors_of_the_call_that_made_a_holding_child_are_refused_the_parent() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    drop(pool.item().unwrap());
    assert_eq!(ASKED.take(), Some(true));
    drop(pool.audit().unwrap());
    assert_eq!(ASKED.take(), Some(false));
}
