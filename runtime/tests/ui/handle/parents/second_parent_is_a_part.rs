//! A part has no release that could wait for what lives in it.

use leakproof::prelude::*;

#[path = "../../ffi/family.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free)]
pub struct Thing;

#[handle(raw = ffi::Thing, part_of = Thing)]
pub struct Part;

#[handle(raw = ffi::Child, release = ffi::child_free, parent = (Thing, Part))]
pub struct Child;

fn main() {}
