//! Handles that C was given: what they live in, and what C keeps in them, stays as long as C keeps them, wherever that is.

use std::cell::{Cell, RefCell};
use std::mem::forget;

use leakproof::ErrorSink;
use leakproof::prelude::*;

use crate::native::{Native, live, log};
use crate::panic_of;
use crate::pools as ffi;

/// Errors that run code of the test before each call.
#[derive(Default)]
struct Meddling;

impl ErrorSource<Pool> for Meddling {
    fn before_call(&mut self, call: &CallInfo<'_, Pool>) {
        if let (Some(pool), Some(meddle)) = (call.handle(), MEDDLE.take()) {
            meddle(pool);
        }
    }

    fn into_error(self, call: &CallInfo<'_, Pool>) -> Error {
        Error::Failed(call.function)
    }
}

thread_local! {
    /// What the next call on a pool is preceded by.
    static MEDDLE: Cell<Option<fn(&Pool)>> = const { Cell::new(None) };
    /// The bag of the test.
    static BAG: RefCell<Option<Owned<'static, Bag>>> = const { RefCell::new(None) };
}

fn with_bag<R>(f: impl FnOnce(&mut Bag) -> R) -> R {
    BAG.with_borrow_mut(|bag| f(bag.get_or_insert_with(|| Bag::new().unwrap())))
}

/// Gives C an item of the pool.
fn keep_item(pool: &Pool) {
    let item = pool.item().unwrap();
    with_bag(|bag| bag.add(item));
}

/// Gives C a tag of the pool's first item.
fn keep_tag(pool: &Pool) -> i32 {
    let tag = pool.first().unwrap().get().tag().unwrap();
    with_bag(|bag| bag.add_tag(tag));
    0
}

#[handle(
    raw = ffi::pool,
    release(ffi::pool_free, fails = nonzero, on_failure = kept),
    errors(Meddling, asks_handle),
    fork_safe
)]
struct Pool;

#[handle(raw = ffi::item, release = ffi::item_free, parent = Pool, fork_safe)]
struct Item;

#[handle(raw = ffi::tag, release = ffi::tag_free, parent = Item, fork_safe)]
struct Tag;

#[handle(raw = ffi::bag, release = ffi::bag_free, fork_safe)]
struct Bag;

/// A bag, as another type.
#[handle(raw = ffi::bag, release = ffi::bag_free, fork_safe)]
struct Sack;

#[handle(raw = ffi::r#box, release(ffi::box_free, fails = nonzero, on_failure = kept), fork_safe)]
struct Crate;

#[handle(raw = ffi::sheet, retain = ffi::sheet_ref, release = ffi::sheet_unref, independent, fork_safe)]
struct Sheet;

#[handle(raw = ffi::shop, release = ffi::shop_free, fork_safe)]
struct Shop;

#[handle(raw = ffi::shelf, release = ffi::shelf_free, fork_safe)]
struct Shelf;

#[handle(raw = ffi::note, release = ffi::note_free, fork_safe)]
struct Note;

#[handle(raw = ffi::line, release = ffi::line_free, parent = Note, fork_safe)]
struct Line;

/// A note, as a type that C lends through a [`Desk`] alone.
#[handle(raw = ffi::note, release = ffi::note_free, fork_safe)]
struct Slip;

#[handle(raw = ffi::line, release = ffi::line_free, parent = Slip, fork_safe)]
struct SlipLine;

/// What C lends to a callback.
#[handle(raw = ffi::desk, callback_only)]
struct Desk;

/// A note, as a type that C shows in its reports alone.
#[handle(raw = ffi::note, release = ffi::note_free, fork_safe)]
struct RecordNote;

#[handle(raw = ffi::line, release = ffi::line_free, parent = RecordNote, fork_safe)]
struct RecordLine;

#[handle(raw = ffi::teller, release = ffi::teller_free, errors(Told, callback = report), fork_safe)]
struct Teller;

/// Errors that give C a line of the note that C reports.
#[derive(Default)]
struct Told;

impl ErrorSink for Told {
    type Record = RecordNote;

    fn record(&mut self, note: &RecordNote) {
        let line = note.line().unwrap();
        with_bag(|bag| bag.add_record_line(line));
    }
}

impl ErrorSource<Teller> for Told {
    fn into_error(self, call: &CallInfo<'_, Teller>) -> Error {
        Error::Failed(call.function)
    }
}

