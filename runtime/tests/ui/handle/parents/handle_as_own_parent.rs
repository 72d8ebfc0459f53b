//! A handle is not its own parent or owner.

use leakproof::prelude::*;

#[path = "../../ffi/thing.rs"]
mod ffi;

#[handle(raw = ffi::Thing, release = ffi::thing_free, parent = Self)]
pub struct Thing;

#[handle(raw = ffi::Thing, part_of = Part)]
pub struct Part;

fn main() {}
