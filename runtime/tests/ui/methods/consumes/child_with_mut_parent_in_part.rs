//! A child that borrows its parent by `&mut` cannot be transferred to a part of a handle whose calls do not.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Pool, release = ffi::pool_free)]
pub struct Pool;

#[handle(raw = ffi::Item, release = ffi::item_free, parent = Pool, mut_parent)]
pub struct Item;

#[handle(raw = ffi::Book, release = ffi::book_free)]
pub struct Book;

#[handle(raw = ffi::Page, part_of = Book, owner_field = book)]
pub struct Page;

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_add, consumes = always)]
    fn add(&self, item: Owned<Item>);
}

fn main() {}
