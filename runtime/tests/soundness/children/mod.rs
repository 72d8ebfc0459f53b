//! Parents whose children are not known to be released: forgotten guards, refused releases, handles that C keeps. A
//! parent is released after its last child, or never.

mod forgotten;
mod held;
mod kept;

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
