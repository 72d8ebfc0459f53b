//! A part that ends with the next `&mut` use of its owner has an owner that no other handle can use by `&mut`.

use leakproof::prelude::*;

#[path = "../../ffi/pool.rs"]
mod ffi;

#[handle(raw = ffi::Page, release = ffi::page_free, retain = ffi::page_ref, independent, lends)]
pub struct Page;

#[handle(raw = ffi::Item, part_of = Page, until_mut)]
pub struct Item;

fn main() {}
