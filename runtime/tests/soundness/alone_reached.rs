//! Callbacks that are `exclusive`: what an exclusive call on their handle uses exclusively is not used beside them
//! either.

use std::cell::{Cell, RefCell};

use leakproof::prelude::*;

use crate::native::{Native, live};

#[allow(
    non_camel_case_types,
    unreachable_pub,
    clippy::undocumented_unsafe_blocks,
    reason = "as C"
)]
mod ffi {
    use std::ffi::{c_int, c_void};
    use std::ptr::null_mut;

    use crate::native::{acquire, release, touch};

    pub type look = Option<unsafe extern "C" fn(*mut c_void)>;
    pub type look_at = Option<unsafe extern "C" fn(*mut book, *mut c_void)>;

    /// A book, whose index is not there while it is sorted.
    pub struct book {
        index: *mut c_int,
    }
    /// A bag with a book.
    pub struct bag {
        book: *mut book,
    }
    /// A sorter, which sorts its book.
    pub struct sorter {
        book: *mut book,
    }
    /// A plot with plants.
    pub struct plot {
        pub first: *mut plant,
    }
    /// A plant, which has no root while it is moved.
    pub struct plant {
        pub plot: *mut plot,
        pub up: *mut plant,
        pub next: *mut plant,
        pub below: *mut plant,
        pub user: *mut c_void,
        root: *mut c_int,
    }

    pub unsafe extern "C" fn book_new() -> *mut book {
        acquire(
            "Book",
            book {
                index: acquire("Index", 1),
            },
        )
    }

    pub unsafe extern "C" fn book_free(book: *mut book) {
        release(unsafe { (*book).index });
        release(book);
    }

    pub unsafe extern "C" fn book_index(book: *mut book) -> c_int {
        touch(book);
        unsafe {
            touch((*book).index);
            *(*book).index
        }
    }

    /// Makes another index. Between the two it calls back.
    pub unsafe extern "C" fn book_sort(book: *mut book, look: look, data: *mut c_void) {
        touch(book);
        unsafe {
            release((*book).index);
            look.unwrap()(data);
            (*book).index = acquire("Index", 2);
        }
    }

    pub unsafe extern "C" fn bag_new() -> *mut bag {
        acquire("Bag", bag { book: null_mut() })
    }

    pub unsafe extern "C" fn bag_free(bag: *mut bag) {
        unsafe {
            if !(*bag).book.is_null() {
                book_free((*bag).book);
            }
        }
        release(bag);
    }

    pub unsafe extern "C" fn bag_put(bag: *mut bag, book: *mut book) {
        touch(bag);
        unsafe { (*bag).book = book };
    }

    pub unsafe extern "C" fn bag_index(bag: *mut bag) -> c_int {
        touch(bag);
        unsafe { book_index((*bag).book) }
    }

    pub unsafe extern "C" fn bag_book(bag: *mut bag) -> *mut book {
        touch(bag);
        unsafe { (*bag).book }
    }

    pub unsafe extern "C" fn sorter_new(book: *mut book) -> *mut sorter {
        touch(book);
        acquire("Sorter", sorter { book })
    }

    pub unsafe extern "C" fn sorter_free(sorter: *mut sorter) {
        release(sorter);
    }

    /// Makes another index for the book. Between the two it calls back.
    pub unsafe extern "C" fn sorter_sort(sorter: *mut sorter, look: look_at, data: *mut c_void) {
        touch(sorter);
        unsafe {
            let book = (*sorter).book;
            release((*book).index);
            look.unwrap()(book, data);
            (*book).index = acquire("Index", 3);
        }
    }

    /// A mark in a book.
    pub struct mark {
        _book: book,
    }
    /// The wheel of a sorter.
    pub struct wheel {
        _sorter: sorter,
    }

    pub unsafe extern "C" fn book_mark(book: *mut book) -> *mut mark {
        touch(book);
        book.cast()
    }

    pub unsafe extern "C" fn mark_sort(mark: *mut mark, look: look, data: *mut c_void) {
        unsafe { book_sort(mark.cast(), look, data) };
    }

    pub unsafe extern "C" fn sorter_wheel(sorter: *mut sorter) -> *mut wheel {
        touch(sorter);
        sorter.cast()
    }

    pub unsafe extern "C" fn wheel_sort(wheel: *mut wheel, look: look_at, data: *mut c_void) {
        unsafe { sorter_sort(wheel.cast(), look, data) };
    }

