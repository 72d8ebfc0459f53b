//! A generated method has no type parameters: types decide who owns a value.

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
    #[calls(ffi::store_first)]
    fn first<R: for<'o> leakproof::returns::FromC<'o, *mut ffi::item>>(&self) -> Option<R>;

    #[calls(ffi::store_first, args = (at))]
    fn first_at(&self, at: impl leakproof::arguments::IntoC<*mut ffi::store>) -> Option<Borrowed<Item>>;
}

fn main() {}
