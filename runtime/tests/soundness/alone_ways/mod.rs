//! Callbacks that are `exclusive`, by all ways: each object of which C may have the text in pieces, and each way on
//! which other code gets at that text. Nothing reads it then, and nothing changes it while C reads it.

use std::cell::{Cell, RefCell};

use leakproof::prelude::*;

use crate::native::Native;

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi;

#[handle(raw = ffi::book, release = ffi::book_free, fork_safe)]
struct Book;

/// A book, as C shows it to callbacks.
#[handle(raw = ffi::book, callback_only)]
struct BookView;

/// A part of a book that C shows, which does not know that.
#[handle(raw = ffi::seam, part_of = BookView)]
struct Glimpse;

/// A part that knows its book.
#[handle(raw = ffi::leaf, part_of = Book, owner_field = up)]
struct Leaf;

/// A part that does not know its book.
#[handle(raw = ffi::seam, part_of = Book)]
struct Seam;

#[handle(raw = ffi::sorter, release = ffi::sorter_free, parent = Book, fork_safe)]
struct Sorter;

#[handle(raw = ffi::rim, part_of = Sorter, owner_field = up)]
struct Rim;

#[handle(raw = ffi::wheel, part_of = Sorter)]
struct Wheel;

/// C keeps a book in it.
#[handle(raw = ffi::bag, release = ffi::bag_free, attachments, fork_safe)]
struct Bag;

#[handle(raw = ffi::lining, part_of = Bag, owner_field = up)]
struct Lining;

#[handle(raw = ffi::pocket, part_of = Bag)]
struct Pocket;

#[handle(raw = ffi::strap, release = ffi::strap_free, parent = Bag, fork_safe)]
struct Strap;

#[handle(raw = ffi::buckle, part_of = Strap)]
struct Buckle;

#[handle(raw = ffi::page, release = ffi::page_unref, retain = ffi::page_ref, borrowed_with = Page, fork_safe)]
struct Page;

#[handle(raw = ffi::line, release = ffi::line_free, parent = Page, fork_safe)]
struct Line;

/// It has the text of a page.
#[handle(raw = ffi::copy, release = ffi::copy_unref, retain = ffi::copy_ref, borrowed_with = Page, fork_safe)]
struct Copy;

#[handle(raw = ffi::quote, release = ffi::quote_free, parent = Copy, fork_safe)]
struct Quote;

/// C keeps a page in it.
#[handle(raw = ffi::shelf, release = ffi::shelf_free, fork_safe)]
struct Shelf;

#[handle(raw = ffi::board, part_of = Shelf, owner_field = up)]
struct Board;

#[handle(raw = ffi::crack, part_of = Shelf)]
struct Crack;

#[handle(raw = ffi::hook, release = ffi::hook_free, parent = Shelf, fork_safe)]
struct Hook;

#[handle(raw = ffi::thorn, part_of = Hook)]
struct Thorn;

/// It is made by a part that knows its owner.
#[handle(raw = ffi::nail, release = ffi::nail_free, parent = Shelf, fork_safe)]
struct Nail;

/// It has its page to itself.
#[handle(raw = ffi::patch, release = ffi::patch_free, parent = &mut Page, fork_safe)]
struct Patch;

/// What other code may do with an object.
trait Reach {
    /// Uses the object in each way. Returns those that were not refused.
    fn allowed(&self) -> Vec<&'static str>;
    /// Has C write the text again, and call back in between.
    fn write(&self);
    /// Has C read the text, and call back in between.
    fn read_twice(&self) -> Result<i32>;
}

