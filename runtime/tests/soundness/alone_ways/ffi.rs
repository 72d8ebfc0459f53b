//! A library of objects of which several reach one text. While the text is written again, it is not there, and the
//! library calls back.

use std::ffi::{c_int, c_void};
use std::ptr::null_mut;

use crate::native::{acquire, release, touch};

pub type look = Option<unsafe extern "C" fn(*mut c_void)>;
pub type show = Option<unsafe extern "C" fn(*mut book, *mut c_void)>;

/// What all objects are.
#[repr(C)]
struct object {
    up: *mut object,
    mark: c_int,
    text: *mut c_int,
    known: *mut object,
    hidden: *mut object,
    owners: usize,
    kept: look,
    data: *mut c_void,
}

/// Makes an object that reaches the text of `up`, or has one of its own.
unsafe fn make(name: &'static str, up: *mut object) -> *mut object {
    let object = part(name, up);
    unsafe {
        if up.is_null() {
            (*object).text = acquire("Text", 1);
        }
        (*object).known = part("Known part", object);
        (*object).hidden = part("Hidden part", object);
    }
    object
}

fn part(name: &'static str, up: *mut object) -> *mut object {
    let part = object {
        up,
        mark: 7,
        text: null_mut(),
        known: null_mut(),
        hidden: null_mut(),
        owners: 1,
        kept: None,
        data: null_mut(),
    };
    acquire(name, part)
}

/// The object that has the text.
unsafe fn with_text(object: *mut object) -> *mut object {
    touch(object);
    match unsafe { (*object).up } {
        up if up.is_null() => object,
        up => unsafe { with_text(up) },
    }
}

unsafe fn read(object: *mut object) -> c_int {
    unsafe {
        let text = (*with_text(object)).text;
        if text.is_null() {
            return 0;
        }
        touch(text);
        *text
    }
}

unsafe fn write(object: *mut object, look: look, data: *mut c_void) {
    unsafe {
        let object = with_text(object);
        release((*object).text);
        look.unwrap()(data);
        (*object).text = acquire("Text", 2);
    }
}

unsafe fn free(object: *mut object) {
    touch(object);
    unsafe {
        (*object).owners -= 1;
        if (*object).owners != 0 {
            return;
        }
        release((*object).known);
        release((*object).hidden);
        if !(*object).text.is_null() {
            release((*object).text);
        }
    }
    release(object);
}

/// An object that is in another one, and the functions that read and write it.
macro_rules! objects {
    ($($name:ident($up:ident), $read:ident, $write:ident, $around:ident;)*) => {
        $(
            #[repr(C)]
            pub struct $name {
                pub up: *mut $up,
                pub mark: c_int,
                rest: [*mut c_void; 6],
            }

            pub unsafe extern "C" fn $read(it: *mut $name) -> c_int {
                unsafe { read(it.cast()) }
            }

            pub unsafe extern "C" fn $around(it: *mut $name, look: look, data: *mut c_void) -> c_int {
                unsafe { read_around(it.cast(), look, data) }
            }

            pub unsafe extern "C" fn $write(it: *mut $name, look: look, data: *mut c_void) {
                unsafe { write(it.cast(), look, data) };
            }
        )*
    };
}

objects! {
    book(c_void), book_read, book_write, book_around;
    leaf(book), leaf_read, leaf_write, leaf_around;
    seam(book), seam_read, seam_write, seam_around;
    sorter(book), sorter_read, sorter_write, sorter_around;
    rim(sorter), rim_read, rim_write, rim_around;
    wheel(sorter), wheel_read, wheel_write, wheel_around;
    bag(book), bag_read, bag_write, bag_around;
    lining(bag), lining_read, lining_write, lining_around;
    pocket(bag), pocket_read, pocket_write, pocket_around;
    strap(bag), strap_read, strap_write, strap_around;
    buckle(strap), buckle_read, buckle_write, buckle_around;
    page(c_void), page_read, page_write, page_around;
    line(page), line_read, line_write, line_around;
    copy(page), copy_read, copy_write, copy_around;
    quote(copy), quote_read, quote_write, quote_around;
    shelf(page), shelf_read, shelf_write, shelf_around;
    board(shelf), board_read, board_write, board_around;
    crack(shelf), crack_read, crack_write, crack_around;
    hook(shelf), hook_read, hook_write, hook_around;
    thorn(hook), thorn_read, thorn_write, thorn_around;
    patch(page), patch_read, patch_write, patch_around;
    nail(board), nail_read, nail_write, nail_around;
}

/// The parts, children and owners of objects.
macro_rules! functions {
    ($(parts of $owner:ident: $known:ident $known_type:ident, $hidden:ident $hidden_type:ident;)*
     $(child $name:literal $child:ident of $parent:ident: $new:ident, $free:ident;)*) => {
        $(
            pub unsafe extern "C" fn $known(owner: *mut $owner) -> *mut $known_type {
                unsafe { (*owner.cast::<object>()).known.cast() }
            }

            pub unsafe extern "C" fn $hidden(owner: *mut $owner) -> *mut $hidden_type {
                unsafe { (*owner.cast::<object>()).hidden.cast() }
            }
        )*
        $(
            pub unsafe extern "C" fn $new(parent: *mut $parent) -> *mut $child {
                unsafe {
                    read(parent.cast());
                    make($name, parent.cast()).cast()
                }
            }

            /// Reads the text that the object reaches.
            pub unsafe extern "C" fn $free(child: *mut $child) {
                unsafe {
                    read(child.cast());
                    free(child.cast());
                }
            }
        )*
    };
}

