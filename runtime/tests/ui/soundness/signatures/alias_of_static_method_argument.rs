//! A type alias does not hide a handle in an argument of a static method.

#![allow(unused)]

use leakproof::prelude::*;

#[path = "../../ffi/store.rs"]
mod ffi;

#[handle(raw = ffi::Store, release = ffi::store_free)]
pub struct Store;

#[handle(raw = ffi::Item, part_of = Store)]
pub struct Item;

type Ref<'a> = &'a Item;

#[methods(unsafe, rust_only)]
impl Store {
    #[calls(ffi::item_store)]
    fn of(item: Ref) -> Option<Borrowed<Store>>;
}

fn main() {}
