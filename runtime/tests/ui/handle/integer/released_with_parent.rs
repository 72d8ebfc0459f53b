//! An integer handle is not released with its parent.

use leakproof::prelude::*;

mod ffi {
    use std::ffi::c_int;
    pub struct Pool;
    pub unsafe extern "C" fn pool_free(_: *mut Pool) {}
    pub unsafe extern "C" fn item_free(_: *mut Pool, _: c_int) {}
}

#[handle(raw = ffi::Pool, release = ffi::pool_free)]
pub struct Pool;

#[handle(integer = c_int, invalid = -1, release(ffi::item_free, args = (parent, self)), parent = Pool)]
pub struct Item;

use std::ffi::c_int;

fn main() {}
