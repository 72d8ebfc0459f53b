//! A library that does what C libraries do at the worst moment, for the tests of the runtime's Python half.

use std::ffi::c_int;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use leakproof::__private::attachment::{Traversal, Traverse};
use leakproof::IntegerHandle;
use leakproof::prelude::*;
use leakproof::pyo3::exceptions::PyStopIteration;
use leakproof::pyo3::types::PyAnyMethods;
use leakproof::pyo3::{Bound, Py, PyAny, PyTraverseError, PyVisit, Python};

mod attached;
#[path = "../../../runtime/tests/library/mod.rs"]
mod ffi;
mod letters;
mod ponds;
mod search;
mod values;

/// What the library reported about a call.
#[exception]
pub struct StoreError {
    /// All of it, in one line.
    pub message: String,
    /// Each report.
    pub reports: Vec<String>,
}

/// The same of one shelf.
#[exception(extends = StoreError)]
pub struct ShelfError {
    /// What the store reported.
    pub base: StoreError,
    /// Which shelf.
    pub shelf: c_int,
}

/// A report.
#[handle(raw = ffi::record, callback_only)]
pub struct Record;

#[methods(unsafe, rust_only)]
impl Record {
    #[field(message, utf8 = lossy)]
    fn message(&self) -> Option<String>;
}

/// Collects what is reported.
#[derive(Debug, Default)]
pub struct StoreErrors(Vec<String>);

impl ErrorSink for StoreErrors {
    type Record = Record;

    fn record(&mut self, record: &Record) {
        self.0.extend(record.message());
    }
}

impl StoreErrors {
    fn error(self) -> Error {
        StoreError {
            message: self.0.join(", "),
            reports: self.0,
        }
        .into()
    }
}

impl ErrorSource<Store> for StoreErrors {
    fn into_error(self, _: &CallInfo<'_, Store>) -> Error {
        self.error()
    }
}

/// A store: what items live in.
#[handle(raw = ffi::store, release = ffi::store_free, errors(StoreErrors, callback = report), fork_safe)]
pub struct Store;

#[methods(unsafe)]
impl Store {
    /// Make one.
    #[new]
    #[calls(ffi::store_new, fails = null)]
    fn new() -> Result<Owned<Store>>;

    /// Work, alone.
    #[calls(ffi::store_work, detach)]
    #[pyo3(signature = (milliseconds = 0))]
    fn work(&mut self, milliseconds: u32);

    /// Work, beside others.
    #[calls(ffi::store_work, detach)]
    #[pyo3(signature = (milliseconds = 0))]
    fn work_beside(&self, milliseconds: u32);

    /// Fail, beside others.
    #[calls(ffi::store_fail, fails = nonzero, detach)]
    fn fail(&self, text: &CStr) -> Result<()>;

    /// Fail, by text that Rust copies for C.
    #[calls(ffi::store_fail, fails = nonzero)]
    fn fail_by_copy(&self, text: &str) -> Result<()>;

    /// Whether something hangs where the library reports to.
    #[getter]
    #[field(report)]
    fn hooked(&self) -> bool;

    /// Call something.
    fn tell(&self, py: Python<'_>, call: Py<PyAny>) -> Result<Py<PyAny>> {
        Ok(call.call0(py)?)
    }

    /// The same, by a reference that has a name.
    fn tell_named<'a>(&self, call: Bound<'a, PyAny>) -> Result<bool> {
        Ok(call.call0()?.is_none())
    }

    /// Call something, alone.
    fn tell_alone(&mut self, py: Python<'_>, call: Py<PyAny>) -> Result<Py<PyAny>> {
        Ok(call.call0(py)?)
    }

    /// Make an item.
    #[calls(ffi::item_new, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;
}

// What a package adds to a handle may stand in another block.
#[methods]
impl Store {
    /// Work twice.
    fn work_twice(&mut self) {
        self.work(0);
        self.work(0);
    }
}

/// An item, which needs its store.
#[handle(raw = ffi::item, release = ffi::item_free, parent = Store, lends)]
pub struct Item;