#[methods(unsafe, rust_only)]
impl Teller {
    #[calls(ffi::teller_new, fails = null)]
    fn new() -> Result<Owned<Teller>>;

    #[calls(ffi::teller_fail, fails = nonzero)]
    fn fail(&self) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl RecordNote {
    #[calls(ffi::note_line, fails = null)]
    fn line(&self) -> Result<Owned<RecordLine>>;
}

#[methods(unsafe, rust_only)]
impl Slip {
    #[calls(ffi::note_line, fails = null)]
    fn line(&self) -> Result<Owned<SlipLine>>;
}

#[methods(unsafe, rust_only)]
impl Pool {
    #[calls(ffi::pool_new, fails = null)]
    fn new() -> Result<Owned<Pool>>;

    #[calls(ffi::pool_item, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;

    #[calls(ffi::pool_first)]
    fn first(&self) -> Option<Borrowed<Item>>;

    #[calls(ffi::pool_take_back_as, args = (self, item, 0), consumes = always, fails = nonzero)]
    fn take_back(&self, item: Owned<Item>) -> Result<()>;

    #[calls(ffi::pool_take_back_as, args = (self, item, keep_tag(self)), consumes = always)]
    fn take_tagged(&self, item: Owned<Item>);

    #[calls(ffi::pool_keep, consumes = always)]
    fn keep(&mut self, bag: Owned<Bag>);

    #[calls(ffi::pool_bag)]
    fn bag(&mut self) -> Option<Owned<Bag>>;
}

#[methods(unsafe, rust_only)]
impl Item {
    #[calls(ffi::item_tag, fails = null)]
    fn tag(&self) -> Result<Owned<Tag>>;
}

#[methods(unsafe, rust_only)]
impl Bag {
    #[calls(ffi::bag_new, fails = null)]
    fn new() -> Result<Owned<Bag>>;

    #[calls(ffi::bag_add, consumes = always)]
    fn add(&mut self, item: Owned<Item>);

    #[calls(ffi::bag_add, consumes = always)]
    fn add_shared(&self, item: Owned<Item>);

    #[calls(ffi::bag_add_tag, consumes = always)]
    fn add_tag(&mut self, tag: Owned<Tag>);

    #[calls(ffi::bag_add_line, consumes = always)]
    fn add_line(&mut self, line: Owned<Line>);

    #[calls(ffi::shop_note_of)]
    fn note_in(shop: Option<&Shop>) -> Option<Borrowed<Note>>;

    #[calls(ffi::shop_note_of)]
    fn note_of(shop: Option<&mut Shop>) -> Option<Borrowed<Note>>;

    #[calls(ffi::desk_note)]
    fn note_on(desk: Option<&Desk>) -> Option<Borrowed<Slip>>;

    #[calls(ffi::bag_add_line, consumes = always)]
    fn add_slip_line(&mut self, line: Owned<SlipLine>);

    #[calls(ffi::bag_add_line, consumes = always)]
    fn add_record_line(&mut self, line: Owned<RecordLine>);

    #[calls(ffi::bag_greater)]
    fn greater(one: &Bag, two: &Bag) -> Option<Borrowed<Bag>>;

    #[calls(
        ffi::two_bags,
        args = (item, out, out),
        consumes = always,
        fails = nonzero,
        on_failure = null
    )]
    fn two(item: Owned<Item>) -> Result<(Owned<Bag>, Owned<Bag>)>;
}

#[methods(unsafe, rust_only)]
impl Crate {
    #[calls(ffi::box_new, fails = null)]
    fn new() -> Result<Owned<Crate>>;

    #[calls(ffi::box_set_busy)]
    fn set_busy(&mut self, is_busy: bool);

    #[calls(ffi::box_put, consumes = always)]
    fn put(&mut self, bag: Owned<Bag>);

    #[calls(ffi::box_pop)]
    fn pop(&mut self) -> Option<Owned<Bag>>;

    #[calls(ffi::box_pop)]
    fn pop_sack(&mut self) -> Option<Owned<Sack>>;

    #[calls(ffi::box_top)]
    fn top(&self) -> Option<Borrowed<Bag>>;

    #[calls(ffi::box_turn, consumes = always, fails = null)]
    fn turn(&self, bag: Owned<Bag>) -> Result<Owned<Bag>>;

    #[calls(ffi::box_ask, args = (self, maker.make, maker.data))]
    fn ask(&self, maker: &Maker);

    #[calls(ffi::box_show_desk, args = (self, viewer.see_desk, viewer.data))]
    fn show_desk(&self, viewer: &Viewer);

