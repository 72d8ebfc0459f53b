//! A part that ends with the next `&mut` use of its owner has an owner that no other handle can use by `&mut`.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, retain = ffi::thing_ref, independent, lends)]
pub struct Thing;

#[handle(raw = ffi::Part, part_of = Thing, until_mut)]
pub struct Part;

fn main() {}