#[methods(unsafe)]
impl Item {
    /// Work, alone.
    #[calls(ffi::item_work, detach)]
    fn work(&mut self);

    /// Work, with a store.
    #[calls(ffi::item_work, args = (self), detach)]
    fn work_beside(&self);

    /// Its memory.
    #[getter]
    #[calls(ffi::item_memory, len = ffi::item_memory_size)]
    fn memory(&self) -> Option<&[u8]>;

    /// An item that lives in this one.
    #[calls(ffi::item_of_item, fails = null)]
    fn part(&self) -> Result<Owned<SubItem>>;
}

/// An item of an item.
#[handle(raw = ffi::item, release = ffi::item_free, parent = Item, reads_parent)]
pub struct SubItem;

#[methods(unsafe)]
impl SubItem {
    /// Work, alone.
    #[calls(ffi::item_work, detach)]
    fn work(&mut self);
}

/// A shape: several handles may own it.
#[handle(raw = ffi::shape, retain = ffi::shape_ref, independent, release = ffi::shape_unref, fork_safe)]
pub struct Shape;

#[methods(unsafe)]
impl Shape {
    /// Make one, perhaps around another.
    #[new]
    #[pyo3(signature = (child = None))]
    #[calls(ffi::shape_new, fails = null)]
    fn new(child: Option<&Shape>) -> Result<Owned<Shape>>;

    /// What is in it.
    #[getter]
    #[calls(ffi::shape_child, retain)]
    fn child(&self) -> Option<Owned<Shape>>;

    /// How many own it, by C's count.
    #[getter]
    #[calls(ffi::shape_owners)]
    fn owners(&self) -> c_int;

    /// Work, alone.
    #[calls(ffi::shape_work, detach)]
    fn work(&mut self);

    /// Work, beside others.
    #[calls(ffi::shape_work, args = (self), detach)]
    fn work_beside(&self);

    /// Meet another one, alone.
    #[calls(ffi::shape_meet)]
    fn meet(&mut self, other: &Shape);
}

/// A container: containers can hold each other, so all of them are borrowed as one.
#[handle(raw = ffi::shape, retain = ffi::shape_ref, release = ffi::shape_unref, borrowed_with = Self, fork_safe)]
pub struct Container;

#[methods(unsafe)]
impl Container {
    /// Make one, perhaps around another.
    #[new]
    #[pyo3(signature = (child = None))]
    #[calls(ffi::shape_new, fails = null)]
    fn new(child: Option<&Container>) -> Result<Owned<Container>>;

    /// The container in it.
    #[getter]
    #[calls(ffi::shape_child, retain)]
    fn child(&self) -> Option<Owned<Container>>;

    /// The number of owners, by C's count.
    #[getter]
    #[calls(ffi::shape_owners)]
    fn owners(&self) -> c_int;

    /// Work, alone.
    #[calls(ffi::shape_work, detach)]
    fn work(&mut self);

    /// Work, beside others.
    #[calls(ffi::shape_work, args = (self), detach)]
    fn work_beside(&self);

    /// Meet another one, alone.
    #[calls(ffi::shape_meet)]
    fn meet(&mut self, other: &Container);

    /// Call something, beside others, as an iteration with a callback does.
    fn tell(&self, py: Python<'_>, call: Py<PyAny>) -> Result<Py<PyAny>> {
        Ok(call.call0(py)?)
    }
}

/// A lid, which containers refer to: a type of the same group.
#[handle(raw = ffi::shape, retain = ffi::shape_ref, release = ffi::shape_unref, borrowed_with = Container, fork_safe)]
pub struct Lid;

#[methods(unsafe)]
impl Lid {
    /// Make one.
    #[new]
    #[calls(ffi::shape_new, args = (null), fails = null)]
    fn new() -> Result<Owned<Lid>>;

    /// Work, alone.
    #[calls(ffi::shape_work, detach)]
    fn work(&mut self);
}

/// A session, which C may keep.
#[handle(
    raw = ffi::session,
    release(ffi::session_close, fails = nonzero, on_failure = kept),
    errors(SessionErrors, asks_handle)
)]
pub struct Session;

