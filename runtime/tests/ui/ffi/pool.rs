//! A pool, its pages, the items that live in it, and callbacks that take or return an item.

use std::ffi::c_void;

pub type TakeFn = Option<unsafe extern "C" fn(*mut Item, *mut c_void)>;
pub type MakeFn = Option<unsafe extern "C" fn(*mut c_void) -> *mut Item>;

pub struct Pool;
pub struct Page {
    pub book: *mut Book,
}
pub struct Book;
pub struct Item;

pub unsafe extern "C" fn pool_free(_: *mut Pool) {}
pub unsafe extern "C" fn item_free(_: *mut Item) {}
pub unsafe extern "C" fn page_item(_: *mut Page) -> *mut Item {
    unimplemented!()
}
pub unsafe extern "C" fn page_free(_: *mut Page) {}
pub unsafe extern "C" fn page_ref(page: *mut Page) -> *mut Page {
    page
}
pub unsafe extern "C" fn page_of(_: *mut Item) -> *mut Page {
    unimplemented!()
}
pub unsafe extern "C" fn book_free(_: *mut Book) {}
pub unsafe extern "C" fn page_add(_: *mut Page, _: *mut Item) {}