functions! {
    parts of book: book_leaf leaf, book_seam seam;
    parts of sorter: sorter_rim rim, sorter_wheel wheel;
    parts of bag: bag_lining lining, bag_pocket pocket;
    parts of shelf: shelf_board board, shelf_crack crack;
    child "Sorter" sorter of book: sorter_new, sorter_free;
    child "Strap" strap of bag: strap_new, strap_free;
    child "Patch" patch of page: patch_new, patch_free;
    child "Nail" nail of board: nail_new, nail_free;
    child "Hook" hook of shelf: hook_new, hook_free;
    child "Line" line of page: line_new, line_free;
    child "Quote" quote of copy: quote_new, quote_free;
}

pub unsafe extern "C" fn book_new() -> *mut book {
    unsafe { make("Book", null_mut()).cast() }
}

pub unsafe extern "C" fn book_free(book: *mut book) {
    unsafe { free(book.cast()) };
}

pub unsafe extern "C" fn strap_buckle(strap: *mut strap) -> *mut buckle {
    unsafe { (*strap.cast::<object>()).hidden.cast() }
}

pub unsafe extern "C" fn hook_thorn(hook: *mut hook) -> *mut thorn {
    unsafe { (*hook.cast::<object>()).hidden.cast() }
}

/// Reads the text before and after it calls back, which leaves it as it is.
unsafe fn read_around(object: *mut object, look: look, data: *mut c_void) -> c_int {
    unsafe {
        let text = (*with_text(object)).text;
        look.unwrap()(data);
        touch(text);
        *text
    }
}

pub unsafe extern "C" fn page_change(page: *mut page) -> c_int {
    let page = page.cast::<object>();
    touch(page);
    unsafe {
        release((*page).text);
        (*page).text = acquire("Text", 3);
    }
    0
}

/// Shows the book.
pub unsafe extern "C" fn book_show(book: *mut book, show: show, data: *mut c_void) {
    touch(book);
    unsafe { show.unwrap()(book, data) };
}

pub unsafe extern "C" fn bag_new() -> *mut bag {
    unsafe {
        let bag = make("Bag", null_mut());
        release((*bag).text);
        (*bag).text = null_mut();
        bag.cast()
    }
}

/// Makes a bag with a book of its own.
pub unsafe extern "C" fn bag_filled() -> *mut bag {
    unsafe {
        let bag = bag_new();
        bag_put(bag, book_new());
        bag
    }
}

pub unsafe extern "C" fn bag_free(bag: *mut bag) {
    touch(bag);
    unsafe {
        if !(*bag).up.is_null() {
            book_free((*bag).up);
        }
        free(bag.cast());
    }
}

pub unsafe extern "C" fn bag_put(bag: *mut bag, book: *mut book) {
    touch(bag);
    touch(book);
    unsafe { (*bag).up = book };
}

pub unsafe extern "C" fn bag_book(bag: *mut bag) -> *mut book {
    touch(bag);
    unsafe { (*bag).up }
}

pub unsafe extern "C" fn bag_keep(bag: *mut bag, look: look, data: *mut c_void) {
    let bag = bag.cast::<object>();
    touch(bag);
    unsafe { ((*bag).kept, (*bag).data) = (look, data) };
}

pub unsafe extern "C" fn bag_write_kept(bag: *mut bag) {
    let it = bag.cast::<object>();
    unsafe { bag_write(bag, (*it).kept, (*it).data) };
}

/// Shows the book in the bag.
pub unsafe extern "C" fn bag_show(bag: *mut bag, show: show, data: *mut c_void) {
    touch(bag);
    unsafe { show.unwrap()((*bag).up, data) };
}

pub unsafe extern "C" fn shelf_new() -> *mut shelf {
    unsafe { bag_new().cast() }
}

pub unsafe extern "C" fn shelf_free(shelf: *mut shelf) {
    touch(shelf);
    unsafe {
        if !(*shelf).up.is_null() {
            page_unref((*shelf).up);
        }
        free(shelf.cast());
    }
}

pub unsafe extern "C" fn shelf_put(shelf: *mut shelf, page: *mut page) {
    touch(shelf);
    unsafe { (*shelf).up = page };
}

pub unsafe extern "C" fn page_new() -> *mut page {
    unsafe { make("Page", null_mut()).cast() }
}

pub unsafe extern "C" fn page_ref(page: *mut page) -> *mut page {
    touch(page);
    unsafe { (*page.cast::<object>()).owners += 1 };
    page
}

pub unsafe extern "C" fn page_unref(page: *mut page) {
    unsafe { free(page.cast()) };
}

/// Makes an object that has the text of the page.
pub unsafe extern "C" fn copy_new(page: *mut page) -> *mut copy {
    unsafe { make("Copy", page_ref(page).cast()).cast() }
}

pub unsafe extern "C" fn copy_ref(copy: *mut copy) -> *mut copy {
    unsafe { page_ref(copy.cast()).cast() }
}

pub unsafe extern "C" fn copy_unref(copy: *mut copy) {
    touch(copy);
    unsafe {
        let page = (*copy).up;
        if (*copy.cast::<object>()).owners == 1 {
            page_unref(page);
        }
        free(copy.cast());
    }
}