#[methods(unsafe)]
impl Session {
    /// Open one. It fails for a negative number.
    #[new]
    #[pyo3(signature = (busy = 0))]
    #[calls(ffi::session_open, args = (busy, out), fails = nonzero, on_failure = owned)]
    fn new(busy: c_int) -> Result<Owned<Session>>;

    /// What its close will end with.
    #[getter]
    #[field(busy)]
    fn busy(&self) -> c_int;

    /// Set that.
    #[setter]
    #[field(busy)]
    fn set_busy(&mut self, busy: c_int);

    /// Keep what was done, and end; for 7 that fails, and nothing has happened.
    #[calls(ffi::session_commit, fails = negative, consumes = on_success)]
    fn commit(this: Owned<Session>) -> Result<c_int>;

    /// Forget what was done, and end.
    #[calls(ffi::session_abort)]
    fn abort(this: Owned<Self>);

    /// End somehow.
    fn finish(this: Owned<Self>, well: bool) -> Result<c_int> {
        match well {
            true => Session::commit(this),
            false => {
                Session::abort(this);
                Ok(0)
            }
        }
    }

    /// Send a parcel, which is the sender's no longer, unless it is too heavy.
    #[calls(ffi::session_send, fails = negative, consumes = on_success)]
    fn send(&mut self, parcel: Owned<Parcel>) -> Result<()>;

    /// Throw a parcel, which is lost if it is too heavy.
    #[calls(ffi::session_throw, fails = negative, consumes = always)]
    fn throw(&mut self, parcel: Owned<Parcel>) -> Result<()>;

    /// Send two, of which the second one may be too heavy.
    fn send_both(&mut self, first: Owned<Parcel>, second: Owned<Parcel>) -> Result<()> {
        self.send(first)?;
        self.send(second)
    }

    /// Keep one owner of a shape.
    #[calls(ffi::session_keep)]
    fn keep(&mut self, shape: Owned<Shape>);

    /// Make a cursor.
    #[calls(ffi::query_open, fails = null)]
    fn cursor(&self) -> Result<Owned<Cursor>>;

    /// Make a cursor whose close ends with `busy`, and drop it.
    fn drop_cursor(&self, busy: c_int) -> Result<()> {
        let mut cursor = self.cursor()?;
        cursor.set_busy(busy);
        Ok(())
    }

    /// Work, alone.
    #[calls(ffi::session_work, detach)]
    fn work(&mut self);
}

/// A cursor, which C may keep once.
#[handle(raw = ffi::query, release(ffi::query_close, fails = nonzero, on_failure = kept), parent = Session)]
pub struct Cursor;

#[methods(unsafe)]
impl Cursor {
    #[rust_only]
    #[calls(ffi::query_next)]
    fn step(&mut self) -> c_int;

    /// The next number.
    fn __next__(&mut self) -> Result<Option<c_int>> {
        match self.step() {
            3 => Err(Error::Value("three".into())),
            number => Ok(Some(number).filter(|number| *number >= 0)),
        }
    }

    /// What its next close will end with.
    #[getter]
    #[field(busy)]
    fn busy(&self) -> c_int;

    /// Have C keep it then.
    #[setter]
    #[field(busy)]
    fn set_busy(&mut self, busy: c_int);
}

/// A parcel.
#[handle(raw = ffi::parcel, release = ffi::parcel_free, fork_safe)]
pub struct Parcel;

#[methods(unsafe)]
impl Parcel {
    /// Make one.
    #[new]
    #[calls(ffi::parcel_new, fails = null)]
    fn new(weight: c_int) -> Result<Owned<Parcel>>;

    /// Its weight, which takes until the gate opens.
    #[calls(ffi::parcel_weight, detach)]
    fn weight(&self) -> c_int;

    /// Weigh it once more.
    #[calls(ffi::parcel_reweigh, fails = negative)]
    fn reweigh(&mut self, weight: c_int) -> Result<()>;

    /// What is written on it.
    #[getter]
    #[field(self)]
    fn label(&self) -> Option<Borrowed<Label>>;

