//! A callback does not take an owned child, whose parent is unknown.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_void;
    pub struct Pool;
    pub struct Item;
    pub type TakeFn = Option<unsafe extern "C" fn(*mut Item, *mut c_void)>;
    pub type MakeFn = Option<unsafe extern "C" fn(*mut c_void) -> *mut Item>;
    pub unsafe extern "C" fn pool_free(_: *mut Pool) {}
    pub unsafe extern "C" fn item_free(_: *mut Item) {}
}

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