macro_rules! reach {
    ($($type:ident, $read:ident, $write:ident, $around:ident;)*) => {
        $(
            #[methods(unsafe, rust_only)]
            impl $type {
                #[calls(ffi::$read, fails = negative)]
                fn read(&self) -> Result<i32>;

                #[calls(ffi::$read, pure)]
                fn read_purely(&self) -> i32;

                #[field(mark)]
                fn mark(&self) -> i32;

                #[calls(ffi::$write, args = (self, look.look, look.data))]
                fn write_text(&self, look: &Look);

                #[calls(ffi::$around, args = (self, glance.glance, glance.data), fails = negative)]
                fn read_around(&self, glance: &Glance) -> Result<i32>;
            }

            impl Reach for $type {
                fn allowed(&self) -> Vec<&'static str> {
                    let mut allowed = Vec::new();
                    let is_busy = matches!(self.read(), Err(Error::Busy(_)));
                    allowed.extend((!is_busy).then_some("a call"));
                    let is_busy = is_refused(|| self.read_purely());
                    allowed.extend((!is_busy).then_some("a pure call"));
                    let is_busy = is_refused(|| self.mark());
                    allowed.extend((!is_busy).then_some("a field"));
                    let is_busy = is_refused(|| self.write_text(&Look));
                    allowed.extend((!is_busy).then_some("a call that calls back"));
                    allowed
                }

                fn write(&self) {
                    self.write_text(&Look);
                }

                fn read_twice(&self) -> Result<i32> {
                    self.read_around(&Glance)
                }
            }
        )*
    };
}

/// Returns whether the call panics because the object is in use.
fn is_refused<R>(call: impl FnOnce() -> R) -> bool {
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(call));
    result.is_err()
}

reach! {
    Book, book_read, book_write, book_around;
    BookView, book_read, book_write, book_around;
    Leaf, leaf_read, leaf_write, leaf_around;
    Seam, seam_read, seam_write, seam_around;
    Glimpse, seam_read, seam_write, seam_around;
    Sorter, sorter_read, sorter_write, sorter_around;
    Rim, rim_read, rim_write, rim_around;
    Wheel, wheel_read, wheel_write, wheel_around;
    Bag, bag_read, bag_write, bag_around;
    Lining, lining_read, lining_write, lining_around;
    Pocket, pocket_read, pocket_write, pocket_around;
    Strap, strap_read, strap_write, strap_around;
    Buckle, buckle_read, buckle_write, buckle_around;
    Page, page_read, page_write, page_around;
    Line, line_read, line_write, line_around;
    Copy, copy_read, copy_write, copy_around;
    Quote, quote_read, quote_write, quote_around;
    Shelf, shelf_read, shelf_write, shelf_around;
    Board, board_read, board_write, board_around;
    Crack, crack_read, crack_write, crack_around;
    Hook, hook_read, hook_write, hook_around;
    Thorn, thorn_read, thorn_write, thorn_around;
    Nail, nail_read, nail_write, nail_around;
    Patch, patch_read, patch_write, patch_around;
}

#[methods(unsafe, rust_only)]
impl Book {
    #[calls(ffi::book_new, fails = null)]
    fn new() -> Result<Owned<Book>>;
    #[calls(ffi::book_leaf)]
    fn leaf(&self) -> Option<Borrowed<Leaf>>;
    #[calls(ffi::book_seam)]
    fn seam(&self) -> Option<Borrowed<Seam>>;
    #[calls(ffi::sorter_new, fails = null)]
    fn sorter(&self) -> Result<Owned<Sorter>>;
    #[calls(ffi::book_show, args = (self, show.show, show.data))]
    fn show(&self, show: &Show);
    #[calls(ffi::book_show, args = (self, show.show, show.data))]
    fn show_alone(&self, show: &ShowAlone);
}

#[methods(unsafe, rust_only)]
impl BookView {
    #[calls(ffi::book_seam)]
    fn glimpse(&self) -> Option<Borrowed<Glimpse>>;
}

#[methods(unsafe, rust_only)]
impl Sorter {
    #[calls(ffi::sorter_rim)]
    fn rim(&self) -> Option<Borrowed<Rim>>;
    #[calls(ffi::sorter_wheel)]
    fn wheel(&self) -> Option<Borrowed<Wheel>>;
}

#[methods(unsafe, rust_only)]
impl Bag {
    #[calls(ffi::bag_new, fails = null)]
    fn new() -> Result<Owned<Bag>>;
    #[calls(ffi::bag_filled, fails = null)]
    fn filled() -> Result<Owned<Bag>>;
    #[calls(ffi::bag_put, consumes = always)]
    fn put(&mut self, book: Owned<Book>);
    #[calls(ffi::bag_book)]
    fn book(&self) -> Option<Borrowed<Book>>;
    #[calls(ffi::bag_lining)]
    fn lining(&self) -> Option<Borrowed<Lining>>;
    #[calls(ffi::bag_pocket)]
    fn pocket(&self) -> Option<Borrowed<Pocket>>;
    #[calls(ffi::bag_keep, args = (self, look.look, look.data), scope = until_replaced)]
    fn keep(&mut self, look: Look);
    #[calls(ffi::bag_write_kept)]
    fn write_kept(&self);
    #[calls(ffi::strap_new, fails = null)]
    fn strap(&self) -> Result<Owned<Strap>>;
    #[calls(ffi::bag_show, args = (self, show.show, show.data))]
    fn show(&self, show: &Show);
    #[calls(ffi::bag_show, args = (self, show.show, show.data))]
    fn show_book(&self, show: &ShowBook);
}