    pub unsafe extern "C" fn plot_new() -> *mut plot {
        acquire("Plot", plot { first: null_mut() })
    }

    pub unsafe extern "C" fn plot_free(plot: *mut plot) {
        unsafe {
            if !(*plot).first.is_null() {
                plant_free((*plot).first);
            }
        }
        release(plot);
    }

    pub unsafe extern "C" fn plot_depth(plot: *mut plot) -> c_int {
        touch(plot);
        unsafe {
            let root = (*(*plot).first).root;
            touch(root);
            *root
        }
    }

    /// A plant, which is the first one of its plot or unlinked.
    pub unsafe extern "C" fn plant_new(plot: *mut plot) -> *mut plant {
        touch(plot);
        let plant = acquire(
            "Plant",
            plant {
                plot,
                up: null_mut(),
                next: null_mut(),
                below: null_mut(),
                user: null_mut(),
                root: acquire("Root", 5),
            },
        );
        unsafe {
            if (*plot).first.is_null() {
                (*plot).first = plant;
            }
        }
        plant
    }

    pub unsafe extern "C" fn plant_free(plant: *mut plant) {
        release(unsafe { (*plant).root });
        release(plant);
    }

    pub unsafe extern "C" fn plant_dig(plant: *mut plant, look: look, data: *mut c_void) {
        touch(plant);
        unsafe {
            release((*plant).root);
            look.unwrap()(data);
            (*plant).root = acquire("Root", 6);
        }
    }
}

#[handle(raw = ffi::book, release = ffi::book_free, fork_safe)]
struct Book;

#[handle(raw = ffi::bag, release = ffi::bag_free, fork_safe)]
struct Bag;

#[handle(raw = ffi::sorter, release = ffi::sorter_free, parent = Book, mut_parent, fork_safe)]
struct Sorter;

/// A part that does not know its book.
#[handle(raw = ffi::mark, part_of = Book)]
struct Mark;

/// A part that does not know its sorter.
#[handle(raw = ffi::wheel, part_of = Sorter)]
struct Wheel;

#[handle(raw = ffi::plot, release = ffi::plot_free, tree, fork_safe)]
struct Plot;

#[handle(raw = ffi::plant, part_of = Plot, owner_field = plot, tree(
    parent = up,
    children = below,
    next = next,
    object = user,
    release = ffi::plant_free,
    root = first,
))]
struct Plant;

#[methods(unsafe, rust_only)]
impl Book {
    #[calls(ffi::book_new, fails = null)]
    fn new() -> Result<Owned<Book>>;

    #[calls(ffi::book_index, fails = negative)]
    fn index(&self) -> Result<i32>;

    #[calls(ffi::sorter_new, fails = null)]
    fn sorter(&mut self) -> Result<Owned<Sorter>>;

    #[calls(ffi::book_sort, args = (self, look.look, look.data))]
    fn sort(&self, look: &Look);

    #[calls(ffi::book_mark)]
    fn mark(&self) -> Option<Borrowed<Mark>>;
}

#[methods(unsafe, rust_only)]
impl Mark {
    #[calls(ffi::mark_sort, args = (self, look.look, look.data))]
    fn sort(&self, look: &Look);
}

#[methods(unsafe, rust_only)]
impl Wheel {
    #[calls(ffi::wheel_sort, args = (self, look.look_at, look.data))]
    fn sort(&self, look: &LookAt);
}

#[methods(unsafe, rust_only)]
impl Bag {
    #[calls(ffi::bag_new, fails = null)]
    fn new() -> Result<Owned<Bag>>;

    #[calls(ffi::bag_put, consumes = always)]
    fn put(&mut self, book: Owned<Book>);

    #[calls(ffi::bag_index, fails = negative)]
    fn index(&self) -> Result<i32>;

    #[calls(ffi::bag_book)]
    fn book(&self) -> Option<Borrowed<Book>>;
}

#[methods(unsafe, rust_only)]
impl Sorter {
    #[calls(ffi::sorter_sort, args = (self, look.look_at, look.data))]
    fn sort(&self, look: &LookAt);

    #[calls(ffi::sorter_wheel)]
    fn wheel(&self) -> Option<Borrowed<Wheel>>;
}

#[methods(unsafe, rust_only)]
impl Plot {
    #[calls(ffi::plot_new, fails = null)]
    fn new() -> Result<Owned<Plot>>;

    #[calls(ffi::plant_new, fails = null)]
    fn plant(&mut self) -> Result<Borrowed<Plant>>;

