//! A callback does not give C a handle with `attachments`: nobody would know when C needs the values no more.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Item, release = ffi::item_free, attachments)]
pub struct Item;

#[derive(Debug, Attachment)]
pub struct State(());

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::MakeFn, args = (data))]
    fn make(&self) -> Option<Owned<Item>> {
        None
    }
}

fn main() {}
