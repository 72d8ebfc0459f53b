//! `release` and `part_of` exclude each other.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, release = ffi::thing_free, part_of = Thing)]
pub struct Other;

fn main() {}
