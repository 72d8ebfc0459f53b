//! A callback does not take an owned child, whose parent is unknown.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Pool, release = ffi::pool_free)]
pub struct Pool;

#[handle(raw = ffi::Item, release = ffi::item_free, parent = Pool)]
pub struct Item;

#[derive(Debug, Attachment)]
pub struct State(());

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::TakeFn, args = (item, data))]
    fn take(&self, item: Owned<Item>) {
        drop(item);
    }
}

fn main() {}
