//! `parent` requires `release`: a part has an owner instead.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, part_of = Thing, parent = Thing)]
pub struct Other;

fn main() {}
