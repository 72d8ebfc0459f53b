//! Handles that C makes in the parent of a handle of its own that a callback has. Nobody knows that parent, so the
//! handle stands for it: what was made ends before the callback does.

use leakproof::prelude::*;

use crate::native::{Native, log, note};
use crate::panic_of;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::c_void;
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub type see = Option<unsafe extern "C" fn(*mut query, *mut c_void)>;
    pub type turn = Option<unsafe extern "C" fn(*mut page, *mut c_void)>;

    thread_local! {
        /// The memory of the last query.
        static LAST: Cell<*mut query> = const { Cell::new(null_mut()) };
    }

    pub struct base {
        _rows: usize,
    }
    pub struct query {
        base: *mut base,
    }
    pub struct row {
        base: *mut base,
    }
    pub struct shelf {
        row: *mut row,
    }
    pub struct page {
        _lines: usize,
    }

    pub unsafe extern "C" fn base_free(base: *mut base) {
        release(base);
    }

    pub unsafe extern "C" fn query_free(query: *mut query) {
        release(query);
    }

    pub unsafe extern "C" fn query_row(query: *mut query) -> *mut row {
        touch(query);
        let base = unsafe { (*query).base };
        acquire("Row", row { base })
    }

    pub unsafe extern "C" fn row_free(row: *mut row) {
        touch(unsafe { (*row).base });
        release(row);
    }

    pub unsafe extern "C" fn shelfnew() -> *mut shelf {
        let row = std::ptr::null_mut();
        acquire("Shelf", shelf { row })
    }

    pub unsafe extern "C" fn shelfput(it: *mut shelf, row: *mut row) {
        unsafe { (*it).row = row };
    }

    pub unsafe extern "C" fn shelffree(it: *mut shelf) {
        let row = unsafe { (*it).row };
        if !row.is_null() {
            unsafe { row_free(row) };
        }
        release(it);
    }

    /// Shows a query of C's own.
    pub unsafe extern "C" fn run(see: see, data: *mut c_void) {
        let base = acquire("Base", base { _rows: 0 });
        let query = acquire("Query", query { base });
        LAST.set(query);
        unsafe { see.unwrap()(query, data) };
        release(query);
        release(base);
    }

    /// Shows a page that is where the last query was.
    pub unsafe extern "C" fn leaf(turn: turn, data: *mut c_void) {
        unsafe { turn.unwrap()(LAST.get().cast(), data) };
    }
}

#[handle(raw = ffi::base, release = ffi::base_free, fork_safe)]
struct Base;

#[handle(raw = ffi::query, release = ffi::query_free, parent = Base, fork_safe)]
struct Query;

#[handle(raw = ffi::row, release = ffi::row_free, parent = Base, fork_safe)]
struct Row;

#[handle(raw = ffi::shelf, release = ffi::shelffree, fork_safe)]
struct Shelf;

/// A page, as C lends it to callbacks.
#[handle(raw = ffi::page, callback_only)]
struct Page;

/// Runs a test's code with the query.
#[derive(Attachment)]
struct Look;

type Action = fn(&Query);

thread_local! {
    static ACTION: std::cell::Cell<Action> = const { std::cell::Cell::new(|_| ()) };
}

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::see, args = (query, data))]
    fn see(&self, query: &Query) {
        ACTION.get()(query);
    }
}

/// Notes that it got the page.
#[derive(Attachment)]
struct Turn;

#[callbacks(unsafe)]
impl Turn {
    #[callback(ffi::turn, args = (_page, data))]
    fn turn(&self, _page: &mut Page) {
        note("turned");
    }
}

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::leaf, args = (turn.turn, turn.data))]
    fn leaf(turn: &Turn);
}

#[methods(unsafe, rust_only)]
impl Query {
    #[calls(ffi::query_row, fails = null)]
    fn row(&self) -> Result<Owned<Row>>;

    #[calls(ffi::run, args = (look.see, look.data))]
    fn run(look: &Look);
}

#[methods(unsafe, rust_only)]
impl Shelf {
    #[calls(ffi::shelfnew, fails = null)]
    fn new() -> Result<Owned<Shelf>>;

    #[calls(ffi::shelfput)]
    fn put(&mut self, row: Owned<Row>);
}

fn run(action: Action) {
    ACTION.set(action);
    Query::run(&Look);
}

#[test]
fn what_c_made_by_a_handle_of_its_own_is_released_in_the_callback() {
    let _native = Native::start();
    run(|query| drop(query.row().unwrap()));
    assert_eq!(log(), ["release Row", "release Query", "release Base"]);
}

#[test]
fn what_c_made_by_a_handle_of_its_own_is_not_given_to_c() {
    let _native = Native::start();
    run(|query| {
        let mut shelf = Shelf::new().unwrap();
        let row = query.row().unwrap();
        let message = panic_of(|| shelf.put(row));
        assert!(message.contains("lives in a Query"), "{message}");
    });
    let released = [
        "release Row",
        "release Shelf",
        "release Query",
        "release Base",
    ];
    assert_eq!(log(), released);
}

#[test]
fn another_object_is_changed_where_a_handle_of_c_that_made_one_was() {
    let _native = Native::start();
    run(|query| drop(query.row().unwrap()));
    log();
    Page::leaf(&Turn);
    assert_eq!(log(), ["turned"]);
}