    /// Put a tag on it.
    #[calls(ffi::parcel_tag, fails = null)]
    fn tag(&self) -> Result<Owned<Tag>>;
}

/// What is written on a parcel.
#[handle(raw = ffi::parcel, part_of = Parcel)]
pub struct Label;

#[methods(unsafe)]
impl Label {
    /// The weight.
    #[getter]
    #[field(weight)]
    fn weight(&self) -> c_int;
}

/// A tag on a parcel.
#[handle(raw = ffi::tag, release = ffi::tag_free, parent = Parcel)]
pub struct Tag;

/// A board, which keeps a tag until it is gone.
#[handle(raw = ffi::board, release(ffi::board_free, detach), fork_safe)]
pub struct Board;

#[methods(unsafe)]
impl Board {
    /// Make one.
    #[new]
    #[calls(ffi::board_new, fails = null)]
    fn new() -> Result<Owned<Board>>;

    /// Pin a tag to it, unless there is one.
    #[calls(ffi::board_pin, fails = negative, consumes = on_success)]
    fn pin(&mut self, tag: Owned<Tag>) -> Result<()>;
}

/// A session that is gone also where its close fails.
#[handle(
    raw = ffi::session,
    release(ffi::session_close, fails = nonzero),
    errors(SessionErrors, asks_handle),
    warn_unclosed
)]
pub struct Journal;

#[methods(unsafe)]
impl Journal {
    /// Open one.
    #[new]
    #[calls(ffi::session_open, args = (busy, out), fails = nonzero, on_failure = owned)]
    fn new(busy: c_int) -> Result<Owned<Journal>>;
}

/// What a session refused.
#[exception]
pub struct SessionError {
    /// In words.
    pub message: String,
    /// The status.
    pub status: Option<i64>,
    /// The session's number, where there still was one.
    pub busy: Option<c_int>,
}

/// Asks the session.
#[derive(Debug, Default)]
pub struct SessionErrors;

impl ErrorSource<Session> for SessionErrors {
    fn into_error(self, call: &CallInfo<'_, Session>) -> Error {
        SessionError {
            message: format!("{} failed", call.function),
            status: call.status,
            busy: call.handle().map(Session::busy),
        }
        .into()
    }
}

impl ErrorSource<Journal> for SessionErrors {
    fn into_error(self, call: &CallInfo<'_, Journal>) -> Error {
        SessionError {
            message: format!("{} failed", call.function),
            status: call.status,
            busy: call.handle().map(|_| 0),
        }
        .into()
    }
}

/// A tally, made in memory of ours.
#[handle(caller_allocates = ffi::tally, release = ffi::tally_clear, fork_safe)]
pub struct Tally;

#[methods(unsafe)]
impl Tally {
    /// Start one. It fails for a negative number.
    #[new]
    #[calls(ffi::tally_init, args = (out, start), fails = negative, on_failure = null)]
    fn new(start: c_int) -> Result<Owned<Tally>>;

    /// Count.
    #[calls(ffi::tally_add)]
    fn add(&mut self, n: c_int) -> c_int;
}

/// A number.
#[handle(integer = c_int, invalid = -2, release = ffi::number_close, interrupt = Numeral::wake)]
pub struct Numeral;

#[methods(unsafe)]
impl Numeral {
    /// The lowest one that is free. There are four.
    #[new]
    #[calls(ffi::number_open, fails = when(|number| number == -2))]
    fn new() -> Result<Owned<Numeral>>;

    /// The same, through a pointer.
    #[staticmethod]
    #[calls(ffi::number_open_at, args = (out), fails = nonzero, on_failure = null)]
    fn another() -> Result<Owned<Numeral>>;

    /// Which one it is.
    #[getter]
    fn value(&self) -> c_int {
        self.number()
    }

    /// Wait until somebody wakes it.
    #[calls(ffi::number_wait, detach)]
    fn wait(&self) -> c_int;

    #[rust_only]
    #[calls(ffi::number_wake)]
    fn wake(&self);
}

/// A folder with a paper.
#[handle(raw = ffi::folder, release = ffi::folder_free, fork_safe)]
pub struct Folder;

