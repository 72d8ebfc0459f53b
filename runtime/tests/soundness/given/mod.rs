//! Handles that C was given: what they live in, and what C keeps in them, stays as long as C keeps them, wherever that
//! is.

mod given_out;
mod kept;
mod lent;

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
    /// The code that runs before the next call on a pool.
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

/// A desk that C lends to a callback.
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
    #[calls(ffi::shop_note_of)]
    fn note_in(shop: Option<&Shop>) -> Option<Borrowed<Note>>;

    #[calls(ffi::shop_note_of)]
    fn note_of(shop: Option<&mut Shop>) -> Option<Borrowed<Note>>;

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
