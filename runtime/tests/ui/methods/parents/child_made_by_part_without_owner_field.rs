//! A part that makes children of its owner requires `owner_field`.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Pool, release = ffi::pool_free)]
pub struct Pool;

#[handle(raw = ffi::Page, part_of = Pool)]
pub struct Page;

#[handle(raw = ffi::Item, release = ffi::item_free, parent = Pool)]
pub struct Item;

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_item, fails = null)]
    fn item(&self) -> Result<Owned<Item>>;
}

fn main() {}
