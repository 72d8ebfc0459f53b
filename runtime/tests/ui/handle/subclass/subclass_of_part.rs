//! `subclass` is for handles with a constructor: a part comes from its owner.
use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, part_of = Thing, subclass)]
pub struct Other;

fn main() {}
