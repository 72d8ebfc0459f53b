//! A borrowed result of a static method does not outlive its argument.

#![allow(unused)]

use leakproof::prelude::*;

#[path = "../../ffi/store.rs"]
mod ffi;

#[handle(raw = ffi::Store, release = ffi::store_free)]
pub struct Store;

#[handle(raw = ffi::Item, part_of = Store)]
pub struct Item;

#[methods(unsafe, rust_only)]
impl Store {
    #[calls(ffi::store_new, fails = null)]
    fn new() -> Result<Owned<Store>>;

    #[calls(ffi::store_first)]
    fn first(&self) -> Option<Borrowed<Item>>;

    #[calls(ffi::item_store)]
    fn of(item: &Item) -> Option<Borrowed<Store>>;
}

fn main() {
    let store = Store::new().unwrap();
    let again = Store::of(&store.first().unwrap()).unwrap();
    drop(store);
    again.first();
}
