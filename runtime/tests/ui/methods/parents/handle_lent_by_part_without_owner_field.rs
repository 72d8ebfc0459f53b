//! A part that lends a handle with a release requires `owner_field`: what is made in that handle keeps the owner.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Pool, release = ffi::pool_free)]
pub struct Pool;

#[handle(raw = ffi::Page, part_of = Pool)]
pub struct Page;

#[handle(raw = ffi::Item, release = ffi::item_free)]
pub struct Item;

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_item)]
    fn item(&self) -> Option<Borrowed<Item>>;
}

fn main() {}
