//! A borrowed result of a static method does not outlive its argument.

#![allow(non_camel_case_types, unused)]

use leakproof::prelude::*;

mod ffi {
    pub struct store;
    pub unsafe extern "C" fn store_free(_: *mut store) {}
    pub unsafe extern "C" fn store_new() -> *mut store {
        unimplemented!()
    }
    pub struct item {
        pub mark: *mut store,
    }
    pub unsafe extern "C" fn store_first(_: *mut store) -> *mut item {
        unimplemented!()
    }
    pub unsafe extern "C" fn item_store(_: *mut item) -> *mut store {
        unimplemented!()
    }
}

#[handle(raw = ffi::store, release = ffi::store_free)]
pub struct Store;

#[handle(raw = ffi::item, part_of = Store)]
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
