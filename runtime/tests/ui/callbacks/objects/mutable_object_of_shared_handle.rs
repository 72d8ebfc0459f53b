//! `with_object_mut` takes what the callback may change.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Item, callback_only)]
pub struct Item;

#[derive(Attachment)]
pub struct State(Callable);

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::TakeFn, args = (item, data))]
    fn take(&self, item: &Item) -> Result<()> {
        leakproof::with_object_mut(item, |item| self.0.call_unit((item,)))
    }
}

fn main() {}
