//! A type alias does not hide a reference in a setter.

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

type Ref<'a> = &'a Store;

#[methods(unsafe, rust_only)]
impl Item {
    #[field(mark)]
    fn set_mark(&mut self, store: Ref);
}

fn main() {}
