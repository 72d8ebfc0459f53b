//! Parents whose children are not known to be released: forgotten guards, refused releases, handles that C keeps. A
//! parent is released after its last child, or never.

use std::cell::{Cell, RefCell};
use std::mem::{self, forget};
use std::rc::Rc;

use leakproof::prelude::*;

use crate::native::{self, Native, live, log};
use crate::panic_of;
use crate::pools as ffi;

/// Errors that ask the pool when a call on it succeeded.
#[derive(Default)]
struct Asking;

impl ErrorSource<Pool> for Asking {
    fn into_error(self, call: &CallInfo<'_, Pool>) -> Error {
        Error::Failed(call.function)
    }

    fn succeeded(self, call: &CallInfo<'_, Pool>) {
        // The question itself is a call, too.
        if call.function != "pool_size" {
            ASKED.set(call.handle().map(|pool| pool.size().is_ok()));
        }
    }
}

thread_local! {
    /// The answer of the pool.
    static ASKED: Cell<Option<bool>> = const { Cell::new(None) };
}

#[handle(raw = ffi::pool, release = ffi::pool_free, errors(Asking, asks_handle), fork_safe)]
struct Pool;

#[handle(raw = ffi::page, part_of = Pool, owner_field = pool)]
struct Page;

#[handle(
    raw = ffi::item,
    release(ffi::item_free, fails = nonzero, on_failure = kept),
    parent = Pool,
    fork_safe
)]
struct Item;

/// An item of two pools.
#[handle(raw = ffi::item, release = ffi::item_free, parent = (Pool, Pool), fork_safe)]
struct SharedItem;

#[handle(raw = ffi::tag, release = ffi::tag_free, parent = Item, fork_safe)]
struct Tag;

#[handle(raw = ffi::bag, release = ffi::bag_free, fork_safe)]
struct Bag;

#[handle(
    raw = ffi::audit,
    release(ffi::audit_free, fails = nonzero, on_failure = kept),
    parent = &mut Pool,
    fork_safe
)]
struct Audit;

#[handle(raw = ffi::chest, release = ffi::chest_free, fork_safe)]
struct Safe;

#[methods(unsafe, rust_only)]
impl Audit {
    #[calls(ffi::audit_set_busy)]
    fn set_busy(&mut self);
}

#[methods(unsafe, rust_only)]
impl Safe {
    #[calls(ffi::chest_new, fails = null)]
    fn new() -> Result<Owned<Safe>>;

    #[calls(ffi::chest_keep, consumes = always)]
    fn keep(&mut self, audit: Owned<Audit>);
}

#[handle(raw = ffi::note, release = ffi::note_free, fork_safe)]
struct Note;

#[handle(raw = ffi::line, release = ffi::line_free, parent = Note, fork_safe)]
struct Line;

#[handle(raw = ffi::sheet, retain = ffi::sheet_ref, release = ffi::sheet_unref, independent, fork_safe)]
struct Sheet;

#[handle(raw = ffi::pen, release = ffi::pen_free, parent = Sheet, fork_safe)]
struct Pen;

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Pool>>;

    #[calls(ffi::pool_page)]
    fn page(&self) -> Option<Borrowed<Page>>;

    #[calls(ffi::pool_item, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;

    #[calls(ffi::pool_shared_item, keep_alive = (peer), fails = null)]
    fn shared_item(&self, peer: &Pool) -> Result<Owned<SharedItem>>;

    #[calls(ffi::audit_new, fails = null)]
    fn audit(&mut self) -> Result<Owned<Audit>>;

    #[calls(ffi::pool_size, fails = negative)]
    fn size(&self) -> Result<i32>;

    #[field(audits)]
    fn audits(&self) -> i32;

    #[calls(ffi::pool_take_back, consumes = always)]
    fn take_back(&self, item: Owned<Item>);
}

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_item, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;
}

#[methods(unsafe, rust_only)]
impl Item {
    #[calls(ffi::item_set_busy)]
    fn set_busy(&mut self, busy: bool);

    #[calls(ffi::item_tag, fails = null)]
    fn tag(&self) -> Result<Owned<Tag>>;

    #[calls(ffi::item_free, consumes = always)]
    fn finish(this: Owned<Item>) -> ();

    #[calls(ffi::bag_of, consumes = always, fails = null)]
    fn into_bag(this: Owned<Item>) -> Result<Owned<Bag>>;
}

#[methods(unsafe, rust_only)]
impl Tag {
    #[calls(ffi::tag_item)]
    fn item(&self) -> Option<Borrowed<Item>>;
}

#[methods(unsafe, rust_only)]
impl Bag {
    #[calls(ffi::bag_noted, fails = null)]
    fn new() -> Result<Owned<Bag>>;

    #[calls(ffi::bag_fill, consumes = on_success, fails = nonzero)]
    fn add(&mut self, item: Owned<Item>) -> Result<()>;

    #[calls(ffi::bag_note)]
    fn note(&self) -> Option<Borrowed<Note>>;

    #[calls(ffi::bag_steal_note, fails = null)]
    fn steal_note(&mut self) -> Result<Owned<Note>>;

    #[field(note)]
    fn note_field(&self) -> Option<Borrowed<Note>>;

    #[calls(ffi::bag_note, args = (bag))]
    fn note_of(bag: &Bag) -> Option<Borrowed<Note>>;
}

#[methods(unsafe, rust_only)]
impl Note {
    #[calls(ffi::note_line, fails = null)]
    fn line(&self) -> Result<Owned<Line>>;

    #[calls(ffi::note_stick, consumes = always)]
    fn stick(&self, item: Owned<Item>);
}

#[methods(unsafe, rust_only)]
impl Line {
    #[calls(ffi::line_note)]
    fn note(&self) -> Option<Borrowed<Note>>;
}

#[methods(unsafe, rust_only)]
impl Sheet {
    #[calls(ffi::sheet_new, fails = null)]
    fn new() -> Result<Owned<Sheet>>;

    #[calls(ffi::sheet_pen, fails = null)]
    fn pen(&self) -> Result<Owned<Pen>>;
}

/// The parent and the child are lost for ever.
fn lost(native: &mut Native, names: &[&'static str]) {
    for name in names {
        native.loses(name);
        native.counts(name);
    }
}

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
        message.contains("a Pool is not released yet, because a Item that lives in it was not"),
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
fn close_of_a_parent_whose_child_c_keeps_is_put_off() {
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

#[test]
fn errors_of_the_call_that_made_a_holding_child_are_refused_the_parent() {
    let _native = Native::start();
    let mut pool = Pool::new().unwrap();
    drop(pool.item().unwrap());
    assert_eq!(ASKED.take(), Some(true));
    drop(pool.audit().unwrap());
    assert_eq!(ASKED.take(), Some(false));
}