    #[field(first)]
    fn first(&self) -> Option<Borrowed<Plant>>;

    #[calls(ffi::plot_depth, fails = negative)]
    fn depth(&self) -> Result<i32>;
}

#[methods(unsafe, rust_only)]
impl Plant {
    #[calls(ffi::plant_dig, args = (self, look.look, look.data))]
    fn dig(&self, look: &Look);
}

/// Does something while C has a handle in pieces.
struct Look(fn());

impl Attachment for Look {}

#[callbacks(unsafe)]
impl Look {
    #[callback(ffi::look, args = (data), exclusive)]
    fn look(&self) {
        (self.0)();
        LOOKS.set(LOOKS.get() + 1);
    }
}

/// Does something with a book that C has in pieces.
struct LookAt(fn(&Book));

impl Attachment for LookAt {}

#[callbacks(unsafe)]
impl LookAt {
    #[callback(ffi::look_at, args = (book, data), exclusive)]
    fn look_at(&self, book: &Book) {
        (self.0)(book);
        LOOKS.set(LOOKS.get() + 1);
    }
}

thread_local! {
    static LOOKS: Cell<usize> = const { Cell::new(0) };
    static BAG: RefCell<Option<Owned<'static, Bag>>> = const { RefCell::new(None) };
    static PLOT: RefCell<Option<Owned<'static, Plot>>> = const { RefCell::new(None) };
}

fn with<T: 'static, R>(
    place: &'static std::thread::LocalKey<RefCell<Option<T>>>,
    f: impl FnOnce(&T) -> R,
) -> R {
    place.with_borrow(|it| f(it.as_ref().unwrap()))
}

/// Puts a book into the bag of the thread, lets `sort` sort it, and empties the bag.
fn sort_in_bag(sort: impl FnOnce(&Book)) {
    let _native = Native::start();
    LOOKS.set(0);
    let mut bag = Bag::new().unwrap();
    bag.put(Book::new().unwrap());
    BAG.set(Some(bag));
    with(&BAG, |bag| sort(bag.book().unwrap().get()));
    assert_eq!(LOOKS.get(), 1);
    assert_eq!(with(&BAG, |bag| bag.index()).unwrap(), 2);
    BAG.set(None);
}

const USE_BAG: Look = Look(|| {
    let index = with(&BAG, |bag| bag.index());
    assert!(matches!(index, Err(Error::Busy("Bag"))));
});

#[test]
fn keeper_of_a_handle_is_not_used_beside_an_exclusive_callback_of_that() {
    sort_in_bag(|book| book.sort(&USE_BAG));
}

#[test]
fn keeper_is_not_used_beside_an_exclusive_callback_of_a_part_that_does_not_know_its_owner() {
    sort_in_bag(|book| book.mark().unwrap().sort(&USE_BAG));
}

/// Sorts a book by `sort`.
fn sort_by_sorter(sort: impl FnOnce(&Sorter, &LookAt)) {
    let _native = Native::start();
    LOOKS.set(0);
    let mut book = Book::new().unwrap();
    let use_book = LookAt(|book| assert!(matches!(book.index(), Err(Error::Busy("Book")))));
    sort(&book.sorter().unwrap(), &use_book);
    assert_eq!(LOOKS.get(), 1);
    assert_eq!(book.index().unwrap(), 3);
}

#[test]
fn parent_is_not_used_beside_an_exclusive_callback_of_a_child_that_changes_it() {
    sort_by_sorter(Sorter::sort);
}

#[test]
fn parent_is_not_used_beside_an_exclusive_callback_of_a_part_that_does_not_know_the_child() {
    sort_by_sorter(|sorter, look| sorter.wheel().unwrap().sort(look));
}

#[test]
fn tree_is_not_used_beside_an_exclusive_callback_of_a_part() {
    let _native = Native::start();
    LOOKS.set(0);
    let mut plot = Plot::new().unwrap();
    plot.plant().unwrap();
    PLOT.set(Some(plot));
    with(&PLOT, |plot| {
        plot.first().unwrap().dig(&Look(|| {
            assert!(matches!(
                with(&PLOT, |plot| plot.depth()),
                Err(Error::Busy("Plot"))
            ));
        }))
    });
    assert_eq!(LOOKS.get(), 1);
    assert_eq!(with(&PLOT, |plot| plot.depth()).unwrap(), 6);
    PLOT.set(None);
    assert_eq!(live("Root"), 0);
}
