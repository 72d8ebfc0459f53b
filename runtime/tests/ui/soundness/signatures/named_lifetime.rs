//! A result has no named lifetime: it lives as long as the receiver or what that lives in.

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
    #[calls(ffi::store_first)]
    fn first<'x>(&self) -> Option<Borrowed<'x, Item>>;
}

fn main() {}
