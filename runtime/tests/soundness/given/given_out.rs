//! Handles that C gives out again.

use super::*;

#[test]
fn handle_that_c_gives_out_again_keeps_what_it_kept() {
    let ways: [fn(&mut Crate) -> Owned<'static, Bag>; 3] = [
        |r#box| {
            r#box.put(full_bag());
            r#box.pop().unwrap()
        },
        |r#box| r#box.turn(full_bag()).unwrap(),
        |r#box| {
            r#box.put(Bag::new().unwrap());
            let top = r#box.top().unwrap();
            top.add_shared(Pool::new().unwrap().item().unwrap());
            r#box.pop().unwrap()
        },
    ];
    for way in ways {
        let _native = Native::start();
        let mut r#box = Crate::new().unwrap();
        let bag = way(&mut r#box);
        drop(r#box);
        assert_eq!(live("Pool"), 1);
        drop(bag);
        assert_eq!(live("Pool"), 0);
    }
}

#[test]
fn handle_that_c_gives_out_as_another_type_keeps_what_it_kept() {
    let _native = Native::start();
    let mut r#box = Crate::new().unwrap();
    r#box.put(full_bag());
    let sack = r#box.pop_sack().unwrap();
    drop(r#box);
    assert_eq!(live("Pool"), 1);
    drop(sack);
    assert_eq!(live("Pool"), 0);
}

#[test]
fn handle_that_c_gives_out_after_a_refused_release_keeps_what_it_kept() {
    let _native = Native::start();
    let mut r#box = Crate::new().unwrap();
    r#box.put(full_bag());
    r#box.set_busy(true);
    let mut r#box = r#box.close().unwrap_err().1.unwrap();
    r#box.set_busy(false);
    let bag = r#box.pop().unwrap();
    drop(r#box);
    assert_eq!(live("Pool"), 1);
    drop(bag);
    assert_eq!(live("Pool"), 0);
}

#[test]
fn what_a_handle_kept_keeps_that_when_it_came_out_again() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    let mut bag = Bag::new().unwrap();
    bag.add(pool.item().unwrap());
    pool.keep(bag);
    let bag = pool.bag().unwrap();
    drop(pool);
    assert_eq!(log(), [""; 0]);
    drop(bag);
    assert_eq!(log(), ["release Item", "release Bag", "release Pool"]);
}
