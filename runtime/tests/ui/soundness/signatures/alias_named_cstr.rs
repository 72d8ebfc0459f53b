//! A handle is not taken for text because of its name.

#![allow(unused)]

use leakproof::prelude::*;

#[path = "../../ffi/store.rs"]
mod ffi;

#[handle(raw = ffi::Store, release = ffi::store_free)]
pub struct Store;

#[handle(raw = ffi::Item, part_of = Store)]
pub struct Item;

type CStr = Item;

#[methods(unsafe, rust_only)]
impl Store {
    #[calls(ffi::item_store)]
    fn of(item: &CStr) -> Option<Borrowed<Store>>;
}

fn main() {}