#[methods(unsafe)]
impl Folder {
    /// Make one, whose paper has this number.
    #[new]
    #[calls(ffi::folder_new, fails = null)]
    fn new(number: c_int) -> Result<Owned<Folder>>;

    /// Its paper.
    #[calls(ffi::folder_paper)]
    fn paper(&self) -> Option<Borrowed<Paper>>;

    /// Make a clip on it, whose own paper has this number.
    #[calls(ffi::clip_new, fails = null)]
    fn clip(&self, number: c_int) -> Result<Owned<Clip>>;
}

/// A paper, which knows its folder.
#[handle(raw = ffi::paper, part_of = Folder, owner_field = folder)]
pub struct Paper;

#[methods(unsafe)]
impl Paper {
    /// The number on it.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;
}

/// A clip on a folder, with a folder of its own.
#[handle(raw = ffi::clip, release = ffi::clip_free, parent = Folder, fork_safe)]
pub struct Clip;

#[methods(unsafe)]
impl Clip {
    #[rust_only]
    #[calls(ffi::clip_folder)]
    fn own(&self) -> Option<Borrowed<Folder>>;

    /// The paper in the clip's own folder.
    fn paper(&self) -> Option<Borrowed<'_, Paper>> {
        self.own()?.get().paper()
    }

    /// Make a clip on the clip's own folder, in which it lives.
    fn clip(&self, number: c_int) -> Result<Owned<'_, Clip>> {
        let own = self.own().ok_or(Error::Failed("clip_folder"))?;
        own.get().clip(number)
    }

    /// The papers in the clip's own folder.
    fn papers(&self) -> Successors<'_, Paper> {
        Successors::new(self.paper(), |_| None)
    }
}

/// A list, whose nodes move when it grows.
#[handle(raw = ffi::list, release = ffi::list_free, fork_safe, lends)]
pub struct List;

#[methods(unsafe)]
impl List {
    /// Make an empty one.
    #[new]
    #[calls(ffi::list_new, fails = null)]
    fn new() -> Result<Owned<List>>;

    /// Do nothing for so long, alone.
    #[calls(ffi::list_sleep, detach)]
    fn sleep(&mut self, milliseconds: u32);

    /// Add a number at the end.
    #[calls(ffi::list_push)]
    fn push(&mut self, number: c_int);

    /// How many nodes there are, which takes until the gate opens.
    #[calls(ffi::list_look, detach)]
    fn look(&self) -> c_int;

    /// The first node.
    #[getter]
    #[calls(ffi::list_first)]
    fn first(&self) -> Option<Borrowed<Node>>;

    /// All nodes.
    fn __iter__(&self) -> Successors<Node> {
        Successors::new(self.first(), Node::next)
    }
}

// What edits a list lives in it.
#[methods(unsafe)]
impl List {
    /// Make an editor, beside which the list can be used.
    #[calls(ffi::editor_new, fails = null)]
    fn editor(&mut self) -> Result<Owned<Editor>>;

    /// Make an editor that has the list for itself.
    #[calls(ffi::editor_new, fails = null)]
    fn sole_editor(&mut self) -> Result<Owned<SoleEditor>>;

    /// Keep an editor of this list.
    #[calls(ffi::list_keep)]
    fn keep(&mut self, editor: Owned<Editor>);

    /// Keep an editor of this list, by a shared call.
    #[calls(ffi::list_keep)]
    fn keep_beside(&self, editor: Owned<Editor>);

    /// Keep an editor that has this list for itself.
    #[calls(ffi::list_keep)]
    fn keep_sole(&mut self, editor: Owned<SoleEditor>);

    /// Keep an editor of this list. A body cannot, because safe Rust could use both.
    fn keep_in_body(&mut self, editor: Owned<Editor>) {
        drop(editor);
    }

    /// Add a number by the editor that this list keeps.
    #[calls(ffi::list_push_by_editor)]
    fn push_by_editor(&mut self, number: c_int);

    /// Meet a node of this list.
    #[calls(ffi::list_meet)]
    fn meet(&self, node: &Node);

