//! A handle is not taken for text because of its name.

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

type CStr = Item;

#[methods(unsafe, rust_only)]
impl Store {
    #[calls(ffi::item_store)]
    fn of(item: &CStr) -> Option<Borrowed<Store>>;
}

fn main() {}
