//! A generated method has no type parameters: its types decide who owns a value.

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
    fn first<R: for<'o> leakproof::__private::from_c::FromC<'o, *mut ffi::Item>>(&self) -> Option<R>;

    #[calls(ffi::store_first, args = (at))]
    fn first_at(&self, at: impl leakproof::__private::to_c::IntoC<*mut ffi::Store>) -> Option<Borrowed<Item>>;
}

fn main() {}
