//! `subclass` is for handles with a constructor: a child is made by its parent.
use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, release = ffi::thing_free, parent = Thing, subclass)]
pub struct Other;

fn main() {}
