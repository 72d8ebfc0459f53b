//! Annotations that would give one native handle two owners: the second one is refused, and nothing is released twice.

use leakproof::Error;
use leakproof::prelude::*;

use crate::native::{self, Native};
use crate::panic_of;

#[allow(non_camel_case_types, reason = "as bindgen names C types")]
mod ffi {
    use std::cell::Cell;
    use std::ffi::{c_char, c_int};
    use std::ptr;

    use crate::native;

    pub(super) struct shelf {
        _size: u8,
    }
    pub(super) struct book {
        _size: u8,
    }

    thread_local! {
        static FAVORITE: Cell<*mut book> = const { Cell::new(ptr::null_mut()) };
    }

    pub(super) unsafe extern "C" fn shelf_new() -> *mut shelf {
        native::acquire("Shelf", shelf { _size: 0 })
    }

    pub(super) unsafe extern "C" fn shelf_free(shelf: *mut shelf) {
        native::release(shelf);
    }

    pub(super) unsafe extern "C" fn book_new() -> *mut book {
        let made = native::acquire("Book", book { _size: 0 });
        FAVORITE.set(made);
        made
    }

    pub(super) unsafe extern "C" fn book_free(book: *mut book) {
        native::release(book);
    }

    /// Lends the last book that was made.
    pub(super) unsafe extern "C" fn shelf_favorite(shelf: *mut shelf) -> *mut book {
        native::touch(shelf);
        FAVORITE.get()
    }

    pub(super) unsafe extern "C" fn shelf_two(
        shelf: *mut shelf,
        new: *mut *mut book,
        old: *mut *mut book,
    ) -> c_int {
        native::touch(shelf);
        // SAFETY: the caller passes places to write to.
        unsafe {
            *old = FAVORITE.get();
            *new = book_new();
        }
        0
    }

    /// Takes the book over, unless `fails`. What was taken over is released at once.
    pub(super) unsafe extern "C" fn shelf_take(
        shelf: *mut shelf,
        book: *mut book,
        fails: c_int,
    ) -> c_int {
        native::touch(shelf);
        if fails == 0 {
            native::release(book);
        }
        fails
    }

    /// Makes a book at the address of the last one.
    pub(super) unsafe extern "C" fn book_again() -> *mut book {
        let book = FAVORITE.get();
        native::revive(book);
        book
    }

    pub(super) unsafe extern "C" fn shelf_title(_: *mut shelf) -> *mut c_char {
        c"Mine".as_ptr().cast_mut()
    }

    pub(super) unsafe extern "C" fn book_constant() -> *const book {
        // SAFETY: there is nothing to promise.
        unsafe { book_new() }
    }
}

#[handle(raw = ffi::shelf, release = ffi::shelf_free, fork_safe)]
struct Shelf;

#[handle(raw = ffi::book, release = ffi::book_free, fork_safe)]
struct Book;

#[methods(unsafe, rust_only)]
impl Book {
    #[calls(ffi::book_new, fails = null)]
    fn new() -> Result<Owned<Book>>;

    #[calls(ffi::book_again, fails = null)]
    fn again() -> Result<Owned<Book>>;

    #[calls(ffi::book_constant, fails = null, owned)]
    fn of_constant() -> Result<Owned<Book>>;
}

#[methods(unsafe, rust_only)]
impl Shelf {
    #[calls(ffi::shelf_new, fails = null)]
    fn new() -> Result<Owned<Shelf>>;

    /// Wrong: C only lends the book.
    #[calls(ffi::shelf_favorite, fails = null)]
    fn favorite(&self) -> Result<Owned<Book>>;

    /// Wrong as well.
    #[calls(ffi::shelf_favorite)]
    fn favorite_if_any(&self) -> Option<Owned<Book>>;

    /// Wrong for the second one.
    #[calls(ffi::shelf_two, args = (self, out, out), fails = nonzero, on_failure = null)]
    fn two(&self) -> Result<(Owned<Book>, Owned<Book>)>;

    #[calls(ffi::shelf_take, fails = nonzero, consumes = on_success)]
    fn take(&self, book: Owned<Book>, fails: i32) -> Result<()>;

    #[calls(ffi::shelf_title, borrowed)]
    fn title(&self) -> Option<CString>;
}

#[cfg(any(debug_assertions, feature = "fault-injection"))]
#[test]
fn lent_handle_returned_as_owned_is_an_error_that_names_the_function() {
    let _native = Native::start();
    let (shelf, book) = (Shelf::new().unwrap(), Book::new().unwrap());
    let error = shelf.favorite().unwrap_err();
    assert!(matches!(
        error,
        Error::OwnedTwice("Book", "Shelf.favorite", "shelf_favorite")
    ));
    assert!(
        error.to_string().contains("return `Borrowed<Book>`"),
        "{error}"
    );
    assert_eq!(leakproof::live_handles()["Book"], 1);
    drop(book);
    assert_eq!(native::log(), ["release Book"]);
}

#[cfg(any(debug_assertions, feature = "fault-injection"))]
#[test]
fn lent_handle_returned_as_owned_panics_where_the_method_cannot_fail() {
    let _native = Native::start();
    let (shelf, _book) = (Shelf::new().unwrap(), Book::new().unwrap());
    let message = panic_of(|| shelf.favorite_if_any());
    assert!(
        message.contains("shelf_favorite gave out a Book as `Owned`"),
        "{message}"
    );
}

#[cfg(any(debug_assertions, feature = "fault-injection"))]
#[test]
fn other_handles_of_the_refused_result_are_released() {
    let _native = Native::start();
    let (shelf, book) = (Shelf::new().unwrap(), Book::new().unwrap());
    assert!(matches!(shelf.two().unwrap_err(), Error::OwnedTwice(..)));
    assert_eq!(native::log(), ["release Book"]);
    assert_eq!(native::live("Book"), 1);
    drop(book);
}

#[test]
fn address_of_a_released_handle_may_have_a_new_owner() {
    let _native = Native::start();
    drop(Book::new().unwrap());
    drop(Book::again().unwrap());
    assert_eq!(native::log(), ["release Book", "release Book"]);
}

#[test]
fn address_of_a_handle_that_c_took_over_may_have_a_new_owner() {
    let _native = Native::start();
    let shelf = Shelf::new().unwrap();
    shelf.take(Book::new().unwrap(), 0).unwrap();
    drop(Book::again().unwrap());
}

#[test]
fn handle_that_a_failing_call_left_is_released_once() {
    let _native = Native::start();
    let shelf = Shelf::new().unwrap();
    shelf.take(Book::new().unwrap(), 1).unwrap_err();
    assert_eq!(native::log(), ["release Book"]);
    drop(Book::again().unwrap());
}

#[test]
fn words_stand_for_what_the_type_does_not_say() {
    let _native = Native::start();
    let shelf = Shelf::new().unwrap();
    assert_eq!(shelf.title().as_deref(), Some(c"Mine"));
    drop(Book::of_constant().unwrap());
    assert_eq!(native::log(), ["release Book"]);
}
