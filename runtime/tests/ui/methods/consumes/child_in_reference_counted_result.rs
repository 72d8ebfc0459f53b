//! A child cannot be transferred to a reference-counted result, because other owners could keep that.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Pool, release = ffi::pool_free)]
pub struct Pool;

#[handle(raw = ffi::Item, release = ffi::item_free, parent = Pool)]
pub struct Item;

#[handle(raw = ffi::Page, retain = ffi::page_ref, release = ffi::page_free, independent)]
pub struct Page;

#[methods(unsafe, rust_only)]
impl Page {
    #[calls(ffi::page_of, consumes = always, fails = null)]
    fn of(item: Owned<Item>) -> Result<Owned<Page>>;
}

fn main() {}
