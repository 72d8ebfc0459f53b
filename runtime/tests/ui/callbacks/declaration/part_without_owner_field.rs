//! A callback does not take a part that does not know its owner: other code may use or release that one.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Pool, release = ffi::pool_free)]
pub struct Pool;

#[handle(raw = ffi::Item, part_of = Pool)]
pub struct Item;

#[handle(integer = i32, part_of = Pool)]
pub struct Number;

#[derive(Debug, Attachment)]
pub struct State(());

#[callbacks(unsafe)]
impl State {
    #[callback(ffi::TakeFn, args = (item, data))]
    fn take(&self, item: &Item) {
        let _ = item;
    }

    #[callback(ffi::TakeFn, args = (item, data))]
    fn take_perhaps(&self, item: Option<Borrowed<'_, Item>>) {
        let _ = item;
    }

    #[callback(unsafe extern "C" fn(i32, *mut std::ffi::c_void), args = (number, data))]
    fn count(&self, number: &Number) {
        let _ = number;
    }
}

fn main() {}