#[methods(unsafe, rust_only)]
impl Strap {
    #[calls(ffi::strap_buckle)]
    fn buckle(&self) -> Option<Borrowed<Buckle>>;
}

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_new, fails = null)]
    fn new() -> Result<Owned<Page>>;
    #[calls(ffi::line_new, fails = null)]
    fn line(&self) -> Result<Owned<Line>>;
    #[calls(ffi::patch_new, fails = null)]
    fn patch(&mut self) -> Result<Owned<Patch>>;
    #[calls(ffi::page_change, fails = nonzero)]
    fn change(&mut self) -> Result<()>;
    #[calls(ffi::copy_new, fails = null)]
    fn copy(&self) -> Result<Owned<Copy>>;
}

#[methods(unsafe, rust_only)]
impl Copy {
    #[calls(ffi::quote_new, fails = null)]
    fn quote(&self) -> Result<Owned<Quote>>;
}

#[methods(unsafe, rust_only)]
impl Shelf {
    #[calls(ffi::shelf_new, fails = null)]
    fn new() -> Result<Owned<Shelf>>;
    #[calls(ffi::shelf_put, consumes = always)]
    fn put(&mut self, page: Owned<Page>);
    #[calls(ffi::shelf_board)]
    fn board(&self) -> Option<Borrowed<Board>>;
    #[calls(ffi::shelf_crack)]
    fn crack(&self) -> Option<Borrowed<Crack>>;
    #[calls(ffi::hook_new, fails = null)]
    fn hook(&self) -> Result<Owned<Hook>>;
}

#[methods(unsafe, rust_only)]
impl Hook {
    #[calls(ffi::hook_thorn)]
    fn thorn(&self) -> Option<Borrowed<Thorn>>;
}

#[methods(unsafe, rust_only)]
impl Board {
    #[calls(ffi::nail_new, fails = null)]
    fn nail(&self) -> Result<Owned<Nail>>;
}

/// Runs the code of the test while C reads the text.
struct Glance;

impl Attachment for Glance {}

#[callbacks(unsafe)]
impl Glance {
    #[callback(ffi::look, args = (data))]
    fn glance(&self) {
        run_code(None, None);
    }
}

/// Runs the code of the test while C has the text in pieces.
struct Look;

impl Attachment for Look {}

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::look, args = (data), exclusive)]
    fn look(&self) {
        LOOKS.set(LOOKS.get() + 1);
        run_code(None, None);
    }
}

/// Runs the code of the test with a book that C shows.
struct Show;

impl Attachment for Show {}

#[callbacks(unsafe)]
impl Show {
    #[callback(ffi::show, args = (book, data))]
    fn show(&self, book: &BookView) {
        run_code(Some(book), None);
    }
}

/// As [`Show`], while nothing else uses the book.
struct ShowAlone;

impl Attachment for ShowAlone {}

#[callbacks(unsafe)]
impl ShowAlone {
    #[callback(ffi::show, args = (book, data), exclusive)]
    fn show(&self, book: &BookView) {
        run_code(Some(book), None);
    }
}

/// Runs the code of the test with a book that C shows, by its own type.
struct ShowBook;

impl Attachment for ShowBook {}

#[callbacks(unsafe)]
impl ShowBook {
    #[callback(ffi::show, args = (book, data))]
    fn show(&self, book: &Book) {
        run_code(None, Some(book));
    }
}

/// The code of a test, which gets what C shows.
type Code<'a> = &'a dyn Fn(Option<&BookView>, Option<&Book>);

thread_local! {
    static LOOKS: Cell<usize> = const { Cell::new(0) };
    static CODE: Cell<Option<Code<'static>>> = const { Cell::new(None) };
}