    #[calls(ffi::box_give, args = (self, taker.take, taker.data))]
    fn give(&self, taker: &Taker);

    #[calls(ffi::box_show, args = (self, viewer.see, viewer.data))]
    fn show(&self, viewer: &Viewer);

    #[calls(ffi::box_show_yours, args = (self, note, viewer.see, viewer.data))]
    fn show_yours(&self, note: &Note, viewer: &Viewer);
}

#[methods(unsafe, rust_only)]
impl Sheet {
    #[calls(ffi::sheet_new, fails = null)]
    fn new() -> Result<Owned<Sheet>>;

    #[calls(ffi::sheet_put, consumes = always)]
    fn put(&mut self, bag: Owned<Bag>);
}

#[methods(unsafe, rust_only)]
impl Shop {
    #[calls(ffi::shop_new, fails = null)]
    fn new() -> Result<Owned<Shop>>;

    #[calls(ffi::shop_shelf)]
    fn shelf(&self) -> Option<Borrowed<Shelf>>;
}

#[methods(unsafe, rust_only)]
impl Shelf {
    #[calls(ffi::shelf_note)]
    fn note(&self) -> Option<Borrowed<Note>>;
}

#[methods(unsafe, rust_only)]
impl Note {
    #[calls(ffi::note_new, fails = null)]
    fn new() -> Result<Owned<Note>>;

    #[calls(ffi::note_line, fails = null)]
    fn line(&self) -> Result<Owned<Line>>;

    #[calls(ffi::note_stick, consumes = always)]
    fn stick(&self, item: Owned<Item>);
}

#[derive(Attachment)]
struct Maker;

#[callbacks(unsafe)]
impl Maker {
    #[callback(ffi::make_t, args = (data))]
    fn make(&self) -> Option<Owned<'static, Bag>> {
        Some(full_bag())
    }
}

#[derive(Attachment)]
struct Taker;

#[callbacks(unsafe)]
impl Taker {
    #[callback(ffi::take_t, args = (text, bag, data))]
    fn take(&self, text: String, bag: Owned<'_, Bag>) {
        drop((text, bag));
    }
}

#[derive(Attachment)]
struct Viewer;

#[callbacks(unsafe)]
impl Viewer {
    #[callback(ffi::see_desk_t, args = (desk, data))]
    fn see_desk(&self, desk: &Desk) {
        let line = Bag::note_on(Some(desk)).unwrap().get().line().unwrap();
        with_bag(|bag| bag.add_slip_line(line));
    }

    #[callback(ffi::see_t, args = (note, data))]
    fn see(&self, note: &Note) {
        let line = note.line().unwrap();
        with_bag(|bag| bag.add_line(line));
    }
}

/// A bag with an item of a pool that nobody else has.
fn full_bag() -> Owned<'static, Bag> {
    let mut bag = Bag::new().unwrap();
    bag.add(Pool::new().unwrap().item().unwrap());
    assert_eq!(live("Pool"), 1);
    bag
}

/// These are lost for ever.
fn lost(native: &mut Native, names: &[&'static str], counted: &[&'static str]) {
    names.iter().for_each(|name| native.loses(name));
    counted.iter().for_each(|name| native.counts(name));
}

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
fn child_of_what_c_lends_to_a_callback_is_not_given_to_c() {
    let _native = Native::start();
    let r#box = Crate::new().unwrap();
    let message = panic_of(|| r#box.show(&Viewer));
    assert!(
        message.contains("a Line cannot be given to C, because it lives in a Note that C lends"),
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
        message
            .contains("a SlipLine cannot be given to C, because it lives in a Slip that C lends"),
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
            "a RecordLine cannot be given to C, because it lives in a RecordNote that C lends"
        ),
        "{message}"
    );
    drop(BAG.take());
}

#[test]
fn optional_lender_waits_for_a_child_of_what_it_lends() {
    let ways: [fn(&mut Shop) -> Owned<'_, Line>; 2] = [
        |shop| Bag::note_in(Some(shop)).unwrap().get().line().unwrap(),
        |shop| Bag::note_of(Some(shop)).unwrap().get().line().unwrap(),
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
    assert_eq!(Bag::note_in(None), None);
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
        message.contains("a Pool is never released, because C keeps handles that live in it"),
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
            message.contains("a Tag cannot be given to C, because it lives in a Item"),
            "{message}"
        );
        drop(pool);
        drop(BAG.take());
    }
}
