//! Parents of children whose guards were forgotten, and of children whose release C refused.

use super::*;

#[test]
fn parent_of_a_forgotten_child_is_not_released() {
    let mut native = Native::start();
    let pool = Pool::new().unwrap();
    forget(pool.item().unwrap());
    drop(pool);
    assert_eq!((live("Pool"), live("Item")), (1, 1));
    lost(&mut native, &["Pool", "Item"]);
}

#[test]
fn close_of_a_parent_says_that_a_child_was_forgotten() {
    let mut native = Native::start();
    let pool = Pool::new().unwrap();
    forget(pool.item().unwrap());
    let (error, handle) = pool.close().unwrap_err();
    assert!(handle.is_none());
    let message = error.to_string();
    assert!(
        message.contains("the release of a Pool waits for a Item that lives in it"),
        "{message}"
    );
    lost(&mut native, &["Pool", "Item"]);
}

#[test]
fn ancestors_of_a_forgotten_grandchild_are_not_released() {
    let mut native = Native::start();
    let pool = Pool::new().unwrap();
    let item = pool.item().unwrap();
    forget(item.tag().unwrap());
    drop(item);
    drop(pool);
    assert_eq!(log(), [""; 0]);
    lost(&mut native, &["Pool", "Item", "Tag"]);
}

#[test]
fn parent_of_a_leaked_box_is_not_released() {
    let mut native = Native::start();
    let pool = Pool::new().unwrap();
    let item = Box::leak(Box::new(pool.item().unwrap()));
    item.set_busy(false);
    native::leaks(item);
    drop(pool);
    lost(&mut native, &["Pool", "Item"]);
}

#[test]
fn parent_of_a_guard_in_a_cycle_is_not_released() {
    #[allow(dead_code, reason = "it refers to itself")]
    struct Node<'p>(Owned<'p, Item>, RefCell<Option<Rc<Node<'p>>>>);

    fn cycle(pool: &Pool) {
        let node = Rc::new(Node(pool.item().unwrap(), RefCell::default()));
        node.1.replace(Some(node.clone()));
        native::leaks(Rc::as_ptr(&node));
    }
    let mut native = Native::start();
    let pool = Pool::new().unwrap();
    cycle(&pool);
    drop(pool);
    lost(&mut native, &["Pool", "Item"]);
}

#[test]
fn parent_of_a_child_whose_release_c_refused_is_not_released() {
    let mut native = Native::start();
    let pool = Pool::new().unwrap();
    let mut item = pool.item().unwrap();
    item.set_busy(true);
    drop(item);
    assert_eq!(log(), ["refused"]);
    drop(pool);
    assert_eq!(log(), [""; 0]);
    lost(&mut native, &["Pool", "Item"]);
}

#[test]
fn child_that_is_closed_after_c_refused_it_frees_its_parent() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    let mut item = pool.item().unwrap();
    item.set_busy(true);
    let (_, item) = item.close().unwrap_err();
    let mut item = item.unwrap();
    item.set_busy(false);
    drop(item);
    drop(pool);
    assert_eq!(log(), ["refused", "release Item", "release Pool"]);
}

#[test]
fn both_parents_of_a_forgotten_child_are_not_released() {
    let mut native = Native::start();
    let (pool, peer) = (Pool::new().unwrap(), Pool::new().unwrap());
    forget(pool.shared_item(&peer).unwrap());
    drop(peer);
    drop(pool);
    assert_eq!(live("Pool"), 2);
    lost(&mut native, &["Pool", "Pool"]);
    native.loses("Item");
    native.counts("SharedItem");
}

#[test]
fn both_parents_are_released_after_a_child() {
    let _native = Native::start();
    let (pool, peer) = (Pool::new().unwrap(), Pool::new().unwrap());
    let item = pool.shared_item(&peer).unwrap();
    drop(item);
    drop((pool, peer));
    assert_eq!(log(), ["release Item", "release Pool", "release Pool"]);
}

#[test]
fn child_that_was_made_through_a_part_keeps_the_owner() {
    let mut native = Native::start();
    let pool = Pool::new().unwrap();
    forget(pool.page().unwrap().item().unwrap());
    drop(pool);
    lost(&mut native, &["Pool", "Item"]);
}

#[test]
fn lender_of_the_parent_of_a_forgotten_child_is_not_released() {
    let ways: [fn(&Bag) -> &Note; 3] = [
        |bag| bag.note().unwrap().get(),
        |bag| bag.note_field().unwrap().get(),
        |bag| Bag::note_of(bag).unwrap().get(),
    ];
    let mut native = Native::start();
    for note in ways {
        let bag = Bag::new().unwrap();
        forget(note(&bag).line().unwrap());
        drop(bag);
        lost(&mut native, &["Bag", "Line"]);
        native.loses("Note");
    }
    assert_eq!(log(), [""; 0]);
}

#[test]
fn lender_of_a_parent_is_released_after_the_children() {
    let _native = Native::start();
    let bag = Bag::new().unwrap();
    let line = bag.note().unwrap().get().line().unwrap();
    let second = line.note().unwrap().get().line().unwrap();
    drop(second);
    drop(line);
    drop(bag);
    assert_eq!(
        log(),
        [
            "release Line",
            "release Line",
            "release Note",
            "release Bag"
        ]
    );
}

#[test]
fn child_that_lends_its_own_parent_is_released_before_other_children() {
    let _native = Native::start();
    let pool = Pool::new().unwrap();
    let item = pool.item().unwrap();
    let tag = item.tag().unwrap();
    let lent = tag.item().unwrap().get().tag().unwrap();
    drop(lent);
    drop(tag);
    drop(item);
    drop(pool);
    assert_eq!(
        log(),
        ["release Tag", "release Tag", "release Item", "release Pool"]
    );
}

#[test]
fn counted_parent_stays_as_long_as_a_forgotten_child() {
    let mut native = Native::start();
    let sheet = Sheet::new().unwrap();
    forget(sheet.pen().unwrap());
    drop(sheet);
    assert_eq!((live("Sheet"), live("Pen")), (1, 1));
    native.loses("Sheet");
    lost(&mut native, &["Pen"]);
}

#[test]
fn counted_parent_goes_with_its_last_owner() {
    let _native = Native::start();
    let sheet = Sheet::new().unwrap();
    let second = sheet.clone();
    let pen = sheet.pen().unwrap();
    drop(second);
    drop(pen);
    assert_eq!(live("Sheet"), 1);
    drop(sheet);
    assert_eq!(log(), ["release Pen", "release Sheet"]);
}

#[test]
fn address_of_a_released_child_is_that_of_another_parent_s_child() {
    let _native = Native::start();
    for _ in 0..3 {
        let pool = Pool::new().unwrap();
        let items: Vec<_> = (0..10).map(|_| pool.item().unwrap()).collect();
        drop(items);
        drop(pool);
        assert_eq!(live("Pool"), 0);
    }
    mem::drop(log());
}

#[test]
fn parents_on_several_threads_share_the_table() {
    let _native = Native::start();
    let threads: Vec<_> = (0..4)
        .map(|_| {
            std::thread::spawn(|| {
                for _ in 0..1000 {
                    let pool = Pool::new().unwrap();
                    let items: Vec<_> = (0..3).map(|_| pool.item().unwrap()).collect();
                    drop(items);
                    drop(pool);
                    assert_eq!(native::live("Pool"), 0);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}
