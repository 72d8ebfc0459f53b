//! A type alias does not hide the lifetime of a result.

#![allow(unused)]

use leakproof::prelude::*;

#[path = "../../ffi/store.rs"]
mod ffi;

#[handle(raw = ffi::Store, release = ffi::store_free)]
pub struct Store;

#[handle(raw = ffi::Item, part_of = Store)]
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