    /// Meet a node of any list.
    #[foreign(node)]
    #[calls(ffi::list_meet)]
    fn meet_any(&self, node: &Node);
}

/// Pushes to a list, one call at a time.
#[handle(raw = ffi::editor, release = ffi::editor_free, parent = List, mut_parent, fork_safe)]
pub struct Editor;

#[methods(unsafe)]
impl Editor {
    /// Add a number at the end of the list.
    #[calls(ffi::editor_push)]
    fn push(&mut self, number: c_int);

    /// Count the numbers of the list, alone.
    #[reads_parent]
    #[calls(ffi::editor_count)]
    fn count(&mut self) -> c_int;

    /// Count the numbers of the list, beside others.
    #[calls(ffi::editor_count)]
    fn count_beside(&self) -> c_int;

    /// Work, alone with the list.
    #[calls(ffi::editor_work, detach)]
    fn work(&mut self);

    /// Work, alone.
    #[reads_parent]
    #[calls(ffi::editor_work, detach)]
    fn work_reading(&mut self);

    /// Keep another editor of the same list.
    #[calls(ffi::editor_keep)]
    fn keep(&mut self, other: Owned<Editor>);
}

/// Pushes to a list that nobody else uses as long as this one lives.
#[handle(raw = ffi::editor, release = ffi::editor_free, parent = &mut List, fork_safe)]
pub struct SoleEditor;

#[methods(unsafe)]
impl SoleEditor {
    /// Add a number at the end of the list.
    #[calls(ffi::editor_push)]
    fn push(&mut self, number: c_int);

    /// Work, beside others.
    #[calls(ffi::editor_work, detach)]
    fn work_beside(&self);
}

/// A node, until the list grows.
#[handle(raw = ffi::node, part_of = List, until_mut)]
pub struct Node;

#[methods(unsafe)]
impl Node {
    /// Its number.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;

    /// The next one.
    #[getter]
    #[field(next)]
    fn next(&self) -> Option<Borrowed<Node>>;

    /// Where the number is.
    #[getter]
    #[field(self)]
    fn place(&self) -> Option<Borrowed<Place>>;
}

/// A place in a node, which is gone with it.
#[handle(raw = ffi::node, part_of = Node)]
pub struct Place;

#[methods(unsafe)]
impl Place {
    /// What is there.
    #[getter]
    #[field(number)]
    fn number(&self) -> c_int;
}

/// Where a feed has its numbers from.
#[derive(Attachment)]
pub struct Source(Callable);

#[callbacks(unsafe)]
impl Source {
    #[callback(ffi::asked, args = (data), on_error = -1)]
    fn ask(&self) -> Result<c_int> {
        self.0.call(())
    }

    #[callback(ffi::told, args = (feed, data), on_error = -1)]
    fn tell(&self, feed: &Feed) -> Result<c_int> {
        self.0.call((feed.has_source(),))
    }
}

/// A feed of numbers from Python, of which a negative one is the end.
#[handle(raw = ffi::feed, release = ffi::feed_free, attachments)]
pub struct Feed;

/// How many times a `Meddler` was asked for its Python objects, and how many times it could run Python code then.
static ASKED: AtomicUsize = AtomicUsize::new(0);
static RAN: AtomicUsize = AtomicUsize::new(0);

/// A value that tries to run Python code while garbage is collected.
struct Meddler;

impl Attachment for Meddler {
    const TRAVERSAL: Traversal<Self> = Traversal::of();
}

// SAFETY: it shows nothing.
unsafe impl Traverse for Meddler {
    fn traverse(&self, _: &PyVisit<'_>) -> std::result::Result<(), PyTraverseError> {
        ASKED.fetch_add(1, Ordering::Relaxed);
        if leakproof::detach(|| Python::try_attach(|_| ())).is_some() {
            RAN.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }

    fn clear(&self) {}
}

/// How many times a meddling value was asked for its Python objects, and how many times it could run Python code then.
#[leakproof::function]
fn meddled() -> (usize, usize) {
    (ASKED.load(Ordering::Relaxed), RAN.load(Ordering::Relaxed))
}

#[methods(unsafe)]
impl Feed {
    #[rust_only]
    #[calls(ffi::feed_new, fails = null)]
    fn make() -> Result<Owned<Feed>>;

