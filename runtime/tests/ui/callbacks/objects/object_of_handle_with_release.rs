//! `with_object` gives Python only what ends with the callback.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Item, release = ffi::item_free)]
pub struct Item;

#[derive(Attachment)]
pub struct State(Callable);

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::TakeFn, args = (item, data))]
    fn take(&self, item: &Item) -> Result<()> {
        leakproof::with_object(item, |item| self.0.call_unit((item,)))
    }
}

fn main() {}
