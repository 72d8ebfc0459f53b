//! A type alias does not hide the lifetime of a result.

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

type Lasting = Borrowed<'static, Item>;
type Chosen<'x> = Borrowed<'x, Item>;

#[methods(unsafe, rust_only)]
impl Store {
    #[calls(ffi::store_first)]
    fn first(&self) -> Option<Lasting>;

    #[field(self)]
    fn as_item(&self) -> Option<Lasting>;

    #[calls(ffi::store_first, args = (at))]
    fn first_of(&self, at: &Store) -> Option<Chosen<'_>>;
}

fn main() {}
