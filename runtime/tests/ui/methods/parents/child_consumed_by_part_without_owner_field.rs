//! A part that consumes children of its owner requires `owner_field`.

use leakproof::prelude::*;

mod ffi {
    pub struct Pool;
    pub struct Page;
    pub struct Item;
    pub unsafe extern "C" fn pool_free(_: *mut Pool) {}
    pub unsafe extern "C" fn item_free(_: *mut Item) {}
    pub unsafe extern "C" fn page_item(_: *mut Page) -> *mut Item {
        std::ptr::null_mut()
    }
    pub unsafe extern "C" fn page_add(_: *mut Page, _: *mut Item) {}
}

#[handle(raw = ffi::Pool, release = ffi::pool_free)]
pub struct Pool;

#[handle(raw = ffi::Page, part_of = Pool)]
pub struct Page;

#[handle(raw = ffi::Item, release = ffi::item_free, parent = Pool)]
pub struct Item;

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_add, consumes = always)]
    fn add(&mut self, item: Owned<Item>);
}

fn main() {}