    #[rust_only]
    #[calls(ffi::feed_ask, args = (self, source.ask, source.data), scope = until_replaced)]
    fn set_source(&mut self, source: Source);

    #[rust_only]
    #[field(asked)]
    fn has_source(&self) -> bool;

    #[rust_only]
    #[calls(ffi::feed_tell, args = (self, source.tell, source.data), fails = negative)]
    fn tell_source(&self, source: &Source) -> Result<()>;

    #[rust_only]
    #[calls(ffi::feed_tell, args = (self, source.tell, source.data), fails = negative)]
    fn tell_source_alone(&mut self, source: &Source) -> Result<()>;

    /// Have C call something with whether the feed has a source, beside others.
    fn tell(&self, callable: Callable) -> Result<()> {
        self.tell_source(&Source(callable))
    }

    /// Have C do that while the feed is used by nobody else.
    fn tell_alone(&mut self, callable: Callable) -> Result<()> {
        self.tell_source_alone(&Source(callable))
    }

    #[rust_only]
    #[calls(ffi::feed_next, fails = sticky)]
    fn step(&mut self) -> Result<c_int>;

    /// Make one of a callable.
    #[new]
    fn new(source: Callable) -> Result<Owned<Feed>> {
        let mut feed = Feed::make()?;
        feed.set_source(Source(source));
        Ok(feed)
    }

    /// The next number. For 0 it raises what would be the end of an iterator.
    fn __next__(&mut self) -> Result<Option<c_int>> {
        match self.step()? {
            0 => Err(PyStopIteration::new_err(()).into()),
            number => Ok(Some(number).filter(|number| *number > 0)),
        }
    }

    /// Keep a callable together with another feed.
    fn share(&self, other: &Feed, callable: Callable) {
        let shared = Arc::new(callable);
        attach(self, shared.clone());
        attach(other, shared);
    }

    /// Keep a value that does more than it should while garbage is collected.
    fn meddle(&self) {
        attach(self, Meddler);
    }

    /// The next number, of any value.
    fn number(&mut self) -> Result<c_int> {
        self.step()
    }
}

/// Have every call wait at the gate.
#[leakproof::function]
fn close_gate() {
    ffi::set_gate(true);
}

/// Let go on what waits there.
#[leakproof::function]
fn open_gate() {
    ffi::set_gate(false);
}

/// How many calls wait at the gate.
#[leakproof::function]
fn at_gate() -> usize {
    ffi::at_gate()
}

/// Whether there is such a file.
#[leakproof::function]
fn exists(path: &FsPath) -> bool {
    path.as_path().exists()
}

/// What the library did since this was last asked.
#[leakproof::function]
fn take_log() -> Vec<String> {
    ffi::log()
}

/// A library made for tests.
#[leakproof::module]
mod standin_safe {
    /// How many numbers there are.
    #[pymodule_export]
    const NUMBERS: i32 = 4;

    #[pymodule_export]
    use super::{
        Board, Clip, Container, Cursor, Editor, Feed, Folder, Item, Journal, Label, Lid, List,
        Node, Numeral, Paper, Parcel, Place, Session, SessionError, Shape, ShelfError, SoleEditor,
        Store, StoreError, SubItem, Tag, Tally, at_gate, close_gate, exists, meddled, open_gate,
        take_log,
    };

    #[pymodule_export]
    use super::attached::Gauge;

    #[pymodule_export]
    use super::letters::Letter;

    #[pymodule_export]
    use super::search::{Finding, Search};

    #[pymodule_export]
    use super::ponds::{Boat, Fish, Harbor, Net, Pond, Roe, Trawl};

    #[pymodule_export]
    use super::values::{
        Corner, Marks, OpenMarks, Pin, Point, Segment, Sheet, Stamp, marks_of_number,
        number_of_marks, number_of_open_marks,
    };
}
