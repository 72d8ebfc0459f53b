//! A type alias does not hide a reference in a setter.

#![allow(unused)]

use leakproof::prelude::*;

#[path = "../../ffi/store.rs"]
mod ffi;

#[handle(raw = ffi::Store, release = ffi::store_free)]
pub struct Store;

#[handle(raw = ffi::Item, part_of = Store)]
pub struct Item;

type Ref<'a> = &'a Store;

#[methods(unsafe, rust_only)]
impl Item {
    #[field(mark)]
    fn set_mark(&mut self, store: Ref);
}

fn main() {}
