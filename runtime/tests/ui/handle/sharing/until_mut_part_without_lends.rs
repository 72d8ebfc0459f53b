//! A part with `until_mut` requires an owner with `lends`.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Part, part_of = Thing, until_mut)]
pub struct Part;

fn main() {}