fn run_code(view: Option<&BookView>, book: Option<&Book>) {
    // Code that calls back runs no code then.
    if let Some(code) = CODE.take() {
        code(view, book);
        CODE.set(Some(code));
    }
}

/// Lets the callbacks within `call` run `code`, as the crate `scoped-tls` does.
fn with_code<R>(code: Code<'_>, call: impl FnOnce() -> R) -> R {
    struct Reset(Option<Code<'static>>);
    impl Drop for Reset {
        fn drop(&mut self) {
            CODE.set(self.0);
        }
    }
    // SAFETY: Rust: `Reset` takes the reference away before this function returns or unwinds, and nobody copies it.
    let code = unsafe { std::mem::transmute::<Code<'_>, Code<'static>>(code) };
    let _reset = Reset(CODE.replace(Some(code)));
    call()
}

/// An object, and its name in the table.
type Way<'a> = (&'a str, &'a dyn Reach);

/// Has `write` write a text again, and uses each object while it is in pieces. Returns what was not refused.
fn allowed_beside(write: impl FnOnce(), ways: &[Way<'_>]) -> Vec<String> {
    let found = RefCell::new(Vec::new());
    let before = LOOKS.get();
    let use_all = |_: Option<&BookView>, _: Option<&Book>| {
        for (name, object) in ways {
            let allowed = object.allowed().into_iter();
            let named = allowed.map(|way| format!("{name}: {way}"));
            found.borrow_mut().extend(named);
        }
    };
    with_code(&use_all, write);
    assert_ne!(LOOKS.get(), before, "it called back");
    found.into_inner()
}

/// Each of `writers` has the text in pieces, and all `ways` are refused meanwhile.
#[track_caller]
fn check(writers: &[Way<'_>], ways: &[Way<'_>]) {
    let mut found = Vec::new();
    for (name, writer) in writers {
        let allowed = allowed_beside(|| writer.write(), ways).into_iter();
        found.extend(allowed.map(|way| format!("beside {name}, {way}")));
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn book_in_pieces_is_reached_by_nothing() {
    let _native = Native::start();
    let mut bag = Bag::new().unwrap();
    bag.put(Book::new().unwrap());
    bag.keep(Look);
    let bag = bag;
    let (lining, pocket) = (bag.lining().unwrap(), bag.pocket().unwrap());
    let strap = bag.strap().unwrap();
    let buckle = strap.buckle().unwrap();
    let book = bag.book().unwrap();
    let (leaf, seam) = (book.leaf().unwrap(), book.seam().unwrap());
    let sorter = book.sorter().unwrap();
    let (rim, wheel) = (sorter.rim().unwrap(), sorter.wheel().unwrap());
    let ways: [Way<'_>; 11] = [
        ("book", &*book),
        ("leaf", &*leaf),
        ("seam", &*seam),
        ("sorter", &*sorter),
        ("rim", &*rim),
        ("wheel", &*wheel),
        ("bag", &*bag),
        ("lining", &*lining),
        ("pocket", &*pocket),
        ("strap", &*strap),
        ("buckle", &*buckle),
    ];
    let writers: [Way<'_>; 6] = [
        ("book", &*book),
        ("leaf", &*leaf),
        ("seam", &*seam),
        ("bag", &*bag),
        ("lining", &*lining),
        ("pocket", &*pocket),
    ];
    check(&writers, &ways);
    let beside_kept = allowed_beside(|| bag.write_kept(), &ways);
    assert!(beside_kept.is_empty(), "{beside_kept:#?}");
    let with_view = |view: Option<&BookView>, _: Option<&Book>| {
        let view = view.unwrap();
        let glimpse = view.glimpse().unwrap();
        let shown: [Way<'_>; 2] = [("view", view), ("glimpse", &*glimpse)];
        let ways: Vec<Way<'_>> = ways.iter().copied().chain(shown).collect();
        let writers: Vec<Way<'_>> = writers.iter().copied().chain(shown).collect();
        check(&writers, &ways);
    };
    with_code(&with_view, || book.show(&Show));
    with_code(&with_view, || bag.show(&Show));
}

#[test]
fn book_of_c_in_pieces_is_reached_by_nothing() {
    let _native = Native::start();
    let bag = Bag::filled().unwrap();
    let (lining, pocket) = (bag.lining().unwrap(), bag.pocket().unwrap());
    let strap = bag.strap().unwrap();
    let buckle = strap.buckle().unwrap();
    let ways: [Way<'_>; 5] = [
        ("bag", &*bag),
        ("lining", &*lining),
        ("pocket", &*pocket),
        ("strap", &*strap),
        ("buckle", &*buckle),
    ];
    let with_view = |view: Option<&BookView>, _: Option<&Book>| {
        let view = view.unwrap();
        let glimpse = view.glimpse().unwrap();
        let shown: [Way<'_>; 2] = [("view", view), ("glimpse", &*glimpse)];
        let ways: Vec<Way<'_>> = ways.iter().copied().chain(shown).collect();
        check(&shown, &ways);
    };
    with_code(&with_view, || bag.show(&Show));
    let with_book = |_: Option<&BookView>, book: Option<&Book>| {
        let book = book.unwrap();
        let (leaf, seam) = (book.leaf().unwrap(), book.seam().unwrap());
        let (leaf, seam): (&dyn Reach, &dyn Reach) = (&*leaf, &*seam);
        let own: [Way<'_>; 3] = [("book", book), ("leaf", leaf), ("seam", seam)];
        let ways: Vec<Way<'_>> = ways.iter().copied().chain(own).collect();
        check(&own, &ways);
    };
    with_code(&with_book, || bag.show_book(&ShowBook));
}

#[test]
fn counted_page_in_pieces_is_reached_by_nothing() {
    let _native = Native::start();
    let page = Page::new().unwrap();
    let mut shelf = Shelf::new().unwrap();
    shelf.put(page.clone());
    let shelf = shelf;
    let (board, crack) = (shelf.board().unwrap(), shelf.crack().unwrap());
    let hook = shelf.hook().unwrap();
    let thorn = hook.thorn().unwrap();
    let line = page.line().unwrap();
    let copy = page.copy().unwrap();
    let quote = copy.quote().unwrap();
    let nail = board.nail().unwrap();
    let ways: [Way<'_>; 10] = [
        ("page", &*page),
        ("nail", &*nail),
        ("line", &*line),
        ("copy", &*copy),
        ("quote", &*quote),
        ("shelf", &*shelf),
        ("board", &*board),
        ("crack", &*crack),
        ("hook", &*hook),
        ("thorn", &*thorn),
    ];
    check(
        &[
            ("page", &*page),
            ("copy", &*copy),
            ("shelf", &*shelf),
            ("board", &*board),
            ("crack", &*crack),
        ],
        &ways,
    );
}

/// Has each of `writers` write the text again, and drops an object while that is in pieces, which `new` makes before.
fn drop_beside<T>(writers: &[Way<'_>], new: impl Fn() -> T) {
    for (_, writer) in writers {
        let object = Cell::new(Some(new()));
        with_code(&|_, _| drop(object.take()), || writer.write());
        assert!(object.take().is_none(), "it called back");
    }
}

#[test]
fn what_reaches_a_book_in_pieces_is_released_later() {
    let _native = Native::start();
    let mut bag = Bag::new().unwrap();
    bag.put(Book::new().unwrap());
    let bag = bag;
    let (lining, pocket) = (bag.lining().unwrap(), bag.pocket().unwrap());
    let book = bag.book().unwrap();
    let (leaf, seam) = (book.leaf().unwrap(), book.seam().unwrap());
    let writers: [Way<'_>; 6] = [
        ("book", &*book),
        ("leaf", &*leaf),
        ("seam", &*seam),
        ("bag", &*bag),
        ("lining", &*lining),
        ("pocket", &*pocket),
    ];
    drop_beside(&writers, || book.sorter().unwrap());
    drop_beside(&writers, || bag.strap().unwrap());
    let with_view = |view: Option<&BookView>, _: Option<&Book>| {
        let view: &dyn Reach = view.unwrap();
        drop_beside(&[("view", view)], || book.sorter().unwrap());
        drop_beside(&[("view", view)], || bag.strap().unwrap());
    };
    with_code(&with_view, || bag.show(&Show));
}

#[test]
fn what_reaches_a_book_of_c_in_pieces_is_released_later() {
    let _native = Native::start();
    let bag = Bag::filled().unwrap();
    let with_view = |view: Option<&BookView>, _: Option<&Book>| {
        drop_beside(&[("view", view.unwrap())], || bag.strap().unwrap());
    };
    with_code(&with_view, || bag.show(&Show));
    let with_book = |_: Option<&BookView>, book: Option<&Book>| {
        let book = book.unwrap();
        let (leaf, seam) = (book.leaf().unwrap(), book.seam().unwrap());
        let writers: [Way<'_>; 3] = [("book", book), ("leaf", &*leaf), ("seam", &*seam)];
        drop_beside(&writers, || bag.strap().unwrap());
    };
    with_code(&with_book, || bag.show_book(&ShowBook));
}

#[test]
fn what_reaches_a_counted_page_in_pieces_is_released_later() {
    let _native = Native::start();
    let page = Page::new().unwrap();
    let mut shelf = Shelf::new().unwrap();
    shelf.put(page.clone());
    let shelf = shelf;
    let (board, crack) = (shelf.board().unwrap(), shelf.crack().unwrap());
    let copy = page.copy().unwrap();
    let writers: [Way<'_>; 5] = [
        ("page", &*page),
        ("copy", &*copy),
        ("shelf", &*shelf),
        ("board", &*board),
        ("crack", &*crack),
    ];
    drop_beside(&writers, || page.line().unwrap());
    drop_beside(&writers, || copy.quote().unwrap());
    drop_beside(&writers, || shelf.hook().unwrap());
    drop_beside(&writers, || board.nail().unwrap());
}

#[test]
fn page_is_changed_by_nothing_while_c_reads_it() {
    let _native = Native::start();
    let page = RefCell::new(Page::new().unwrap());
    let mut shelf = Shelf::new().unwrap();
    shelf.put(page.borrow().clone());
    let shelf = shelf;
    let (board, crack) = (shelf.board().unwrap(), shelf.crack().unwrap());
    let nail = board.nail().unwrap();
    let hook = shelf.hook().unwrap();
    let thorn = hook.thorn().unwrap();
    let readers: [Way<'_>; 6] = [
        ("shelf", &*shelf),
        ("board", &*board),
        ("crack", &*crack),
        ("nail", &*nail),
        ("hook", &*hook),
        ("thorn", &*thorn),
    ];
    let wrong = RefCell::new(Vec::new());
    for (name, reader) in readers {
        let change = |_: Option<&BookView>, _: Option<&Book>| {
            let changed = page.borrow_mut().change();
            if !matches!(changed, Err(Error::Busy("Page"))) {
                wrong
                    .borrow_mut()
                    .push(format!("changed while read by {name}"));
            }
        };
        with_code(&change, || reader.read_twice()).unwrap();
    }
    let mut page = page.borrow_mut();
    let patch = page.patch().unwrap();
    for (name, reader) in readers {
        if !matches!(reader.read_twice(), Err(Error::Held(_, "Patch"))) {
            wrong.borrow_mut().push(format!("held, and read by {name}"));
        }
    }
    drop(patch);
    assert!(wrong.borrow().is_empty(), "{wrong:#?}");
    for (_, reader) in readers {
        reader.read_twice().unwrap();
    }
}

#[test]
fn what_c_passes_to_an_exclusive_callback_is_used_there() {
    let _native = Native::start();
    let book = Book::new().unwrap();
    let with_view = |view: Option<&BookView>, _: Option<&Book>| {
        let view = view.unwrap();
        assert_eq!((view.read().unwrap(), view.mark()), (1, 7));
        assert!(matches!(book.read(), Err(Error::Busy("Book"))));
    };
    with_code(&with_view, || book.show_alone(&ShowAlone));
}

#[test]
fn objects_of_other_types_are_used_beside_an_exclusive_callback() {
    let _native = Native::start();
    let book = Book::new().unwrap();
    let mut shelf = Shelf::new().unwrap();
    shelf.put(Page::new().unwrap());
    let hook = shelf.hook().unwrap();
    let thorn = hook.thorn().unwrap();
    let other = Book::new().unwrap();
    let use_all = |_: Option<&BookView>, _: Option<&Book>| {
        assert_eq!(thorn.read().unwrap(), 1);
        assert_eq!(hook.read().unwrap(), 1);
        assert_eq!(other.read().unwrap(), 1);
        assert_eq!(other.sorter().unwrap().read().unwrap(), 1);
    };
    with_code(&use_all, || book.write());
}
