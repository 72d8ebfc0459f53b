//! Objects that C lends to callbacks to be changed by a type of their own (`callback_only`), and from which Rust code
//! may have borrowed memory or parts.

use leakproof::prelude::*;

use crate::native::{Native, log, note};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub type edit = Option<unsafe extern "C" fn(*mut book, *mut c_void) -> c_int>;

    pub struct leaf {
        number: c_int,
    }
    pub struct book {
        text: [u8; 1],
        leaf: leaf,
    }
    pub struct mark {
        book: *mut book,
    }

    thread_local! {
        /// The book that was made last.
        static LAST: Cell<*mut book> = const { Cell::new(null_mut()) };
    }

    pub unsafe extern "C" fn book_new() -> *mut book {
        let (text, leaf) = (*b"a", leaf { number: 1 });
        let book = acquire("Book", book { text, leaf });
        LAST.set(book);
        book
    }

    pub unsafe extern "C" fn book_free(book: *mut book) {
        release(book);
    }

    pub unsafe extern "C" fn book_text(book: *const book, len: *mut usize) -> *const u8 {
        touch(book.cast_mut());
        unsafe { len.write(1) };
        unsafe { (&raw const (*book).text).cast() }
    }

    pub unsafe extern "C" fn book_leaf(book: *mut book) -> *mut leaf {
        touch(book);
        unsafe { &raw mut (*book).leaf }
    }

    pub unsafe extern "C" fn leaf_number(leaf: *mut leaf) -> c_int {
        unsafe { (*leaf).number }
    }

    pub unsafe extern "C" fn book_write(book: *mut book) {
        touch(book);
        unsafe { (*book).text = *b"b" };
        unsafe { (*book).leaf.number += 1 };
    }

    pub unsafe extern "C" fn book_edit(book: *mut book, edit: edit, data: *mut c_void) -> c_int {
        unsafe { edit.unwrap()(book, data) }
    }

    pub unsafe extern "C" fn edit_last(edit: edit, data: *mut c_void) -> c_int {
        unsafe { book_edit(LAST.get(), edit, data) }
    }

    pub unsafe extern "C" fn mark_new(book: *mut book) -> *mut mark {
        touch(book);
        acquire("Mark", mark { book })
    }

    pub unsafe extern "C" fn mark_text(mark: *const mark, len: *mut usize) -> *const u8 {
        unsafe { book_text((*mark).book, len) }
    }

    pub unsafe extern "C" fn mark_free(mark: *mut mark) {
        release(mark);
    }
}

/// A book that lends its text.
#[handle(raw = ffi::book, release = ffi::book_free, lends, fork_safe)]
struct Book;

/// A book that lends its leaf.
#[handle(raw = ffi::book, release = ffi::book_free, fork_safe)]
struct Album;

#[handle(raw = ffi::leaf, part_of = Album)]
struct Leaf;

/// A book whose marks lend its text.
#[handle(raw = ffi::book, release = ffi::book_free, fork_safe)]
struct Guide;

#[handle(raw = ffi::mark, release = ffi::mark_free, parent = Guide, lends, fork_safe)]
struct Mark;

/// A book, as C lends it to callbacks.
#[handle(raw = ffi::book, callback_only)]
struct BookView;

#[derive(Attachment)]
struct Write(());

#[callbacks(unsafe)]
impl Write {
    #[callback(ffi::edit, args = (book, data), on_error = -1)]
    fn edit(&self, book: &mut BookView) -> i32 {
        book.write();
        note("written");
        0
    }
}

#[methods(unsafe, rust_only)]
impl BookView {
    #[calls(ffi::book_write)]
    fn write(&mut self);
}

#[methods(unsafe, rust_only)]
impl Book {
    #[calls(ffi::book_new, fails = null)]
    fn new() -> Result<Owned<Book>>;

    #[calls(ffi::book_text, args = (self, len))]
    fn text(&self) -> Option<&[u8]>;

    #[calls(ffi::book_edit, args = (self, write.edit, write.data), fails = nonzero)]
    fn edit(&mut self, write: &Write) -> Result<()>;

    #[calls(ffi::edit_last, args = (write.edit, write.data), fails = nonzero)]
    fn edit_last(write: &Write) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Album {
    #[calls(ffi::book_new, fails = null)]
    fn new() -> Result<Owned<Album>>;

    #[calls(ffi::book_leaf)]
    fn leaf(&self) -> Option<Borrowed<Leaf>>;

    #[calls(ffi::book_edit, args = (self, write.edit, write.data), fails = nonzero)]
    fn edit(&mut self, write: &Write) -> Result<()>;
}

#[methods(unsafe, rust_only)]
impl Leaf {
    #[calls(ffi::leaf_number)]
    fn number(&self) -> i32;
}

#[methods(unsafe, rust_only)]
impl Guide {
    #[calls(ffi::book_new, fails = null)]
    fn new() -> Result<Owned<Guide>>;

    #[calls(ffi::mark_new, fails = null)]
    fn mark(&self) -> Result<Owned<Mark>>;
}

#[methods(unsafe, rust_only)]
impl Mark {
    #[calls(ffi::mark_text, args = (self, len))]
    fn text(&self) -> Option<&[u8]>;
}

#[track_caller]
fn is_refused(refused: Result<()>, object: &str) {
    let Err(Error::Value(message)) = &refused else {
        panic!("{refused:?}");
    };
    let told = format!("a callback cannot change a {object} ");
    assert!(message.starts_with(&told), "{message}");
    assert_eq!(log(), [""; 0]);
}

#[test]
fn object_that_lends_memory_is_changed_by_another_type_only_in_a_call_that_has_it_alone() {
    let _native = Native::start();
    let mut book = Book::new().unwrap();
    let text = book.text().unwrap();
    is_refused(Book::edit_last(&Write(())), "Book");
    assert_eq!(text, b"a");
    book.edit(&Write(())).unwrap();
    assert_eq!(book.text().unwrap(), b"b");
}

#[test]
fn object_whose_parts_do_not_know_it_is_changed_by_another_type_only_in_a_call_that_has_it_alone() {
    let _native = Native::start();
    let mut album = Album::new().unwrap();
    let leaf = album.leaf().unwrap();
    is_refused(Book::edit_last(&Write(())), "Album");
    assert_eq!(leaf.number(), 1);
    album.edit(&Write(())).unwrap();
    assert_eq!(album.leaf().unwrap().number(), 2);
}

#[test]
fn object_is_not_changed_by_another_type_while_a_child_lends_memory() {
    let _native = Native::start();
    let guide = Guide::new().unwrap();
    let mark = guide.mark().unwrap();
    let text = mark.text().unwrap();
    is_refused(Book::edit_last(&Write(())), "Guide");
    assert_eq!(text, b"a");
}
